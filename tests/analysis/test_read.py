"""Worst first, each once, remembered; a refused answer gets one more try."""

from collections.abc import Sequence

import pytest

from secai_lib.analysis.check import DEGENERATE, INVALID
from secai_lib.analysis.read import Answer, questions_about, read_problems
from secai_lib.core.analysis import Analysis, AnalysisStatus
from secai_lib.core.finding import Severity
from secai_lib.core.generation import Chat, Decoding, Finish, Generation
from secai_lib.core.knowledge import Document, DocumentKind, Hit, Query
from secai_lib.core.problem import ProblemState
from secai_lib.core.settings import AnalysisSettings
from tests.analysis.samples import MODEL, SETTINGS, answer, case, questions
from tests.fakes.engine import FakeEngine
from tests.fakes.records import make_finding, make_problem, make_result


def read(engine: FakeEngine, *texts: str, **more: object) -> list[Analysis]:
    return read_problems(questions(*texts), engine, SETTINGS, model=MODEL, **more)  # type: ignore[arg-type]


class Shelf:
    """A knowledge base with one fix and one finding for every question."""

    version = "v1"

    def __init__(self) -> None:
        self.queries: list[Query] = []

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Hit]]:
        self.queries += queries
        return [[self._hit(DocumentKind.FINDING), self._hit(DocumentKind.FIX)] for _ in queries]

    def _hit(self, kind: DocumentKind) -> Hit:
        document = Document(
            id=kind.value,
            kind=kind,
            group="another",
            repository="acme/shop",
            title="Unpinned action",
            text=f"{kind.value} of minimist",
            keys=("minimist",),
            metadata={},
        )
        return Hit(document=document, score=1.0, lanes={"bm25": 1})


def test_open_problems_worst_first_up_to_the_cap() -> None:
    found = [make_finding(result=make_result(message=f"m{i}")) for i in range(5)]
    severities = (Severity.LOW, Severity.CRITICAL, Severity.HIGH, Severity.HIGH, Severity.CRITICAL)
    scores = (9.0, 9.1, 7.0, 8.0, 9.9)
    states = [ProblemState.OPEN] * 4 + [ProblemState.FIXED]
    problems = [
        make_problem([finding], severity=severity, severity_score=score, state=state)
        for finding, severity, score, state in zip(found, severities, scores, states, strict=True)
    ]
    by_fingerprint = {finding.fingerprint: finding for finding in found}

    def asked(most: int) -> tuple[list[str], int]:
        settings = AnalysisSettings(max_problems=most)
        made, left = questions_about(problems, by_fingerprint, {}, settings, MODEL)
        return [question.facts.message for question in made], left

    assert asked(3) == (["m1", "m3", "m2"], 1)
    assert asked(0) == (["m1", "m3", "m2", "m0"], 0)


def test_the_key_is_evidence_prompt_decoding_and_model() -> None:
    problem, finding, context = case()

    def key(settings: AnalysisSettings = SETTINGS, model: str = MODEL, code: str = "") -> str:
        shown = context.model_copy(update={"snippet": code}) if code else context
        contexts = {context.fingerprint: shown}
        made, _ = questions_about(
            [problem], {finding.fingerprint: finding}, contexts, settings, model
        )
        return made[0].key

    other_tokens = SETTINGS.model_copy(update={"answer_tokens": 200})
    hints = SETTINGS.model_copy(update={"retrieval": False, "passages": 3, "max_problems": 1})
    assert len({key(), key(model="m2"), key(code="other"), key(other_tokens)}) == 4
    assert key() == key(hints), "the knowledge base is recorded, not keyed"


def test_a_good_answer_is_a_reading_with_the_facts_of_the_evidence() -> None:
    engine = FakeEngine([answer()])
    (analysis,) = read(engine, "one")

    assert analysis.status is AnalysisStatus.READ
    assert (analysis.tries, analysis.reason_code, analysis.model) == (1, "", MODEL)
    assert analysis.facts == questions("one")[0].facts
    assert engine.calls[0][1].json_schema


