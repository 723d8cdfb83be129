"""Asks a model about problems, worst first, each distinct one once, and keeps what it says."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from secai_lib.analysis.check import Refusal, read_answer
from secai_lib.analysis.facts import facts_of
from secai_lib.analysis.passages import Passages
from secai_lib.analysis.prompts import VERSION, chat_for
from secai_lib.analysis.schema import decoding_for
from secai_lib.core.analysis import Analysis, AnalysisStatus, Facts, Reading
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding
from secai_lib.core.generation import Generation, TextEngine
from secai_lib.core.knowledge import Retriever
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import Record, content_hash
from secai_lib.core.settings import AnalysisSettings

TRIES = 2


class Question(Record):
    """A problem that is to be read."""

    problem: Problem
    """Which."""
    facts: Facts
    """What evidence says about it."""
    key: str
    """The memo's key."""


class Answer(Record):
    """What the model said once; written to the journal as soon as it is there."""

    key: str
    """The question's key."""
    attempt: int
    """1, or 2 after a complaint."""
    generation: Generation
    """What it said."""
    engine: str
    """Identity of the engine."""
    knowledge: str = ""
    """Version of the knowledge base; empty for none."""
    passages: tuple[str, ...] = ()
    """Ids of the documents that stood in the prompt."""
    foreign: tuple[str, ...] = ()
    """Names in them that belong to other problems."""


def questions_about(
    problems: Sequence[Problem],
    findings: Mapping[str, Finding],
    contexts: Mapping[str, CodeContext],
    settings: AnalysisSettings,
    model: str,
) -> tuple[list[Question], int]:
    """The questions about the open ones of `problems`, worst first, and how many are left out.

    `findings` and `contexts` are by fingerprint; `model` is the base model's identity.
    """
    still_open = sorted(
        (p for p in problems if p.state is ProblemState.OPEN),
        key=lambda p: (p.severity.rank, -(p.severity_score or 0), p.id),
    )
    asked = still_open[: settings.max_problems or None]
    how = VERSION, settings.prompt_tokens, decoding_for(settings.answer_tokens), model
    made = []
    for problem in asked:
        facts = facts_of(problem, [findings[f] for f in problem.fingerprints], contexts)
        made.append(Question(problem=problem, facts=facts, key=content_hash(facts, *how)))
    return made, len(still_open) - len(asked)


class _Verdict(NamedTuple):
    answer: Answer
    outcome: Reading | Refusal


def read_problems(
    questions: Sequence[Question],
    engine: TextEngine,
    settings: AnalysisSettings,
    *,
    model: str,
    retriever: Retriever | None = None,
    answers: Sequence[Answer] = (),
    keep: Callable[[Answer], None] = lambda _answer: None,
    adapter: str = "",
) -> list[Analysis]:
    """The analyses of `questions`, in their order; a refused answer gets one more try.

    `answers` are what a killed run had kept: they are not asked for again. `keep` is told every
    other answer as soon as it is there.
    """
    given = {(answer.key, answer.attempt): answer for answer in answers}
    passages = Passages(retriever if settings.retrieval else None, settings.passages)
    passages.look_up([question.facts for question in questions])
    verdicts: dict[str, _Verdict] = {}
    for attempt in range(1, TRIES + 1):
        waiting = [q for q in questions if not isinstance(_outcome(verdicts.get(q.key)), Reading)]
        _ask(waiting, attempt, engine, settings, passages, verdicts, given, keep)
        for question in waiting:
            answer = given[question.key, attempt]
            outcome = read_answer(
                answer.generation, question.facts, answer.foreign, settings.answer_tokens
            )
            verdicts[question.key] = _Verdict(answer, outcome)
    return [_analysis(q, verdicts[q.key], model=model, adapter=adapter) for q in questions]


def _outcome(verdict: _Verdict | None) -> Reading | Refusal | None:
    return verdict.outcome if verdict else None


def _ask(
    waiting: Sequence[Question],
    attempt: int,
    engine: TextEngine,
    settings: AnalysisSettings,
    passages: Passages,
    verdicts: Mapping[str, _Verdict],
    given: dict[tuple[str, int], Answer],
    keep: Callable[[Answer], None],
) -> None:
    """Fill `given` with the answers of this attempt that are not there yet."""
    missing = list({q.key: q for q in waiting if (q.key, attempt) not in given}.values())
    chats = []
    for question in missing:
        before = _outcome(verdicts.get(question.key))
        chats.append(
            chat_for(
                question.facts,
                passages.of(question.facts),
                engine.count_tokens,
                settings.prompt_tokens,
                complaint=before.complaint if isinstance(before, Refusal) else "",
            )
        )

    def on_answer(index: int, generation: Generation) -> None:
        question = missing[index]
        shown = passages.of(question.facts)
        answer = Answer(
            key=question.key,
            attempt=attempt,
            generation=generation,
            engine=engine.identity,
            knowledge=passages.version,
            passages=tuple(document.id for document in shown),
            foreign=tuple(sorted({key for document in shown for key in document.keys})),
        )
        given[question.key, attempt] = answer
        keep(answer)

    engine.generate(chats, decoding_for(settings.answer_tokens), on_answer)


def _analysis(question: Question, verdict: _Verdict, *, model: str, adapter: str) -> Analysis:
    answer, outcome = verdict
    refused = isinstance(outcome, Refusal)
    return Analysis(
        problem=question.problem.id,
        repository=question.problem.repository,
        branch=question.problem.branch,
        key=question.key,
        status=AnalysisStatus.ABSTAINED if refused else AnalysisStatus.READ,
        reason_code=outcome.code if isinstance(outcome, Refusal) else "",
        reason=outcome.reason if isinstance(outcome, Refusal) else "",
        facts=question.facts,
        reading=None if isinstance(outcome, Refusal) else outcome,
        model=model,
        adapter=adapter,
        engine=answer.engine,
        knowledge=answer.knowledge,
        passages=answer.passages,
        prompt_tokens=answer.generation.prompt_tokens,
        answer_tokens=answer.generation.answer_tokens,
        tries=answer.attempt,
    )
