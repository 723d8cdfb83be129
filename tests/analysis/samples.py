"""Facts, answers and questions with sensible defaults."""

import json
from collections.abc import Mapping

from secai_lib.analysis.facts import facts_of
from secai_lib.analysis.read import Question, questions_about
from secai_lib.core.analysis import Facts
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding
from secai_lib.core.generation import Chat
from secai_lib.core.problem import Problem
from secai_lib.core.settings import AnalysisSettings
from tests.fakes.records import make_context, make_finding, make_package, make_problem, make_result

MODEL = "pypi://small==1@1#0123456789abcdef"
SETTINGS = AnalysisSettings(prompt_tokens=2000, answer_tokens=96)
"""Tokens of the fake engine are words, so that the prompt's limit is roomy."""
ANSWER: Mapping[str, str] = {
    "impact": "An attacker could push changed code.",
    "cause": "This happens because the job keeps every right.",
    "attacks": "It can be attacked by sending a hostile change.",
    "business": "The company could lose their trust.",
    "remedy": "To fix this, you should limit the permissions now.",
    "prevention": "To prevent this, you should review the new jobs.",
    "type": "This is excessive privileges.",
    "severity": "The severity is high.",
}
"""The sentences of a good answer, in their order."""


def answer_text(**changed: str) -> str:
    return " ".join({**ANSWER, **changed}.values())


def answer(**changed: str) -> str:
    return json.dumps(answer_text(**changed))


def words(chat: Chat) -> int:
    return sum(len(message.content.split()) for message in chat)


def case(
    text: str = "default permissions used", *, place: str = "message"
) -> tuple[Problem, Finding, CodeContext]:
    """A problem with `text` in one place: message, title, code, path, rule or help."""
    result = make_result(
        rule_id=text if place == "rule" else "excessive-permissions",
        title=text if place == "title" else "Overly broad permissions",
        message=text if place == "message" else "the token may write",
        help=text if place == "help" else "",
        cwes=("CWE-250",),
        package=make_package(),
    )
    finding = make_finding(result=result)
    context = make_context(
        fingerprint=finding.fingerprint,
        path=text if place == "path" else "ci.yml",
        snippet=text if place == "code" else "permissions: write-all",
    )
    return make_problem([finding]), finding, context


def facts(text: str = "default permissions used", *, place: str = "message") -> Facts:
    problem, finding, context = case(text, place=place)
    return facts_of(problem, [finding], {context.fingerprint: context})


def questions(*texts: str, place: str = "message") -> list[Question]:
    cases = [case(text, place=place) for text in texts]
    made, _ = questions_about(
        [problem for problem, _, _ in cases],
        {finding.fingerprint: finding for _, finding, _ in cases},
        {context.fingerprint: context for _, _, context in cases},
        SETTINGS.model_copy(update={"max_problems": 0}),
        MODEL,
    )
    return made
