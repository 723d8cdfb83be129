"""A narrative tells facts with their source, and the model's words as the model's."""

from secai_lib.analysis.narrative import narrative
from secai_lib.analysis.read import read_problems
from secai_lib.core.analysis import Analysis
from tests.analysis.samples import MODEL, SETTINGS, answer, questions
from tests.fakes.engine import FakeEngine


def analysis(*answers: str) -> Analysis:
    (made,) = read_problems(questions("one"), FakeEngine(list(answers)), SETTINGS, model=MODEL)
    return made


def test_every_fact_has_its_source() -> None:
    page = narrative(analysis(answer()))
    rows = [line for line in page.splitlines() if line.startswith("| ")][2:]

    assert all("(zizmor)" in row or "ci.yml" in row for row in rows)
    for fact in ("excessive-permissions", "CWE-250", "lodash", "4.17.19", "ci.yml"):
        assert fact in page


def test_the_models_words_are_marked_and_its_severity_stands_beside_the_evidence() -> None:
    page = narrative(analysis(answer()))

    assert "Severity (model): high, against medium in the evidence" in page
    assert "- Remedy (model): To fix this, you should limit the permissions now." in page
    same = narrative(analysis(answer(severity="The severity is medium.")))
    assert "medium, the same as medium in the evidence" in same


def test_an_abstention_says_why_and_nothing_instead() -> None:
    page = narrative(analysis("no", "no"))

    assert "No reading: The answer breaks its schema" in page
    assert "(model)" not in page
