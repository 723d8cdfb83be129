"""The open problems that are shown apart, by what decided and why."""

from collections.abc import Sequence
from typing import NamedTuple

from secai_lib.core.finding import Severity
from secai_lib.core.problem import Problem
from secai_lib.core.triage import SILENT, Decision, Triage
from secai_lib.report.model import RepositoryReport

DECISION_WORDS = {
    Decision.ACTIONABLE: "Actionable",
    Decision.FALSE_POSITIVE: "False positive",
    Decision.ACCEPTED: "Accepted",
    Decision.NOT_FIXABLE_HERE: "Not fixable here",
    Decision.DUPLICATE: "Duplicate",
}


class DecisionGroup(NamedTuple):
    """Problems about which the same was decided for the same reason."""

    title: str
    """The decision in words."""
    rule: str
    """The rule that decided."""
    reason: str
    """Its sentence."""
    problems: tuple[tuple[Problem, Triage], ...]
    """The problems in the report's order, each with what its decision rests on."""


def apart(report: RepositoryReport) -> tuple[DecisionGroup, ...]:
    """The problems that are not actionable, by decision, then the largest group first."""
    groups: dict[tuple[Decision, str, str], list[tuple[Problem, Triage]]] = {}
    for problem in report.problems:
        told = report.triage.get(problem.id)
        if told is not None and told.decision is not Decision.ACTIONABLE:
            key = (told.decision, told.rule, told.reason)
            groups.setdefault(key, []).append((problem, told))
    order = sorted(
        groups, key=lambda key: (list(Decision).index(key[0]), -len(groups[key]), key[2])
    )
    return tuple(
        DecisionGroup(DECISION_WORDS[key[0]], key[1], key[2], tuple(groups[key])) for key in order
    )


def failing(
    report: RepositoryReport, worst: Severity, *, strict: bool = False
) -> tuple[Sequence[Problem], int]:
    """The open problems that are as bad as `worst` or worse, and how many stay out of that.

    False positives, accepted problems and duplicates stay out unless `strict`.
    """
    bad = [p for p in report.problems if p.severity.rank <= worst.rank]
    loud = [
        p for p in bad if strict or p.id not in report.triage
        or report.triage[p.id].decision not in SILENT
    ]  # fmt: skip
    return loud, len(bad) - len(loud)
