"""The proven fixes as the page shows them: one entry a change, with its certificates."""

from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup

from secai_lib.core.fix import Certificate, Fix
from secai_lib.core.problem import Problem
from secai_lib.core.text import one_line, spaced, visible
from secai_lib.report.changes import Change, changes_by_kind
from secai_lib.report.model import RepositoryReport
from secai_lib.report.patch import DiffLine, diff_lines, readable
from secai_lib.report.places import words
from secai_lib.report.prose import prose
from secai_lib.report.text import STATUS_WORDS

_DIFF_LINES = 400
"""Lines of one diff on the page; the patch holds all of them."""
_CHECKS = {
    "scanner_ran": "The scanner ran",
    "base_triggers": "Before: the unfixed file triggers the finding",
    "finding_gone": "After: the finding is gone",
    "nothing_new": "No scanner finds anything new",
    "not_suppressed": "Removed, not merely suppressed",
    "not_deleted": "The code at fault is still there, only safe now",
    "in_place": "Changed at the finding's own place",
    "declared": "Every build file now names the new version",
    "not_downgrade": "The new version is newer",
    "minimal": "Only what has to change is changed",
    "behaviour": "Everything outside of the edits means the same",
    "second_witness": "A second witness agrees",
    "syntax": "The file is still valid",
}


class CheckView(NamedTuple):
    """One question of a proof."""

    label: str
    passed: bool
    detail: str


class ProofView(NamedTuple):
    """One proven fix: the problem it removes and its certificate."""

    fix: str
    problem: Problem
    title: str
    where: str
    method: str
    scanners: str
    checks: tuple[CheckView, ...]
    verify: str


class ChangeView(NamedTuple):
    """One change with everything it removes."""

    title: str
    severity: str
    files: tuple[str, ...]
    explanation: Markup
    diff: tuple[DiffLine, ...]
    cut: int
    in_patch: bool
    why_not: str
    proofs: tuple[ProofView, ...]


class KindView(NamedTuple):
    """Fixes of one kind."""

    title: str
    changes: tuple[ChangeView, ...]
    fixes: int
    own_rule: int


def kinds(report: RepositoryReport) -> tuple[KindView, ...]:
    """The proven fixes by kind, the most frequent first."""
    problems = {problem.id: problem for problem in report.problems}
    views: list[KindView] = []
    for kind, own in changes_by_kind(report).items():
        views.append(
            KindView(
                title=spaced(kind),
                changes=tuple(_change(report, change, problems) for change in own),
                fixes=sum(len(change.fixes) for change in own),
                own_rule=sum(f.certificate.method == "own-rule" for c in own for f in c.fixes),
            )
        )
    return tuple(views)


def fixes_by_method(report: RepositoryReport) -> str:
    """How the fixes are proven, in words; empty when there is none."""
    names = {
        "rescan": "by re-scan",
        "advisory": "by the advisory's version ranges",
        "own-rule": "by a rule of our own and a second witness",
    }
    counts = report.counts.fixes_by_method
    return ", ".join(f"{number} {names[method]}" for method, number in counts.items())


def _change(
    report: RepositoryReport, change: Change, problems: Mapping[str, Problem]
) -> ChangeView:
    fix = change.first
    lines = diff_lines(readable(fix.diff))
    shown = (DiffLine(line.kind, visible(line.text, keep="\t")) for line in lines[:_DIFF_LINES])
    files = sorted({edit.path for edit in fix.proposal.edits})
    return ChangeView(
        title=one_line(fix.proposal.title) or spaced(fix.proposal.kind),
        severity=problems[fix.problem].severity.value,
        files=tuple(one_line(path) for path in files),
        explanation=prose(fix.proposal.explanation),
        diff=tuple(shown),
        cut=max(0, len(lines) - _DIFF_LINES),
        in_patch=change.in_patch,
        why_not=one_line(report.left_out.get(fix.id, ""), 300) or "apply it alone.",
        proofs=tuple(_proof(report, f, problems[f.problem]) for f in change.fixes),
    )


def _proof(report: RepositoryReport, fix: Fix, problem: Problem) -> ProofView:
    return ProofView(
        fix=fix.id,
        problem=problem,
        title=one_line(problem.title) or "(no title)",
        where=words(problem.location),
        method=fix.certificate.method.value,
        scanners=_scanners(fix.certificate),
        checks=_checks(fix.certificate),
        verify=one_line(f"secai verify {report.certificate(fix)}", 300),
    )


def _scanners(certificate: Certificate) -> str:
    entries = (
        f"{run.tool} {run.version}".strip()
        + ("" if run.status == "ran" else f" ({STATUS_WORDS[run.status]})")
        for run in certificate.scanners
    )
    return one_line(", ".join(entries), 300) or "none"


def _checks(certificate: Certificate) -> tuple[CheckView, ...]:
    return tuple(
        CheckView(_CHECKS.get(c.name, spaced(c.name)), c.passed, one_line(c.detail, 300))
        for c in certificate.checks
    )
