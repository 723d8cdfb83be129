"""Marks counted by hand and by the room."""

import pytest

from secai_lib.core.evaluation import Score
from secai_lib.core.training import Facet
from secai_lib.evaluation.exam import Answer, Marked
from secai_lib.evaluation.scores import HELD_OUT, count, files_of, groups_of, retained
from tests.fakes.training_rows import make_metadata, make_training_row


def marked(contender: str, row: str, *, right: bool, stage: int = 1) -> Marked:
    main = "all_fields" if stage == 1 else "proven"
    answer = Answer(contender=contender, stage=stage, row=row, text="")
    return Marked(answer=answer, marks={main: right, "valid": True})


GROUPS = {"a": ("all", "facet:known"), "b": ("all", "facet:real"), "c": ("all", "facet:real")}


def test_every_contender_is_counted_in_every_group() -> None:
    marks = [
        *(marked("base", row, right=False) for row in "abc"),
        *(marked("stage1", row, right=row != "b") for row in "abc"),
        *(marked("truth", row, right=True) for row in "abc"),
    ]
    scores = count(marks, GROUPS, 0.95)
    found = {(s.contender, s.metric, s.group): (s.passed, s.rows) for s in scores}
    assert found["stage1", "all_fields", "all"] == (2, 3)
    assert found["stage1", "all_fields", "facet:real"] == (1, 2)
    assert found["base", "all_fields", "all"] == (0, 3)
    assert found["base", "valid", "facet:known"] == (1, 1)
    assert not [name for name, _, _ in found if name == "truth"]
    keys = [(s.stage, s.metric, s.group, s.contender) for s in scores]
    assert keys == sorted(keys)
    assert all(isinstance(s, Score) and s.low <= s.value <= s.high for s in scores)


def test_a_row_is_held_out_when_no_training_row_speaks_of_its_file() -> None:
    row = make_training_row().model_copy(update={"facet": Facet.REAL})
    other = make_training_row(metadata=make_metadata(file="other.yml"))
    nowhere = make_training_row(metadata=make_metadata(file=""))
    assert HELD_OUT not in groups_of(row, files_of([make_training_row()]))
    assert HELD_OUT in groups_of(other, files_of([make_training_row()]))
    assert HELD_OUT not in groups_of(nowhere, files_of([]))
    assert groups_of(row, files_of([])) == (
        "all", "facet:real", "tool:zizmor", "category:infrastructure", HELD_OUT
    )  # fmt: skip


def test_retention_counts_pairs_of_answers() -> None:
    before, after = [True] * 6 + [False] * 4, [True] * 3 + [False] * 6 + [True]
    marks = [marked("stage1", str(n), right=right) for n, right in enumerate(before)]
    marks += [marked("stage2", str(n), right=right) for n, right in enumerate(after)]
    kept = retained(marks, 0.95)
    assert kept is not None
    assert (kept.before, kept.after, kept.both, kept.rows) == (6, 4, 3, 10)
    assert kept.forgotten == 3
    assert kept.value == pytest.approx(4 / 6)
    assert kept.low < 4 / 6 < kept.high
    assert retained(marks[:10], 0.95) is None


def test_nothing_right_before_is_no_retention() -> None:
    marks = [marked(name, "a", right=name == "stage2") for name in ("stage1", "stage2")]
    kept = retained(marks, 0.95)
    assert kept is not None
    assert (kept.value, kept.low, kept.high) == (0.0, 0.0, 1.0)
