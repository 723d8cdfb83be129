"""What the HTML page shows, as plain values: the template only lays them out."""

from collections.abc import Iterable
from typing import NamedTuple

from secai_lib.core.context import CodeContext
from secai_lib.core.problem import Problem
from secai_lib.core.text import one_line, visible
from secai_lib.report.advice import Advice, advice_for
from secai_lib.report.model import RepositoryReport
from secai_lib.report.places import context_of, repository_place, words
from secai_lib.report.sarif_rules import is_link, main_result
from secai_lib.report.text import CATEGORY_WORDS, STATUS_WORDS

_CODE_CHARS = 4000
"""Characters of one code context on the page."""


class ProblemView(NamedTuple):
    """One row of the problem table."""

    problem: Problem
    title: str
    category: str
    where: str
    context: str
    rules: tuple[str, ...]
    tools: tuple[str, ...]
    message: str
    links: tuple[str, ...]
    fix: str
    why_none: str


class StepView(NamedTuple):
    """One problem to begin with."""

    row: ProblemView
    reason: str
    code: str
    status: str


class ToolView(NamedTuple):
    """One scanner."""

    name: str
    version: str
    status: str
    word: str
    problems: str
    detail: str


def rows(report: RepositoryReport) -> dict[str, ProblemView]:
    """Problem id -> row of the table, in the report's order."""
    fixes = {fix.problem: fix.id for fix in reversed(report.fixes)}
    codes = {a.problem: a.reason_code for a in reversed(report.abstentions)}
    return {
        problem.id: _row(report, problem, fixes.get(problem.id, ""), codes.get(problem.id))
        for problem in report.problems
    }


def steps(report: RepositoryReport, table: dict[str, ProblemView]) -> tuple[StepView, ...]:
    """The problems to begin with, with their code where it was found."""
    views: list[StepView] = []
    for step in report.first:
        context = context_of(report, table[step.problem].problem)
        status = _status(context)
        views.append(StepView(table[step.problem], step.reason, _code(context), status))
    return tuple(views)


def tools(report: RepositoryReport) -> tuple[ToolView, ...]:
    """Every scanner with what became of it; `unknown` problems where it was not run."""
    return tuple(
        ToolView(
            name=one_line(tool.tool, 60),
            version=one_line(tool.version, 60),
            status=tool.status.value,
            word=STATUS_WORDS[tool.status],
            problems=str(report.counts.by_tool.get(tool.tool, 0))
            if tool.status == "ran"
            else "unknown",
            detail=one_line(tool.detail, 300),
        )
        for tool in report.tools
    )


def _row(
    report: RepositoryReport, problem: Problem, fix: str, reason_code: str | None
) -> ProblemView:
    main = main_result(report, problem)
    advice: Advice | None = advice_for(reason_code) if reason_code else None
    return ProblemView(
        problem=problem,
        title=one_line(problem.title) or "(no title)",
        category=CATEGORY_WORDS[problem.category],
        where=words(problem.location),
        context=_change_at(report, problem),
        rules=_lines(problem.rules),
        tools=_lines(problem.tools),
        message=one_line(main.message, 600) if main is not None else "",
        links=tuple(link for link in (main.references if main else ()) if is_link(link))[:3],
        fix=fix,
        why_none=advice.title if advice else "",
    )


def _change_at(report: RepositoryReport, problem: Problem) -> str:
    """Where in the repository to change it, when that is not where it was seen."""
    place = repository_place(report, problem)
    if place is None or problem.location.kind in ("source", "lockfile"):
        return ""
    return one_line(f"{place.path}:{place.start_line}", 160)


def _lines(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(one_line(text, 120) for text in texts)


def _status(context: CodeContext | None) -> str:
    if context is None:
        return ""
    scopes = [s for s in (context.enclosing, context.function) if s is not None and s.name]
    inside = " in " + " → ".join(f"{s.kind} {s.name}" for s in scopes) if scopes else ""
    lines = f", lines {context.start_line}-{context.end_line}" if context.start_line else ""
    place = f"{context.path}{lines}{inside}" if context.path else ""
    found = {
        "exact": "",
        "relocated": "Found elsewhere in the file than the scanner said. ",
        "not_found": "The scanner's lines were not found. ",
        "no_source": "The source is not available here. ",
        "not_code": "Not about a file of the repository. ",
    }[context.status.value]
    reason = "" if not context.reason else f" {context.reason}"
    return one_line(f"{found}{place}{reason}", 400)


def _code(context: CodeContext | None) -> str:
    if context is None or not context.snippet:
        return ""
    parts = (context.before, context.snippet, context.after)
    text = "\n".join(part.replace("\r\n", "\n").strip("\n") for part in parts if part)
    return visible(text[:_CODE_CHARS], keep="\n\t")
