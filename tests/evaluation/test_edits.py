"""What an edit did to a file, told as predicates."""

from hypothesis import given
from hypothesis import strategies as st

from secai_lib.core.fix import ProofCheck, ProofVerdict
from secai_lib.evaluation.edits import Applied, edits_between, mark_edit, touched, why_not
from tests.fakes.records import PATH, apply_edits, make_certificate

BEFORE = "a\nb\nc\nd\ne\n"
TRUE = "a\nB\nc\nd\ne\n"
LINES = st.lists(st.sampled_from(["a", "b", "", "c\r", "x" * 9]), max_size=8).map("\n".join)


@given(LINES, LINES, st.booleans())
def test_the_edits_between_two_texts_lead_from_one_to_the_other(
    one: str, other: str, words: bool
) -> None:
    edits = edits_between("f", one, other, words=words)
    assert apply_edits(one, edits) == other
    assert bool(edits) == (one != other)


def test_words_that_differ_are_edited_alone() -> None:
    before = "a: 1\nset({ secure: false, path: 1 })\n"
    (edit,) = edits_between(PATH, before, before.replace("false", "true"), words=True)
    assert (before[edit.start : edit.end], edit.replacement) == ("false", "true")


def test_only_lines_that_differ_are_edited() -> None:
    (edit,) = edits_between(PATH, BEFORE, TRUE)
    assert (edit.start, edit.end, edit.replacement) == (2, 4, "B\n")
    assert touched(BEFORE, TRUE) == {2}
    assert touched(BEFORE, "a\nb\nNEW\nc\nd\ne\n") == {2, 3}


def test_a_proven_true_edit_has_every_mark() -> None:
    marks = mark_edit(BEFORE, TRUE, (2, 2), Applied(parsed=True, text=TRUE), make_certificate())
    assert all(marks.values())


def test_every_stage_of_failure_has_the_marks_before_it() -> None:
    def marked(applied: Applied, **update: object) -> list[str]:
        proof = make_certificate().model_copy(update=update) if update else None
        return [n for n, holds in mark_edit(BEFORE, TRUE, None, applied, proof).items() if holds]

    refused = {"verdict": ProofVerdict.REFUTED}
    broken = {**refused, "checks": (ProofCheck(name="syntax", passed=False),)}
    assert marked(Applied(parsed=False, text=None, refused="no_block")) == []
    assert marked(Applied(parsed=True, text=None, refused="not_found")) == ["valid"]
    assert marked(Applied(parsed=True, text=BEFORE)) == ["valid", "applies"]
    elsewhere = Applied(parsed=True, text=BEFORE.replace("e", "E"))
    assert marked(elsewhere, **broken) == ["valid", "applies", "changed"]
    assert marked(elsewhere, **refused) == ["valid", "applies", "changed", "syntax"]
    there = Applied(parsed=True, text=BEFORE.replace("b", "other"))
    assert marked(there, **refused)[-1] == "specific"
    unproven = {"verdict": ProofVerdict.UNPROVEN}
    assert "proven" not in marked(there, **unproven)


def test_why_an_edit_is_not_proven_is_a_word_and_no_text_of_the_answer() -> None:
    checks = (ProofCheck(name="nothing_new", passed=False, detail="secret stuff"),)
    assert why_not(Applied(parsed=True, text="x"), make_certificate(checks=checks)) == "nothing_new"
    assert why_not(Applied(parsed=True, text="x"), None) == "no_change"
    assert why_not(Applied(parsed=False, text=None, refused="empty"), None) == "empty"
