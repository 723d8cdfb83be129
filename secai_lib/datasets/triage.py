"""What became of a problem, and which reasons for it are worth telling."""

from secai_lib.core.finding import Result
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.problem import Problem, ProblemState

NOT_JUDGED = frozenset({
    "no_finding", "no_package", "no_scanner", "no_source", "older_commit", "refuted",
    "rule_failed", "secret_beside", "unproven",
})  # fmt: skip
"""Reasons that speak of this machine or of our attempt, not of the weakness."""
NO_FIX = frozenset({"no_rule", "no_upstream_fix"})
"""Reasons that say that nobody knows a fix yet."""


def verdict_of(
    problem: Problem, result: Result, fix: Fix | None, abstention: Abstention | None
) -> str:
    """`fixed`, `resolved`, `false_alarm`, `no_fix_known`, `needs_decision` or `not_judged`.

    `fixed` has a proven fix, `resolved` is no longer found, `false_alarm` was marked as one.
    """
    if result.suppressed:
        return "false_alarm"
    if fix is not None:
        return "fixed"
    if problem.state is ProblemState.FIXED:
        return "resolved"
    code = abstention.reason_code if abstention else "no_source"
    if code in NO_FIX:
        return "no_fix_known"
    return "not_judged" if code in NOT_JUDGED else "needs_decision"


def advice_of(abstention: Abstention | None) -> str:
    """The abstention's sentence where it says what to do about the weakness; else empty."""
    if abstention is None or abstention.reason_code in NOT_JUDGED | {"no_rule", "unknown_action"}:
        return ""
    return abstention.reason
