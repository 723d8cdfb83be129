"""The numbers for the terminal, as plain data."""

from collections.abc import Mapping

from secai_lib.core.record import Record
from secai_lib.core.scan import ToolStatus
from secai_lib.core.text import listed, one_line, plural, spaced
from secai_lib.core.triage import Decision
from secai_lib.report.advice import abstention_groups
from secai_lib.report.model import RepositoryReport
from secai_lib.report.patch import patch_size

FILES = ("report.html", "fixes.patch", "fixes.sarif", "comment.md", "problems.json")
"""What `render` writes, the most useful first."""


class SummaryRow(Record):
    """One line of the summary."""

    label: str
    """What is counted."""
    value: int
    """The number."""
    detail: str = ""
    """What it is made of, as a sentence fragment; empty when there is nothing to add."""


class Summary(Record):
    """What the terminal prints for one repository; every text is safe for one line."""

    title: str
    """The repository, its branch and commit."""
    rows: tuple[SummaryRow, ...]
    """From scans to proven fixes, in the order of the flow."""
    fixes: tuple[SummaryRow, ...]
    """Proven fixes by kind, most first."""
    abstentions: tuple[SummaryRow, ...]
    """Abstentions by reason, most first; `detail` says what to do."""
    not_run: tuple[str, ...]
    """Scanners that were not run or failed, each with the reason where known."""
    files: tuple[str, ...] = FILES
    """Names of the files in the repository's report folder."""


def summary_rows(report: RepositoryReport) -> Summary:
    """The summary of `report`; the command line adds colours and folders."""
    counts = report.counts
    by_kind = (SummaryRow(label=spaced(k), value=n) for k, n in counts.fixes_by_kind.items())
    silent = (
        SummaryRow(label=group.advice.title, value=group.size, detail=group.advice.todo)
        for group in abstention_groups(report)
    )
    return Summary(
        title=title_of(report),
        rows=_rows(report),
        fixes=tuple(by_kind),
        abstentions=tuple(silent),
        not_run=tuple(
            one_line(f"{tool.tool}: {tool.detail or tool.status.value}")
            for tool in report.tools
            if tool.status is not ToolStatus.RAN
        ),
    )


def title_of(report: RepositoryReport) -> str:
    """Repository, branch and short commit on one line."""
    branch = f" ({report.branch})" if report.branch else ""
    commit = f" at {report.commit[:12]}" if report.commit else ", commit unknown"
    return one_line(f"{report.repository}{branch}{commit}")


def _rows(report: RepositoryReport) -> tuple[SummaryRow, ...]:
    counts, size = report.counts, patch_size(report.patch)
    ran = [one_line(tool.tool, 40) for tool in report.tools if tool.status is ToolStatus.RAN]
    skipped = sum(entry.results for entry in counts.skipped)
    missing = counts.raw_results - counts.explained
    accounting = f"{counts.explained - skipped:,} are evidence of a finding, {skipped:,} skipped"
    if missing:
        accounting += f", {abs(missing):,} {'unexplained' if missing > 0 else 'counted twice'}"
    unfixed = counts.problems - counts.problems_fixed
    patch = f"{counts.in_patch} in one patch"
    if size.files:
        patch += f": {plural(size.files, 'file')}, +{size.added} -{size.removed} lines"
    return (
        SummaryRow(label="Scans", value=counts.scans, detail=listed(ran) or "no scanner ran"),
        SummaryRow(label="Report files", value=counts.files),
        SummaryRow(label="Raw results", value=counts.raw_results, detail=accounting),
        SummaryRow(label="Findings", value=counts.findings, detail="distinct"),
        SummaryRow(
            label="Problems", value=counts.problems, detail=_numbers(counts.by_severity) or "none"
        ),
        *_decisions(counts.by_decision),
        SummaryRow(
            label="Code contexts",
            value=sum(counts.contexts.values()),
            detail=_numbers(counts.contexts),
        ),
        SummaryRow(label="Proven fixes", value=len(report.fixes), detail=patch),
        SummaryRow(
            label="Problems without a fix", value=unfixed, detail="each with a reason below"
        ),
    )


def _decisions(by_decision: Mapping[str, int]) -> tuple[SummaryRow, ...]:
    """How many problems are actionable, and what became of the others; nothing without triage."""
    if not by_decision:
        return ()
    others = {name: n for name, n in by_decision.items() if name != Decision.ACTIONABLE}
    row = SummaryRow(
        label="Actionable",
        value=by_decision.get(Decision.ACTIONABLE, 0),
        detail=_numbers(others) or "every problem",
    )
    return (row,)


def _numbers(counts: Mapping[str, int]) -> str:
    return listed(f"{number} {word.replace('_', ' ')}" for word, number in counts.items() if number)
