"""What evidence says about a problem, gathered from its findings and their code."""

from collections.abc import Mapping, Sequence

from secai_lib.core.analysis import Facts
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import (
    ArchiveLocation,
    Finding,
    ImageLocation,
    Location,
    NoLocation,
    UrlLocation,
)
from secai_lib.core.problem import Problem


def facts_of(
    problem: Problem, findings: Sequence[Finding], contexts: Mapping[str, CodeContext]
) -> Facts:
    """The facts of `problem`: message, code and help are those of its main finding.

    `findings` are the problem's own, at least one; `contexts` are by fingerprint. The main finding
    is the worst of those that gave the problem its title, one with code before one without.
    """
    found = sorted(findings, key=lambda f: _order(problem, f, contexts.get(f.fingerprint)))
    main = found[0].result
    context = contexts.get(found[0].fingerprint)
    package = problem.package
    fixed = {v for f in found if f.result.package for v in f.result.package.fixed_versions}
    return Facts(
        problem=problem.id,
        title=problem.title,
        message=main.message,
        category=problem.category,
        severity=problem.severity,
        tools=problem.tools,
        rules=problem.rules,
        cwes=problem.cwes,
        advisories=problem.advisories,
        package=package.name if package else "",
        version=package.version if package else "",
        fixed_versions=tuple(sorted(fixed)),
        place=place_of(problem.location),
        language=context.language if context else "",
        function=context.function.name if context and context.function else "",
        code=(context.snippet if context else "") or getattr(main.location, "snippet", ""),
        endpoint=_endpoint(found, contexts),
        help=next((f.result.help for f in found if f.result.help), ""),
    )


def place_of(location: Location) -> str:
    """Where it is, in one line: `path:line`, an image, an archive or `METHOD url`; else empty."""
    match location:
        case UrlLocation():
            return f"{location.method} {location.url}"
        case ImageLocation():
            return location.image
        case ArchiveLocation():
            return "!".join(part for part in (location.archive, location.member) if part)
        case NoLocation():
            return ""
    return f"{location.path}:{location.start_line}" if location.start_line else location.path


def _order(
    problem: Problem, finding: Finding, context: CodeContext | None
) -> tuple[bool, int, int, str]:
    statuses = list(ContextStatus)
    seen = statuses.index(context.status) if context else len(statuses)
    result = finding.result
    return result.title != problem.title, result.severity.rank, seen, finding.fingerprint


def _endpoint(found: Sequence[Finding], contexts: Mapping[str, CodeContext]) -> str:
    """The first handler that stands behind a URL of the problem."""
    routes = [c.route for f in found if (c := contexts.get(f.fingerprint)) and c.route]
    return next((f"{r.method} {r.pattern}" for r in routes if not r.reason), "")
