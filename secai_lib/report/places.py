"""Where a problem is, in words and as a place in the repository."""

from typing import NamedTuple

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    LockfileLocation,
    NoLocation,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.problem import Problem
from secai_lib.core.text import one_line
from secai_lib.report.model import RepositoryReport


class RepositoryPlace(NamedTuple):
    """Lines of a file of the repository."""

    path: str
    """The file, relative, with `/`."""
    start_line: int
    """First line, from 1."""
    end_line: int
    """Last line, inclusive."""


def words(location: Location) -> str:
    """The place as one short line for people, hidden characters visible."""
    match location:
        case SourceLocation() | LockfileLocation():
            line = f":{location.start_line}" if location.start_line else ""
            text = f"{location.path}{line}"
        case ImageLocation():
            part = location.target if location.target != location.image else ""
            named = part if part.startswith(location.image) else ""
            text = f"image {named or location.image}"
            text += f" ({part})" if part and not named else ""
        case ArchiveLocation():
            member = f" → {location.member}" if location.member else ""
            inside = f" in image {location.image}" if location.image else ""
            text = f"{location.archive}{member}{inside}"
        case UrlLocation():
            text = f"{location.method} {location.url}"
        case NoLocation():
            text = f"no place ({location.reason})"
    return one_line(text, 160)


def context_of(report: RepositoryReport, problem: Problem) -> CodeContext | None:
    """The context that says most about `problem`: the one with a file, else any."""
    own = [report.contexts[f] for f in problem.fingerprints if f in report.contexts]
    placed = [context for context in own if context.path or _route_path(context)]
    return next(iter(placed or own), None)


def repository_place(report: RepositoryReport, problem: Problem) -> RepositoryPlace | None:
    """The lines of the repository to look at, or None when the problem is outside of it.

    The scanner's own place comes first; for an image, an archive or a URL it is the place that
    the code contexts found (the base image's line, the dependency, the handler).
    """
    place = problem.location
    if isinstance(place, SourceLocation | LockfileLocation):
        start = place.start_line or 1
        end = place.end_line if isinstance(place, SourceLocation) else None
        return RepositoryPlace(place.path, start, max(end or start, start))
    context = context_of(report, problem)
    if context is None:
        return None
    if context.path:
        start = max(context.start_line, 1)
        return RepositoryPlace(context.path, start, max(context.end_line, start))
    if context.route is not None and context.route.path:
        line = max(context.route.line, 1)
        return RepositoryPlace(context.route.path, line, line)
    return None


def _route_path(context: CodeContext) -> str:
    return context.route.path if context.route is not None else ""
