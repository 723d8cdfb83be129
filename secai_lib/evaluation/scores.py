"""Marks counted: every share with its interval, in every group of rows."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.evaluation import Retention, Score
from secai_lib.core.training import TrainingExample
from secai_lib.evaluation.exam import MAIN, TRUTH, Marked
from secai_lib.evaluation.intervals import paired_ratio, quantile, wilson

HELD_OUT = "files:held_out"
"""Rows about a file of which no row of either training part speaks."""
SHARED = "asked:everybody"
"""Rows that every contender was asked: only there can a model be compared with an untrained one."""


def groups_of(row: TrainingExample, trained: frozenset[tuple[str, str]]) -> tuple[str, ...]:
    """The groups that a row is counted in; `trained` are repository and file of training rows."""
    known = row.metadata
    groups = [
        "all",
        f"facet:{row.facet.value}",
        f"tool:{known.tool}",
        f"category:{known.category.value}",
    ]
    if known.file and (known.repository, known.file) not in trained:
        groups.append(HELD_OUT)
    return tuple(groups)


def files_of(train: Iterable[TrainingExample]) -> frozenset[tuple[str, str]]:
    """Repository and file of every training row that is about one."""
    known = (row.metadata for row in train)
    return frozenset((facts.repository, facts.file) for facts in known if facts.file)


def count(
    marked: Iterable[Marked], groups: Mapping[str, Sequence[str]], confidence: float
) -> tuple[Score, ...]:
    """A score for each contender, predicate and group, sorted; `groups` are by row id.

    The data set's own answers are no contender.
    """
    z = quantile(confidence)
    passed: dict[tuple[int, str, str, str], list[bool]] = {}
    for one in marked:
        answer = one.answer
        if answer.contender == TRUTH:
            continue
        for metric, holds in one.marks.items():
            for group in groups[answer.row]:
                key = (answer.stage, metric, group, answer.contender)
                passed.setdefault(key, []).append(holds)
    made = []
    for (stage, metric, group, contender), marks in sorted(passed.items()):
        low, high = wilson(sum(marks), len(marks), z)
        made.append(
            Score(
                contender=contender,
                stage=2 if stage == 2 else 1,
                metric=metric,
                group=group,
                passed=sum(marks),
                rows=len(marks),
                low=low,
                high=high,
            )
        )
    return tuple(made)


def retained(marked: Sequence[Marked], confidence: float) -> Retention | None:
    """What Stage 2 left of Stage 1's score, over the rows that both models were asked."""
    right = {
        name: {
            one.answer.row: one.marks[MAIN[1]]
            for one in marked
            if one.answer.contender == name and one.answer.stage == 1
        }
        for name in ("stage1", "stage2")
    }
    rows = sorted(right["stage1"].keys() & right["stage2"].keys())
    if not rows:
        return None
    before, after = (sum(right[name][row] for row in rows) for name in ("stage1", "stage2"))
    both = sum(right["stage1"][row] and right["stage2"][row] for row in rows)
    low, high = paired_ratio(after, before, both, quantile(confidence))
    return Retention(
        value=after / before if before else 0.0,
        low=low,
        high=min(high, float(len(rows))),
        before=before,
        after=after,
        both=both,
        rows=len(rows),
    )
