"""Where to begin: severity, then a ready fix, then agreement; each advice once."""

from secai_lib.core.finding import Category, Finding, ImageLocation, Severity
from secai_lib.core.problem import Problem
from secai_lib.report.ranking import first_steps, ranked
from tests.fakes.records import (
    make_finding,
    make_fix,
    make_location,
    make_package,
    make_problem,
    make_result,
)
from tests.report.scenario import shop


def finding(tool: str, rule: str, severity: Severity, path: str = "a.yml") -> Finding:
    place = make_location(path=path)
    return make_finding(
        result=make_result(tool=tool, rule_id=rule, severity=severity, locations=(place,))
    )


def test_severity_beats_a_fix_and_a_fix_beats_agreement() -> None:
    critical = make_problem([finding("a", "1", Severity.CRITICAL)])
    fixed = make_problem([finding("a", "2", Severity.HIGH)])
    agreed = make_problem([finding("a", "3", Severity.HIGH), finding("b", "3", Severity.HIGH)])
    alone = make_problem([finding("a", "4", Severity.HIGH)])
    problems = [alone, agreed, fixed, critical]

    assert ranked(problems, frozenset({fixed.id})) == (critical, fixed, agreed, alone)


def test_the_reason_names_what_counts() -> None:
    problem = make_problem(
        [finding("osv-scanner", "CVE-1", Severity.HIGH), finding("trivy", "CVE-1", Severity.HIGH)],
        severity_score=8.1,
    )
    (step,) = first_steps([problem], {problem.id: make_fix(problem)})

    assert step.reason == (
        "High severity (8.1 of 10); a proven fix is ready, already in the patch; "
        "osv-scanner and trivy agree."
    )


def test_a_fix_outside_of_the_patch_is_not_said_to_be_in_it() -> None:
    problem = make_problem()
    (step,) = first_steps([problem], {problem.id: make_fix(problem, in_patch=False)})

    assert "a proven fix is ready." in step.reason


def test_the_same_rule_is_advised_once() -> None:
    problems = [
        make_problem([finding("zizmor", "unpinned-uses", Severity.HIGH, f"{number}.yml")])
        for number in range(30)
    ]
    other = make_problem([finding("zizmor", "template-injection", Severity.MEDIUM)])
    steps = first_steps([*problems, other], {})

    assert [step.problem for step in steps] == [problems[0].id, other.id]
    assert steps[0].alike == 29
    assert "29 more problems of the same kind" in steps[0].reason


def image_problem(number: int) -> Problem:
    place = ImageLocation(image="shop:1")
    result = make_result(
        rule_id=f"CVE-{number}",
        package=make_package(ecosystem="Debian", name=f"lib{number}"),
        locations=(place,),
        severity=Severity.CRITICAL,
    )
    return make_problem([make_finding(result=result, category=Category.CONTAINER)])


def test_an_image_without_fixes_does_not_fill_the_list() -> None:
    problems = [image_problem(number) for number in range(12)]

    (step,) = first_steps(problems, {})

    assert step.alike == 11
    assert "in the same image" in step.reason


def test_at_most_ten_and_in_the_order_of_the_ranking() -> None:
    report = shop().report()
    order = [problem.id for problem in report.problems]

    assert len(report.first) == 10
    assert [order.index(step.problem) for step in report.first] == sorted(
        order.index(step.problem) for step in report.first
    )
