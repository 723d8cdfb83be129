"""What is known of one problem: the material of its Stage 1 row."""

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import Record
from secai_lib.datasets.repair import Repair


class Material(Record):
    """All evidence about one problem."""

    problem: Problem
    """The problem."""
    finding: Finding
    """The finding of it that says most."""
    context: CodeContext | None
    """The code of that finding."""
    fix: Fix | None
    """The preferred proven fix; None when there is none."""
    abstention: Abstention | None
    """Why there is none."""
    licence: str
    """SPDX identifier of the repository's licence, or `unknown`."""
    forged: bool = False
    """True when the forge put the weakness there; a scanner reported it all the same."""


def most_telling(findings: list[Finding]) -> Finding:
    """Of the findings of one problem the one with a CWE, code and the longest explanation."""

    def says(finding: Finding) -> tuple[bool, bool, int, str]:
        result = finding.result
        in_source = isinstance(result.location, SourceLocation)
        return bool(result.cwes), in_source, len(result.help), finding.fingerprint

    return max(findings, key=says)


def forged_material(repair: Repair, context: CodeContext) -> Material:
    """A forged weakness as the problem of its weak file, which `context` shows."""
    finding, result = repair.finding, repair.finding.result
    problem = Problem(
        id=repair.fix.problem,
        repository=repair.origin,
        branch="",
        commit="",
        run=finding.run,
        title=result.title,
        category=finding.category,
        severity=result.severity,
        severity_score=result.severity_score,
        cwes=result.cwes,
        advisories=result.advisories,
        tools=(result.tool,),
        rules=(f"{result.tool}:{result.rule_id}",),
        fingerprints=(finding.fingerprint,),
        location=result.location,
        package=result.package,
        state=ProblemState.OPEN,
        first_seen=repair.created_at,
        last_seen=repair.created_at,
    )
    return Material(
        problem=problem,
        finding=finding,
        context=context,
        fix=repair.fix,
        abstention=None,
        licence=repair.licence,
        forged=True,
    )
