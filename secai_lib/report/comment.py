"""The one pull-request comment, updated in place."""

from collections import Counter
from typing import NamedTuple

from secai_lib.core.markdown import block, code, inline, table
from secai_lib.core.scan import ToolStatus
from secai_lib.core.text import listed, plural, spaced
from secai_lib.report.advice import abstention_groups
from secai_lib.report.changes import Change, changes
from secai_lib.report.decisions import apart
from secai_lib.report.model import RepositoryReport
from secai_lib.report.patch import patch_size, readable
from secai_lib.report.places import words
from secai_lib.report.text import STATUS_WORDS, severity_word

MARKER = "<!-- secai -->"
"""First line of the comment. Whoever posts it updates their own comment that *begins* with this
(a diff may hold the same words)."""
LIMIT = 65_000
"""Characters; GitHub refuses 65,536 and more."""
_GROUPS = 20
"""Reasons for showing problems apart in the comment."""
_TAIL = 600
"""Characters kept free for the sentence that says what was left out."""


class _Part(NamedTuple):
    noun: str
    text: str


def render_comment(report: RepositoryReport) -> str:
    """The comment as GitHub Markdown, at most `LIMIT` characters, beginning with `MARKER`.

    What does not fit is left out from the end (diffs first) and counted in the last line.
    """
    parts = [_Part("section", text) for text in _sections(report) if text]
    parts += [_Part("diff", _diff(report, change)) for change in changes(report.fixes)]
    parts.insert(0, _Part("section", _headline(report)))
    text, left_out = _fitted(parts)
    if left_out:
        missing = listed(plural(count, noun) for noun, count in sorted(left_out.items()))
        text += (
            f"\n\n**Left out here to stay below GitHub's limit: {missing}.** All of it is in "
            "<code>report.html</code>, all fixes together in <code>fixes.patch</code>."
        )
    return text + "\n"


def _fitted(parts: list[_Part]) -> tuple[str, Counter[str]]:
    text, left_out = MARKER, Counter[str]()
    for part in parts:
        if len(text) + len(part.text) + 2 > LIMIT - _TAIL:
            left_out[part.noun] += 1
        else:
            text = f"{text}\n{part.text}" if text == MARKER else f"{text}\n\n{part.text}"
    return text, left_out


def _headline(report: RepositoryReport) -> str:
    counts = report.counts
    proven, size = plural(len(report.fixes), "proven fix", "proven fixes"), patch_size(report.patch)
    lines = [
        f"## SecAI: {proven} for {counts.problems_fixed} of "
        f"{plural(counts.problems, 'open problem')}",
        f"{inline(report.repository)}"
        + (f", branch {code(report.branch)}" if report.branch else "")
        + (f", commit {code(report.commit[:12])}" if report.commit else ", commit unknown")
        + f": {plural(counts.raw_results, 'raw result')} in {plural(counts.scans, 'scan')} are "
        f"{plural(counts.findings, 'distinct finding')}.",
    ]
    present = [f"{number} {word}" for word, number in counts.by_severity.items() if number]
    if present:
        lines.append(f"Open: {listed(present)}.")
    if not any(tool.status is ToolStatus.RAN for tool in report.tools):
        lines.append("**No scanner ran, so this says nothing about the repository.**")
    if size.files:
        lines.append(
            f"{code('fixes.patch')} holds {counts.in_patch} of the fixes "
            f"({plural(size.files, 'file')}, +{size.added} -{size.removed} lines): "
            f"{code('git apply fixes.patch')}."
        )
    return "\n\n".join(lines)


def _sections(report: RepositoryReport) -> list[str]:
    return [
        _first(report),
        _kinds(report),
        _apart(report),
        _silence(report),
        _coverage(report),
        _verify(report),
    ]


def _first(report: RepositoryReport) -> str:
    if not report.first:
        return ""
    rows = []
    for step in report.first:
        problem = report.problem(step.problem)
        where = code(words(problem.location), 120)
        rows.append(
            (
                severity_word(problem.severity),
                inline(problem.title, 140),
                where,
                inline(step.reason),
            )
        )
    return "### Begin here\n\n" + table(("Severity", "Problem", "Where", "Why first"), rows)


def _kinds(report: RepositoryReport) -> str:
    if not report.fixes:
        return ""
    rows = []
    for kind, number in report.counts.fixes_by_kind.items():
        own = [fix for fix in report.fixes if fix.proposal.kind == kind]
        methods = listed(sorted({fix.certificate.method.value for fix in own}))
        files = {edit.path for fix in own for edit in fix.proposal.edits}
        numbers = (str(number), str(len(changes(own))), str(len(files)))
        rows.append((inline(spaced(kind)), *numbers, methods))
    return "### Proven fixes\n\n" + table(("Kind", "Fixes", "Changes", "Files", "Proof"), rows)


def _apart(report: RepositoryReport) -> str:
    groups = apart(report)
    rows = [
        (
            g.title,
            inline(spaced(g.rule)),
            str(len(g.problems)),
            inline(g.reason, 300),
            inline("; ".join(g.problems[0][1].evidence), 200),
        )
        for g in groups[:_GROUPS]
    ]
    head = ("Decision", "Rule", "Problems", "Why", "Evidence, for the first")
    more = len(groups) - len(rows)
    text = f"\n\n{plural(more, 'more reason')} in {code('report.html')}." if more else ""
    return "### Not asked of you\n\n" + table(head, rows) + text if rows else ""


def _silence(report: RepositoryReport) -> str:
    groups = abstention_groups(report)
    if not groups:
        return ""
    rows = [(inline(g.advice.title), str(g.size), inline(g.advice.todo, 300)) for g in groups]
    return "### No fix offered\n\n" + table(("Why", "Problems", "What to do"), rows)


def _coverage(report: RepositoryReport) -> str:
    rows = []
    for tool in report.tools:
        ran = tool.status is ToolStatus.RAN
        seen = str(report.counts.by_tool.get(tool.tool, 0)) if ran else "unknown"
        detail = inline(tool.detail) if tool.detail else ""
        rows.append(
            (
                inline(tool.tool, 60),
                inline(tool.version, 60),
                STATUS_WORDS[tool.status],
                seen,
                detail,
            )
        )
    body = table(("Scanner", "Version", "Status", "Open problems", "Note"), rows)
    return (
        "### Coverage\n\nA scanner that was not run says nothing; that is not the same as zero.\n\n"
        + (body if rows else "No scanner is known for these runs.")
    )


def _verify(report: RepositoryReport) -> str:
    if not report.fixes:
        return ""
    fix = report.fixes[0]
    return (
        "### Check it yourself\n\nEvery fix has a certificate; this runs its proof again: "
        f"{code('secai verify ' + report.certificate(fix))}"
    )


def _diff(report: RepositoryReport, change: Change) -> str:
    fix = change.first
    problem = report.problem(fix.problem)
    certificate = code("secai verify " + report.certificate(fix))
    if len(change.fixes) > 1:
        others = plural(len(change.fixes) - 1, "further problem")
        certificate = f"Removes {others} too, each with its own certificate. {certificate}"
    return (
        f"<details>\n<summary>{inline(fix.proposal.title)} "
        f"({severity_word(problem.severity)}, {fix.certificate.method.value})</summary>\n\n"
        f"{inline(fix.proposal.explanation, 600)}\n\n{certificate}\n\n"
        f"{block(readable(fix.diff), 'diff')}\n\n</details>"
    )
