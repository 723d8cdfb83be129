"""Was the examination whole, and are the models good enough to be published?"""

from collections.abc import Iterator, Sequence

from secai_lib.core.evaluation import Evaluation, Score
from secai_lib.core.settings import Quality
from secai_lib.core.text import listed, plural
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most

MAIN = {1: "all_fields", 2: "proven"}
"""Stage -> the predicate its models are judged by."""
OWN = {1: "stage1", 2: "stage2"}
"""Stage -> the model that was trained for it."""
BASELINES = ("majority", "rule_lookup", "nearest", "copy")
SHARED = "asked:everybody"
"""The rows that the base model was asked too."""
STRANGE = ("facet:unknown_rule", "files:held_out")
"""Groups of rows in which a lookup has nothing to look up."""


def complete(
    evaluation: Evaluation,
    unanswered: Sequence[str],
    unproven: Sequence[str],
    changed: Sequence[str],
) -> Verdict:
    """Every contender answered every row it was asked, marking works, the test sets are frozen.

    Args:
        evaluation: What was measured.
        unanswered: Contender and row of each answer that is missing.
        unproven: Rows whose own answer is not marked right: there the marking says nothing.
        changed: Data sets whose test part is another one now.
    """
    faults = [f"no answer: {name}" for name in unanswered]
    faults += [f"the true answer of row {row} is not proven" for row in unproven]
    faults += [f"the test part of {name} is another one now" for name in changed]
    rows = sum(map(len, evaluation.asked.values()))
    asked = plural(rows, "row")
    if not rows:
        faults.append("no row was asked")
    return at_most(
        "complete",
        len(faults),
        0,
        good=f"All contenders answered {asked}, and every true answer is marked right.",
        bad=f"{'; '.join(faults[:3])} ({len(faults)} in all); run `secai eval`.",
    )


def score_gates(evaluation: Evaluation, quality: Quality) -> Iterator[Verdict]:
    """Every verdict that a push needs; with too few rows all of them fail."""
    yield _stage(evaluation, 1, quality.gate_min_stage1, quality, "has every field right")
    yield _stage(evaluation, 2, quality.gate_min_stage2, quality, "is proven by scanning again")
    yield _retention(evaluation, quality)
    yield _beats(evaluation, "beats_base", ("base",), (SHARED,), quality)
    yield _beats(evaluation, "beats_baselines", BASELINES, STRANGE, quality)


def intervals(evaluation: Evaluation, quality: Quality) -> Verdict:
    """Whether there are rows enough that the intervals say something (warning)."""
    own = {stage: _own(evaluation, stage) for stage in (1, 2)}
    widths = [
        f"Stage {stage}: {score.low:.2f} to {score.high:.2f} ({plural(score.rows, 'row')})"
        for stage, score in own.items()
        if score
    ]
    said = f"With {evaluation.confidence:.0%} confidence {listed(widths) or 'nothing is known'}."
    return at_least(
        "intervals",
        min(score.rows if score else 0 for score in own.values()),
        quality.evaluation_min_rows,
        good=said,
        bad=f"{said} Too few rows decide nothing: raise evaluation.max_rows or forge.max_pairs.",
    )


def _stage(
    evaluation: Evaluation, stage: int, threshold: float, quality: Quality, what: str
) -> Verdict:
    score = _own(evaluation, stage)
    few = _few(evaluation, (stage,), quality)
    value = score.value if score else 0.0
    said = f"{score.passed} of {score.rows}: {score.low:.2f} to {score.high:.2f}" if score else "0"
    return Verdict(
        name=f"stage{stage}",
        passed=not few and value >= threshold,
        value=value,
        threshold=threshold,
        sentence=few or f"A share of {value:.2f} of the Stage {stage} test rows {what} ({said}).",
    )


def _retention(evaluation: Evaluation, quality: Quality) -> Verdict:
    kept, threshold = evaluation.retention, quality.gate_min_retention
    few = _few(evaluation, (1,), quality)
    if kept is None or not kept.before:
        few = few or "The Stage 1 model has no row right, so nothing could be kept."
    value = kept.value if kept else 0.0
    said = ""
    if kept:
        said = (
            f"After Stage 2 {kept.after} of {plural(kept.rows, 'row')} are right, before it "
            f"{kept.before}: {value:.2f} ({kept.low:.2f} to {kept.high:.2f}); "
            f"{kept.forgotten} forgotten."
        )
    return Verdict(
        name="retention",
        passed=not few and value >= threshold,
        value=value,
        threshold=threshold,
        sentence=few or said,
    )


def _beats(
    evaluation: Evaluation,
    name: str,
    others: Sequence[str],
    groups: Sequence[str],
    quality: Quality,
) -> Verdict:
    """Whether each stage's own model is better than each of `others` in each of `groups`.

    A group without rows is passed over; a stage without a row in any group fails.
    """
    few = _few(evaluation, (1, 2), quality)
    margins: dict[str, float] = {}
    for stage in (1, 2):
        found = False
        for group in groups:
            mine = _own(evaluation, stage, group)
            for other in others:
                its = evaluation.score(other, stage, MAIN[stage], group)
                if mine and its and mine.rows:
                    found = True
                    said = f"Stage {stage}, {group}: {mine.passed} right, {other} {its.passed}"
                    margins[f"{said} of {mine.rows}"] = mine.value - its.value
        if not found:
            few = few or f"Stage {stage} has no test row in {' or '.join(groups)}."
    worst = min(margins, key=lambda said: (margins[said], said), default="")
    value = margins.get(worst, 0.0)
    return Verdict(
        name=name,
        passed=not few and value > 0,
        value=value,
        threshold=0.0,
        sentence=few or f"The smallest lead, which has to be more than 0, is {value:.2f}: {worst}.",
    )


def _few(evaluation: Evaluation, stages: Sequence[int], quality: Quality) -> str:
    """Why the rows say nothing; empty when they are enough."""
    for stage in stages:
        score = _own(evaluation, stage)
        rows = score.rows if score else 0
        if rows < quality.evaluation_min_rows:
            return (
                f"{plural(rows, 'row')} of Stage {stage} decide nothing, it takes "
                f"{quality.evaluation_min_rows}: raise evaluation.max_rows, or make more pairs."
            )
    return ""


def _own(evaluation: Evaluation, stage: int, group: str = "all") -> Score | None:
    return evaluation.score(OWN[stage], stage, MAIN[stage], group)
