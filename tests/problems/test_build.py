from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from secai_lib.core.finding import Finding, LockfileLocation, Severity, SourceLocation
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.scan import FilesScan, ScanRun, ToolRun, ToolStatus
from secai_lib.problems import build_problems
from tests.fakes.records import make_finding, make_package, make_result

START = datetime(2026, 1, 1, tzinfo=UTC)


def run(number: int, *tools: str, absent: Sequence[str] = (), branch: str = "main") -> ScanRun:
    statuses = [ToolRun(tool=tool, status=ToolStatus.RAN) for tool in tools]
    statuses += [ToolRun(tool=tool, status=ToolStatus.ABSENT) for tool in absent]
    request = FilesScan(
        repository="acme/shop",
        commit=f"{number:040x}",
        branch=branch,
        inbox="x",
        created_at=START + timedelta(days=number),
    )
    return ScanRun(key=f"run{number}", request=request, files=(), tools=tuple(statuses))


def finding(fingerprint: str, number: int, **result: object) -> Finding:
    made = make_finding(result=make_result(**result))  # type: ignore[arg-type]
    return made.model_copy(
        update={
            "fingerprint": fingerprint,
            "run": f"run{number}",
            "repository": "acme/shop",
            "commit": f"{number:040x}",
        }
    )


def dependency(
    fingerprint: str, tool: str, advisories: tuple[str, ...], version: str = "2.14.0"
) -> Finding:
    package = make_package(name="com.fasterxml:core", version=version)
    return finding(fingerprint, 1, tool=tool, advisories=advisories, package=package)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1
    return problems[0]


def test_the_same_finding_in_two_runs_is_one_problem_with_its_history() -> None:
    runs = [run(1, "zizmor"), run(5, "zizmor")]
    found = [finding("a", 1, tool="zizmor"), finding("a", 5, tool="zizmor")]
    problem = only(build_problems(runs, found))
    assert problem.first_seen == START + timedelta(days=1)
    assert problem.last_seen == START + timedelta(days=5)
    assert problem.run == "run5"
    assert problem.state is ProblemState.OPEN


def test_a_problem_is_fixed_when_its_tool_ran_and_no_longer_shows_it() -> None:
    runs = [run(1, "zizmor"), run(2, "zizmor")]
    assert only(build_problems(runs, [finding("a", 1, tool="zizmor")])).state is ProblemState.FIXED


@pytest.mark.parametrize("newer", [run(2, absent=["zizmor"]), run(2, "bandit")])
def test_an_absent_tool_is_not_a_clean_one(newer: ScanRun) -> None:
    found = [finding("a", 1, tool="zizmor")]
    assert only(build_problems([run(1, "zizmor"), newer], found)).state is ProblemState.OPEN


def test_a_reopened_problem_is_open_and_keeps_its_first_day() -> None:
    runs = [run(n, "zizmor") for n in (1, 2, 3)]
    found = [finding("a", 1, tool="zizmor"), finding("a", 3, tool="zizmor")]
    problem = only(build_problems(runs, found))
    assert (problem.state, problem.first_seen) == (ProblemState.OPEN, START + timedelta(days=1))


def test_aliases_of_one_advisory_join_across_scanners_and_files() -> None:
    found = [
        dependency("a", "osv-scanner", ("CVE-1", "GHSA-1")),
        dependency("b", "trivy", ("CVE-1",)),
        dependency("c", "grype", ("GHSA-1",)),
    ]
    problem = only(build_problems([run(1, "osv-scanner", "trivy", "grype")], found))
    assert problem.tools == ("grype", "osv-scanner", "trivy")
    assert problem.advisories == ("CVE-1", "GHSA-1")
    assert problem.fingerprints == ("a", "b", "c")


def test_another_version_or_advisory_is_another_problem() -> None:
    found = [
        dependency("a", "osv-scanner", ("CVE-1",)),
        dependency("b", "trivy", ("CVE-1",), version="2.15.0"),
        dependency("c", "trivy", ("CVE-2",)),
    ]
    assert len(build_problems([run(1, "osv-scanner", "trivy")], found)) == 3


def test_the_same_rule_in_two_places_stays_two_problems() -> None:
    found = [finding("a", 1, tool="zizmor"), finding("b", 1, tool="zizmor")]
    assert len(build_problems([run(1, "zizmor")], found)) == 2


def test_branches_have_histories_of_their_own() -> None:
    runs = [run(1, "zizmor"), run(2, "zizmor", branch="feature")]
    found = [finding("a", 1, tool="zizmor"), finding("a", 2, tool="zizmor")]
    problems = build_problems(runs, found)
    assert [(p.branch, p.state) for p in problems] == [
        ("feature", ProblemState.OPEN),
        ("main", ProblemState.OPEN),
    ]
    assert len({p.id for p in problems}) == 2


def test_the_id_survives_a_scanner_that_is_added_later() -> None:
    first = dependency("m", "osv-scanner", ("CVE-1",))
    later = dependency("a", "trivy", ("CVE-1",)).model_copy(update={"run": "run2"})
    before = only(build_problems([run(1, "osv-scanner")], [first]))
    again = first.model_copy(update={"run": "run2"})
    runs = [run(1, "osv-scanner"), run(2, "osv-scanner", "trivy")]
    after = only(build_problems(runs, [first, again, later]))
    assert after.id == before.id


def test_the_worst_severity_and_the_place_that_can_be_fixed_speak_for_the_problem() -> None:
    place = LockfileLocation(path="gradle.lockfile", start_line=3)
    package = make_package(name="g:a", version="1")
    one = finding(
        "z",
        1,
        tool="osv-scanner",
        advisories=("CVE-1",),
        package=package,
        locations=(place,),
        severity=Severity.LOW,
    )
    other = finding(
        "a",
        1,
        tool="trivy",
        advisories=("CVE-1",),
        package=package,
        severity=Severity.CRITICAL,
        locations=(SourceLocation(path="x"),),
    )
    problem = only(build_problems([run(1, "osv-scanner", "trivy")], [one, other]))
    assert problem.severity is Severity.CRITICAL


def test_order_of_input_does_not_matter() -> None:
    runs = [run(1, "osv-scanner", "trivy"), run(2, "osv-scanner", "trivy")]
    found = [
        dependency("b", "osv-scanner", ("CVE-1", "GHSA-1")),
        dependency("a", "trivy", ("GHSA-1",)),
        finding("c", 2, tool="trivy"),
    ]
    assert build_problems(runs, found) == build_problems(runs[::-1], found[::-1])
