"""What counts as an answer of Stage 1, and what as right."""

import pytest

from secai_lib.evaluation.labels import labels_of, mark_labels

TRUTH = '{"category":"dependency","cwe":"CWE-400","severity":"medium","type":"denial_of_service"}'


def test_the_true_answer_is_right_in_every_field() -> None:
    assert mark_labels(TRUTH, TRUTH + "\nImpact: none.") == {
        **{"valid": True, "category": True, "cwe": True, "severity": True, "type": True},
        "all_fields": True,
    }


def test_only_what_the_row_asks_for_is_marked() -> None:
    marks = mark_labels('{"category":"web"}', '{"category":"web","severity":"low"}')
    assert marks == {"valid": True, "category": True, "all_fields": True}


def test_one_wrong_or_missing_field_spoils_all_fields_alone() -> None:
    for answer in (TRUTH.replace("medium", "high"), TRUTH.replace('"severity":"medium",', "")):
        marks = mark_labels(TRUTH, answer)
        assert [name for name, holds in marks.items() if not holds] == ["severity", "all_fields"]


@pytest.mark.parametrize(
    "answer",
    [
        *("", "medium", "{", "[]", '["category"]', '{"category":1}', "{}", "[[1,2]]"),
        '{"severity":"medium","severity":"high"}',
        "Impact: x\n" + TRUTH,
        "[" * 100_000,
    ],
)
def test_what_is_no_set_of_labels_is_wrong_everywhere(answer: str) -> None:
    assert labels_of(answer) is None
    assert not any(mark_labels(TRUTH, answer).values())


@pytest.mark.parametrize(
    "lie",
    [("dependency", "dependencies"), ("CWE-400", "CWE-"), ("medium", "unknown"),
     ('"type":', '"class":'), ("denial_of_service", "dos")],
)  # fmt: skip
def test_labels_outside_of_the_closed_lists_make_an_answer_invalid(lie: tuple[str, str]) -> None:
    marks = mark_labels(TRUTH, TRUTH.replace(*lie))
    assert not marks["valid"]
    assert not marks["all_fields"]


def test_a_row_without_labels_cannot_be_marked() -> None:
    with pytest.raises(ValueError, match="no labels"):
        mark_labels("Impact: none", TRUTH)


def test_an_answer_with_a_label_of_no_list_beside_the_right_ones_is_not_right() -> None:
    marks = mark_labels('{"category":"web"}', '{"category":"web","type":"made_up"}')
    assert marks == {"valid": False, "category": True, "all_fields": False}
