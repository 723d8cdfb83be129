"""Rows of Stage 2: a finding and the lines round it, answered by the edit that is proven to fix it.

Proof alone decides what comes in; fixes have no score yet.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import Result
from secai_lib.core.fix import ProofMethod
from secai_lib.core.record import Record
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import ExampleMetadata, TrainingExample
from secai_lib.datasets.answer_format import Block
from secai_lib.datasets.blocks import block_for
from secai_lib.datasets.labels import metadata_of
from secai_lib.datasets.readable import readable_of
from secai_lib.datasets.repair import Repair, by_problem, proven
from secai_lib.datasets.rows import file_group, make_row
from secai_lib.datasets.task import Pins, known_commits, known_versions, task_of
from secai_lib.datasets.windows import NoWindow, Window, changed_lines, cut_window, line_end

_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.-]*")


@dataclass(frozen=True)
class Asked:
    """A repair that fits into one window."""

    repair: Repair
    window: Window
    body: str
    """The instruction without its first line."""
    block: Block


class Made(Record):
    """The rows of all repairs, before they are split."""

    rows: tuple[TrainingExample, ...]
    """At most one for a problem: of its most modest proven way that fits."""
    windows: Mapping[str, Window]
    """Fix id -> the window of its row."""
    left_out: Mapping[str, int]
    """Why a proven fix became no row -> how many fixes."""


def stage2_rows(repairs: Iterable[Repair], settings: DatasetSettings, pins: Pins) -> Made:
    """The rows of `repairs`; the same for the same repairs in any order."""
    rows: list[TrainingExample] = []
    windows: dict[str, Window] = {}
    left_out: Counter[str] = Counter()
    for own in by_problem(repairs):
        made = False
        for repair in own:
            if made:
                left_out["other_approach"] += 1
                continue
            try:
                asked = ask(repair, settings, pins)
            except NoWindow as no:
                left_out[no.code] += 1
                continue
            rows.append(_row(asked, own, settings))
            windows[repair.fix.id] = asked.window
            made = True
    return Made(rows=tuple(rows), windows=windows, left_out=dict(sorted(left_out.items())))


def ask(repair: Repair, settings: DatasetSettings, pins: Pins) -> Asked:
    """The repair as question and answer.

    Raises:
        NoWindow: its fix is not proven, or cannot be asked in one window.
    """
    if not proven(repair.fix.certificate):
        raise NoWindow("unproven", f"The fix {repair.fix.id} has no proof.")
    changed = [path for path, text in repair.fixed.items() if text != repair.weak[path]]
    if len(changed) != 1:
        raise NoWindow("several_files", "Only the change of all its files together is proven.")
    path = changed[0]
    text, fixed = repair.weak[path], repair.fixed[path]
    window = _window(repair, path, settings.window_lines, pins)
    versions = known_versions(repair.fix.certificate)
    body = task_of(repair.finding.result, window, _language(repair), versions)
    block = block_for(window, text, fixed)
    if repair.fix.certificate.method is ProofMethod.ADVISORY:
        wanted = {v for line in block.new for v in _VERSION.findall(line)}
        if any(version not in body for version in wanted):
            raise NoWindow("unknown_version", "No advisory names the version that the fix takes.")
    return Asked(repair, window, body, block)


def _window(repair: Repair, path: str, limit: int, pins: Pins) -> Window:
    """The window round the finding's lines if it holds the change, whose place it then hides.

    Else one round the finding's line and the change, or round the change alone: the finding may
    name a large block, or another file.
    """
    text, result = repair.weak[path], repair.finding.result
    change = first, last = changed_lines(text, repair.fixed[path])
    hidden = {number - 1 for number in repair.hidden.get(path, ())}
    known = known_commits(result, text.split(line_end(text))[first : max(last, first + 1)], pins)
    for low, high in _spans(result, path, change):
        fits = high - low <= limit and high <= text.count("\n") + 1
        if fits and hidden.isdisjoint(range(low, high)):
            window = cut_window(text, path, low, high, limit=limit, hidden=hidden, known=known)
            start = window.first_line - 1
            if start <= first and last <= start + len(window.lines):
                return window
    return cut_window(text, path, first, last, limit=limit, hidden=hidden, known=known)


def _spans(result: Result, path: str, change: tuple[int, int]) -> list[tuple[int, int]]:
    """Lines to cut a window round, those that tell least of the answer first; from 0."""
    line, end = result.line, getattr(result.location, "end_line", None)
    if line is None or line < 1 or result.path != path:
        return []
    both = min(change[0], line - 1), max(change[1], line)
    return [(line - 1, max(end or line, line)), (line - 1, line), both]


def _row(asked: Asked, own: Sequence[Repair], settings: DatasetSettings) -> TrainingExample:
    repair = asked.repair
    others = [other.fix for other in own if other is not repair and proven(other.fix.certificate)]
    return make_row(
        2,
        asked.body,
        asked.block.text,
        group=file_group(repair.origin, asked.window.path),
        metadata=_metadata(asked, settings),
        readable=readable_of(repair, asked.window, others),
    )


def _metadata(asked: Asked, settings: DatasetSettings) -> ExampleMetadata:
    repair, fix = asked.repair, asked.repair.fix
    category = repair.finding.category
    return metadata_of(
        repair.finding.result,
        category,
        repository=repair.origin,
        licence=repair.licence,
        problem=fix.problem,
        verdict="fixed",
        weight=settings.weights[category],
        created_at=repair.created_at,
        lines=max(len(asked.block.old), len(asked.block.new)),
        context=repair.context or _bare_context(repair, asked.window.path),
        fix_type=fix.proposal.kind,
        approach=fix.proposal.approach,
        proof=fix.certificate.method.value,
        certificate=fix.id,
        forged=repair.forged,
    )


def _bare_context(repair: Repair, path: str) -> CodeContext:
    return CodeContext(
        fingerprint=repair.finding.fingerprint,
        status=ContextStatus.EXACT,
        path=path,
        language=_language(repair),
    )


def _language(repair: Repair) -> str:
    known = repair.context.language if repair.context else ""
    return known or repair.language
