"""The headline numbers of a report."""

from collections import Counter
from collections.abc import Iterable, Sequence

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding, Severity, Skipped
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.problem import Problem
from secai_lib.core.scan import ScanRun
from secai_lib.core.triage import Triage
from secai_lib.report.model import Counts, SkippedCount


def count_all(
    scans: Sequence[ScanRun],
    raw_results: int,
    findings: Sequence[Finding],
    skipped: Sequence[Skipped],
    contexts: Sequence[CodeContext],
    problems: Sequence[Problem],
    fixes: Sequence[Fix],
    abstentions: Sequence[Abstention],
    triage: Iterable[Triage] = (),
) -> Counts:
    """The headline numbers of records that belong to one repository already."""
    severities = Counter(problem.severity for problem in problems)
    evidence = sum(len(finding.evidence) for finding in findings)
    return Counts(
        scans=len({scan.key for scan in scans}),
        files=sum(len(scan.files) for scan in scans),
        raw_results=raw_results,
        explained=evidence + sum(entry.results for entry in skipped),
        findings=len(findings),
        problems=len(problems),
        by_severity={severity.value: severities[severity] for severity in Severity},
        by_decision=_tally(told.decision.value for told in triage),
        by_category=_tally(problem.category.value for problem in problems),
        by_tool=_tally(tool for problem in problems for tool in problem.tools),
        contexts=_tally(context.status.value for context in contexts),
        fixes_by_kind=_tally(fix.proposal.kind for fix in fixes),
        fixes_by_method=_tally(fix.certificate.method.value for fix in fixes),
        problems_fixed=len({fix.problem for fix in fixes}),
        in_patch=sum(fix.in_patch for fix in fixes),
        abstentions=_tally(abstention.reason_code for abstention in abstentions),
        skipped=_skipped(skipped),
    )


def _tally(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items(), key=lambda item: (-item[1], item[0])))


def _skipped(entries: Sequence[Skipped]) -> tuple[SkippedCount, ...]:
    groups: dict[str, list[Skipped]] = {}
    for entry in entries:
        groups.setdefault(entry.reason, []).append(entry)
    counted = [
        SkippedCount(
            reason=reason,
            entries=len(group),
            results=sum(entry.results for entry in group),
            malformed=any(entry.malformed for entry in group),
        )
        for reason, group in groups.items()
    ]
    return tuple(sorted(counted, key=lambda c: (-c.results, -c.entries, c.reason)))
