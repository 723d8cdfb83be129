"""What triage decided is shown apart with its reason, and nothing is left out."""

import json

import pytest

from secai_lib.core.finding import Severity
from secai_lib.core.problem import Problem
from secai_lib.core.triage import Decision, Triage
from secai_lib.report.build import build_report
from secai_lib.report.decisions import apart, failing
from secai_lib.report.model import RepositoryReport
from secai_lib.report.render import render
from secai_lib.report.sarif_check import sarif_problems
from secai_lib.report.summary import summary_rows
from tests.report.scenario import shop


def told(problem: Problem, decision: Decision, reason: str = "why", **more: object) -> Triage:
    return Triage(
        problem=problem.id, repository=problem.repository, branch=problem.branch,
        decision=decision, rule="test_code", reason=reason, evidence=("a says b",), **more,
    )  # fmt: skip


def report(decisions: dict[int, Decision], reason: str = "why") -> RepositoryReport:
    """The shop, its problems (in the order without triage) decided by number."""
    order = shop().report().problems
    triage = {
        p.id: told(p, decisions.get(number, Decision.ACTIONABLE), reason)
        for number, p in enumerate(order)
    }
    return build_report(**shop().arguments(), triage=triage)


def test_what_is_not_actionable_comes_last_and_is_no_first_step() -> None:
    before = shop().report()
    first = before.first[0].problem
    assert before.problems[0].id == first
    after = report({0: Decision.ACCEPTED})
    assert {p.id for p in after.problems} == {p.id for p in before.problems}
    assert after.problems[-1].id == first
    assert first not in {step.problem for step in after.first}
    assert after.counts.by_severity == before.counts.by_severity
    assert after.counts.by_decision == {"actionable": 85, "accepted": 1}


def test_evidence_of_exploitation_comes_before_a_fix_and_is_said() -> None:
    worst = [p for p in shop().report().problems if p.severity is Severity.HIGH]
    last = worst[-1]
    made = build_report(
        **shop().arguments(),
        triage={last.id: told(last, Decision.ACTIONABLE, exploited=True)},
    )
    assert next(p for p in made.problems if p.severity is Severity.HIGH).id == last.id
    # the step says so that stands for it: a worse one of the same package or image, here
    said = [s for s in made.first if "evidence that it is exploited" in s.reason]
    assert len(said) == 1
    other = build_report(**shop().arguments())
    assert not any("exploited" in s.reason for s in other.first)


def test_groups_hold_every_problem_that_is_shown_apart() -> None:
    made = report({0: Decision.FALSE_POSITIVE, 1: Decision.FALSE_POSITIVE, 2: Decision.DUPLICATE})
    assert [(g.title, len(g.problems)) for g in apart(made)] == [
        ("False positive", 2), ("Duplicate", 1),
    ]  # fmt: skip
    assert apart(shop().report()) == ()


@pytest.mark.parametrize(
    ("decision", "fails"),
    [
        (Decision.ACTIONABLE, True),
        (Decision.NOT_FIXABLE_HERE, True),
        (Decision.FALSE_POSITIVE, False),
        (Decision.ACCEPTED, False),
        (Decision.DUPLICATE, False),
    ],
)
def test_the_gate_waits_for_what_is_asked(decision: Decision, fails: bool) -> None:
    made = report(dict.fromkeys(range(86), decision))
    bad = sum(p.severity.rank <= Severity.HIGH.rank for p in made.problems)
    loud, quiet = failing(made, Severity.HIGH)
    assert (len(loud), quiet) == ((bad, 0) if fails else (0, bad))
    assert len(failing(made, Severity.HIGH, strict=True)[0]) == bad > 0
    assert len(failing(shop().report(), Severity.HIGH)[0]) == bad


def test_every_view_shows_the_reason_and_is_safe() -> None:
    hostile = "<script>x</script> | `a` [l](javascript:1)\n# h"
    made = report({0: Decision.ACCEPTED}, hostile)
    files = render(made, shop().files)
    page, comment = files["report.html"].decode(), files["comment.md"].decode()
    assert "Not asked of you, and why" in page
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page
    assert "### Not asked of you" in comment
    assert "<script>" not in comment
    assert "\n# h" not in comment
    assert "](javascript" not in comment
    problems = json.loads(files["problems.json"])["problems"]
    assert [p["triage"]["decision"] for p in problems].count("accepted") == 1
    log = json.loads(files["fixes.sarif"])
    assert sarif_problems(log) == []
    quiet = [r for r in log["runs"][0]["results"] if "suppressions" in r]
    assert [r["suppressions"][0]["kind"] for r in quiet] == ["external"]
    (row,) = [r for r in summary_rows(made).rows if r.label == "Actionable"]
    assert (row.value, row.detail) == (85, "1 accepted")


def test_without_triage_nothing_is_said_of_it() -> None:
    files = render(shop().report(), shop().files)
    assert b"Not asked of you" not in files["report.html"] + files["comment.md"]
