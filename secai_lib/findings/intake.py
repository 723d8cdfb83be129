"""Every file of a scan run is read or skipped with a reason, and every scanner has a status."""

from collections.abc import Callable, Iterable, Sequence

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.core.finding import ParsedReport, Skipped
from secai_lib.core.scan import ToolRun, ToolStatus


def intake(
    files: Iterable[tuple[str, bytes]], parse: Callable[[str, bytes], ParsedReport]
) -> tuple[list[ParsedReport], list[Skipped]]:
    """The parsed reports, and an entry for each file that is none, in the order of `files`."""
    reports: list[ParsedReport] = []
    skipped: list[Skipped] = []
    for name, data in files:
        try:
            reports.append(parse(name, data))
        except MalformedScan as error:
            place = error.place
            skipped.append(Skipped(file=name, pointer=place, reason=error.reason, malformed=True))
        except UnknownFormat as error:
            skipped.append(Skipped(file=name, reason=error.reason))
    return reports, skipped


def coverage(
    known: Sequence[ToolRun], reports: Sequence[ParsedReport], expected: Iterable[str]
) -> tuple[ToolRun, ...]:
    """Every scanner with its status, sorted by slug.

    A scanner with a report ran, even when it found nothing; one that was expected and left no
    report is absent, which is not the same as clean. What the scan itself recorded wins.
    """
    tools = {
        tool: ToolRun(tool=tool, status=ToolStatus.ABSENT, detail="no report in this run")
        for tool in expected
    }
    for report in reports:
        for tool in report.tools:
            version = next((r.tool_version for r in report.results if r.tool == tool), "")
            tools[tool] = ToolRun(tool=tool, status=ToolStatus.RAN, version=version)
    tools |= {run.tool: run for run in known}
    return tuple(tools[slug] for slug in sorted(tools))
