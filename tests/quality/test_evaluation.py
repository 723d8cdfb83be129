"""When the gates open, and everything that keeps them shut."""

import pytest

from secai_lib.core.evaluation import Evaluation, Retention, Score
from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.evaluation import BASELINES, complete, intervals, score_gates

GROUPS = ("all", "asked:everybody", "facet:unknown_rule", "files:held_out")


def make_evaluation(
    *,
    rows: int = 20,
    right: int = 18,
    base: int = 2,
    baseline: int = 5,
    groups: tuple[str, ...] = GROUPS,
    after: int = 17,
) -> Evaluation:
    shares = {"base": base, "stage1": right, "stage2": right} | dict.fromkeys(BASELINES, baseline)
    scores = [
        Score(contender=name, stage=stage, metric=metric, group=group, passed=passed, rows=rows,
              low=0.0, high=1.0)
        for stage, metric in ((1, "all_fields"), (2, "proven"))
        for group in groups
        for name, passed in shares.items()
    ]  # fmt: skip
    return Evaluation(
        scores=tuple(scores),
        test_sets={"stage1": "a", "stage2": "b"},
        asked={"stage1": ("r",) * rows, "stage2": ("r",) * rows},
        asked_untrained={"stage1": ("r",) * rows, "stage2": ("r",) * rows},
        models={"base": "m", "stage1": "m+1", "stage2": "m+2"},
        confidence=0.95,
        retention=Retention(
            value=after / right if right else 0.0, low=0.5, high=1.1, before=right, after=after,
            both=min(after, right), rows=rows,
        ),
    )  # fmt: skip


def failed(evaluation: Evaluation, quality: Quality | None = None) -> list[str]:
    return [v.name for v in score_gates(evaluation, quality or Quality()) if not v.passed]


def named(evaluation: Evaluation, name: str) -> Verdict:
    return next(v for v in score_gates(evaluation, Quality()) if v.name == name)


def test_good_models_pass_every_gate() -> None:
    assert failed(make_evaluation()) == []
    assert intervals(make_evaluation(), Quality()).passed


@pytest.mark.parametrize(
    ("change", "shut"),
    [
        ({"right": 14, "after": 14}, ["stage1"]),  # 0.70: enough for Stage 2, not for Stage 1
        ({"right": 13, "after": 13}, ["stage1", "stage2"]),
        ({"after": 10}, ["retention"]),
        ({"base": 18}, ["beats_base"]),
        ({"baseline": 18}, ["beats_baselines"]),
        ({"groups": ("all", "asked:everybody")}, ["beats_baselines"]),
        ({"groups": ("all", *GROUPS[2:])}, ["beats_base"]),
    ],
)
def test_each_gate_shuts_for_its_own_reason(change: dict[str, int], shut: list[str]) -> None:
    assert failed(make_evaluation(**change)) == shut  # type: ignore[arg-type]


def test_too_few_rows_shut_every_gate_however_good_they_are() -> None:
    few = make_evaluation(rows=7, right=7, base=0, baseline=0, after=7)
    assert failed(few) == ["stage1", "stage2", "retention", "beats_base", "beats_baselines"]
    assert not intervals(few, Quality()).passed
    assert "decide nothing" in named(few, "stage1").sentence


def test_nothing_measured_shuts_every_gate() -> None:
    empty = make_evaluation().model_copy(update={"scores": (), "retention": None})
    assert len(failed(empty)) == 5
    nothing_right = make_evaluation(right=0, after=0)
    assert "retention" in failed(nothing_right)


def test_a_gate_names_the_smallest_lead() -> None:
    verdict = named(make_evaluation(baseline=17), "beats_baselines")
    assert verdict.passed
    assert verdict.value == pytest.approx(0.05)
    assert "baseline" not in verdict.sentence
    assert "18 right" in verdict.sentence


def test_an_examination_with_a_gap_is_not_complete() -> None:
    made = make_evaluation()
    assert complete(made, [], [], []).passed
    gaps: tuple[tuple[list[str], list[str], list[str]], ...] = (
        (["base on row r"], [], []),
        ([], ["r"], []),
        ([], [], ["stage1"]),
    )
    for gap in gaps:
        assert not complete(made, *gap).passed
    nobody = made.model_copy(update={"asked": {"stage1": (), "stage2": ()}})
    assert not complete(nobody, [], [], []).passed