@pytest.mark.parametrize(("bad", "refusal"), [("no json", INVALID)])
def test_a_refused_answer_is_asked_again_with_what_was_wrong(bad: str, refusal: object) -> None:
    engine = FakeEngine([bad, answer(), answer()])
    analyses = read(engine, "one", "two")

    assert [a.status for a in analyses] == [AnalysisStatus.READ] * 2
    assert [a.tries for a in analyses] == [2, 1]
    (again,) = engine.calls[1][0]
    assert again[-1].content.endswith(INVALID.complaint)
    assert refusal is INVALID


def test_two_refusals_are_an_abstention_with_the_last_reason() -> None:
    loop = answer(cause="This happens because a very very very very bad.")
    (analysis,) = read(FakeEngine(["no json", loop]), "one")

    assert (analysis.status, analysis.reading) == (AnalysisStatus.ABSTAINED, None)
    assert (analysis.reason_code, analysis.reason) == ("degenerate", DEGENERATE.reason)
    assert analysis.tries == 2


def test_a_cut_answer_is_an_abstention() -> None:
    cut = Generation(text=answer()[:40], prompt_tokens=9, answer_tokens=96, finish=Finish.LENGTH)
    (analysis,) = read(FakeEngine([cut, cut]), "one")

    assert (analysis.reason_code, analysis.answer_tokens) == ("cut", 96)


def test_what_a_killed_run_kept_is_not_asked_again() -> None:
    kept: list[Answer] = []
    whole = read(FakeEngine(["no json", answer(), answer()]), "one", "two", keep=kept.append)
    assert [(a.key, a.attempt) for a in kept] == [
        *((q.key, 1) for q in questions("one", "two")),
        (questions("one")[0].key, 2),
    ]
    for finished in range(len(kept) + 1):
        engine = FakeEngine(lambda chat, _: "no json" if _first(chat) else answer())
        assert read(engine, "one", "two", answers=kept[:finished]) == whole
        assert engine.answered == len(kept) - finished


def _first(chat: Chat) -> bool:
    return "| one" in chat[-1].content and INVALID.complaint not in chat[-1].content


def test_each_distinct_problem_is_asked_once() -> None:
    engine = FakeEngine(lambda *_: answer())
    analyses = read(engine, "same", "same")

    assert engine.answered == 1
    assert len({a.key for a in analyses}) == 1


def test_hints_are_proven_fixes_of_other_problems_and_are_recorded() -> None:
    shelf, engine = Shelf(), FakeEngine([answer()])
    (analysis,) = read(engine, "one", retriever=shelf)

    (question,) = questions("one")
    assert shelf.queries[0].exclude == question.problem.id
    assert {"cwe-250", "lodash", "excessive-permissions"} <= set(shelf.queries[0].keys)
    assert (analysis.knowledge, analysis.passages) == ("v1", ("fix",))
    prompt = engine.calls[0][0][0][-1].content
    assert "fix of minimist" in prompt
    assert "finding of minimist" not in prompt


def test_a_name_out_of_a_hint_is_refused() -> None:
    named = answer(remedy="To fix this, you should update the minimist package.")
    (analysis,) = read(FakeEngine([named, named]), "one", retriever=Shelf())

    assert analysis.reason_code == "ungrounded"


def test_hints_can_be_switched_off() -> None:
    settings = SETTINGS.model_copy(update={"retrieval": False})
    shelf = Shelf()
    (analysis,) = read_problems(
        questions("one"), FakeEngine([answer()]), settings, model=MODEL, retriever=shelf
    )
    assert (shelf.queries, analysis.knowledge, analysis.passages) == ([], "", ())


def test_nothing_to_read_asks_nothing() -> None:
    def never(chat: Chat, decoding: Decoding) -> str:
        raise AssertionError("asked")

    assert read(FakeEngine(never)) == []
