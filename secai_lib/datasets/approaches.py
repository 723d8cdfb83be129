"""Problems that can be fixed in more than one proven way, with all ways side by side."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.record import Record, canonical_json
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.repair import Repair, by_problem, proven
from secai_lib.datasets.stage2 import ask
from secai_lib.datasets.task import Pins
from secai_lib.datasets.windows import NoWindow
from secai_lib.datasets.wording import TASKS


class Approach(Record):
    """One proven way."""

    approach: str
    """Its name: `minimal`, `restricted`, `in_branch`, ..."""
    fix: str
    """The fix's id; `secai verify` replays its certificate."""
    title: str
    """One line in the imperative."""
    explanation: str
    """Why it removes the weakness and what to watch for."""
    diff: str
    """Unified diff of this way alone."""
    instruction: str
    """The question that this way answers; empty when it does not fit into one window."""
    response: str
    """Its answer; empty when it does not fit into one window."""
    proof: str
    """`rescan`, `advisory`, `own-rule`."""


class Approaches(Record):
    """A problem with all its proven ways, the most modest first."""

    problem: str
    """The problem's id."""
    repository: str
    """The repository it is in."""
    licence: str
    """SPDX identifier of that repository's licence, or `unknown`."""
    tool: str
    """The scanner."""
    rule: str
    """Its rule."""
    title: str
    """One line, from the scanner."""
    group: str
    """The group of the data set's rows about the same file."""
    split: Split
    """The part that group is in: what is in the test part stays out of training here too."""
    approaches: tuple[Approach, ...]
    """At least two."""


def approach_sets(
    repairs: Iterable[Repair],
    rows: Sequence[TrainingExample],
    settings: DatasetSettings,
    pins: Pins,
) -> list[Approaches]:
    """Every problem of `repairs` with more than one proven way; `rows` say which part it is in.

    One whose file has no row in the data set is left out: nobody knows which part it belongs to,
    and Stage 1 may be tested on that file.
    """
    repairs = list(repairs)
    fixed = {repair.fix.id: repair for repair in repairs}
    # by the files that are changed: the finding may name another one, such as a lockfile
    row_of = {
        (repair.origin, path): row
        for row in rows
        if (repair := fixed.get(row.metadata.certificate))
        for path in repair.fixed
    }
    return [
        _set(own, known, settings, pins)
        for own in map(_distinct, by_problem(repairs))
        if len(own) > 1 and (known := _row_about(own, row_of))
    ]


def approach_lines(sets: Iterable[Approaches]) -> bytes:
    """`multi_approach_dataset.jsonl`: one problem a line."""
    return "".join(f"{canonical_json(one)}\n" for one in sets).encode()


def _distinct(own: Sequence[Repair]) -> list[Repair]:
    """The proven ones of different edits."""
    found = {repair.fix.proposal.edits: repair for repair in reversed(own)}
    return [r for r in own if proven(r.fix.certificate) and found[r.fix.proposal.edits] is r]


def _row_about(
    own: Sequence[Repair], row_of: Mapping[tuple[str, str], TrainingExample]
) -> TrainingExample | None:
    """A row about a file that one of `own` changes."""
    places = ((repair.origin, path) for repair in own for path in sorted(repair.fixed))
    return next((row_of[place] for place in places if place in row_of), None)


def _set(
    own: Sequence[Repair], known: TrainingExample, settings: DatasetSettings, pins: Pins
) -> Approaches:
    first = own[0]
    result = first.finding.result
    return Approaches(
        problem=first.fix.problem,
        repository=first.origin,
        licence=first.licence,
        tool=result.tool,
        rule=result.rule_id,
        title=result.title,
        group=known.group,
        split=known.split,
        approaches=tuple(_approach(repair, settings, pins) for repair in own),
    )


def _approach(repair: Repair, settings: DatasetSettings, pins: Pins) -> Approach:
    fix = repair.fix
    instruction = response = ""
    try:
        asked = ask(repair, settings, pins)
        instruction, response = f"{TASKS[2][0]}\n{asked.body}", asked.block.text
    except NoWindow:
        pass  # the diff is there all the same
    return Approach(
        approach=fix.proposal.approach,
        fix=fix.id,
        title=fix.proposal.title,
        explanation=fix.proposal.explanation,
        diff=fix.diff,
        instruction=instruction,
        response=response,
        proof=fix.certificate.method.value,
    )
