"""The report is what the records say, whatever their order."""

import random

from secai_lib.core.fix import ProofCheck, ProofVerdict
from secai_lib.core.problem import ProblemState
from secai_lib.core.scan import ToolStatus
from secai_lib.report.build import build_report
from tests.fakes.records import (
    COMMIT,
    REPOSITORY,
    make_abstention,
    make_certificate,
    make_finding,
    make_fix,
    make_github_scan,
    make_problem,
    make_result,
    make_scan_run,
    make_skipped,
    make_tool_run,
)
from tests.report.scenario import nothing, shop


def test_every_number_of_the_scenario_is_counted() -> None:
    scenario = shop()
    counts = scenario.report().counts

    assert counts.problems == len(scenario.problems) == sum(counts.by_severity.values())
    assert sum(counts.by_category.values()) == counts.problems
    assert sum(counts.fixes_by_kind.values()) == 45 == sum(counts.fixes_by_method.values())
    assert counts.problems_fixed + len({a.problem for a in scenario.abstentions}) == counts.problems
    assert counts.raw_results == counts.explained
    assert list(counts.by_severity) == ["critical", "high", "medium", "low", "info", "unknown"]
    assert counts.in_patch == 40


def test_the_order_of_the_records_does_not_matter() -> None:
    arguments = shop().arguments()
    expected = build_report(**arguments)
    shuffle = random.Random(7).shuffle
    for name in ("findings", "contexts", "problems", "fixes", "abstentions", "skipped", "scans"):
        shuffle(arguments[name])

    assert build_report(**arguments) == expected


def test_an_unexplained_raw_result_shows() -> None:
    arguments = shop().arguments()
    arguments["raw_results"] += 3

    counts = build_report(**arguments).counts

    assert counts.raw_results - counts.explained == 3


def test_a_fix_without_proof_is_no_fix_but_a_reason() -> None:
    problem = make_problem()
    unproven = make_fix(problem, certificate=make_certificate(verdict=ProofVerdict.UNPROVEN))
    report = nothing(problems=[problem], fixes=[unproven])

    assert report.fixes == ()
    assert [a.reason_code for a in report.abstentions] == ["unproven"]
    assert report.counts.problems_fixed == 0


def test_a_certificate_that_contradicts_itself_proves_nothing() -> None:
    problem = make_problem()
    failed = (ProofCheck(name="nothing_new", passed=False),)
    fix = make_fix(problem, certificate=make_certificate(checks=failed))

    report = nothing(problems=[problem], fixes=[fix])

    assert report.fixes == ()
    assert "nothing_new" in report.abstentions[0].reason


def test_a_refuted_fix_is_counted_as_refuted_and_the_rooms_own_reason_wins() -> None:
    problem = make_problem()
    refuted = make_fix(problem, certificate=make_certificate(verdict=ProofVerdict.REFUTED))
    alone = nothing(problems=[problem], fixes=[refuted])
    given = make_abstention(problem, reason_code="unclear_source")
    both = nothing(problems=[problem], fixes=[refuted], abstentions=[given])

    assert alone.counts.abstentions == {"refuted": 1}
    assert both.abstentions == (given,)


def test_an_abstention_is_dropped_when_another_way_was_proven() -> None:
    problem = make_problem()
    report = nothing(
        problems=[problem], fixes=[make_fix(problem)], abstentions=[make_abstention(problem)]
    )

    assert report.abstentions == ()
    assert len(report.fixes) == 1


def test_closed_problems_and_other_repositories_and_branches_stay_out() -> None:
    kept = make_problem()
    others = [
        make_problem(id="b" * 16, state=ProblemState.FIXED),
        make_problem(id="c" * 16, repository="acme/other"),
        make_problem(id="d" * 16, branch="feature"),
    ]
    report = nothing(problems=[kept, *others], fixes=[make_fix(p) for p in others])

    assert [problem.id for problem in report.problems] == [kept.id]
    assert report.fixes == ()


def test_a_tool_that_ran_once_ran_and_one_that_never_ran_is_not_zero() -> None:
    scans = [
        make_scan_run(
            key="a",
            tools=(
                make_tool_run("zizmor", status=ToolStatus.ABSENT, version="", detail="missing"),
                make_tool_run("trivy", status=ToolStatus.ABSENT, version=""),
            ),
        ),
        make_scan_run(
            key="b",
            tools=(
                make_tool_run("zizmor"),
                make_tool_run("trivy", status=ToolStatus.FAILED, detail="exit 2"),
            ),
        ),
    ]
    report = nothing(scans=scans)

    assert [(t.tool, t.status, t.detail) for t in report.tools] == [
        ("zizmor", ToolStatus.RAN, ""),
        ("trivy", ToolStatus.FAILED, "exit 2"),
    ]
    assert report.runs == ("a", "b")


def test_the_address_is_known_only_for_scans_of_github() -> None:
    local = nothing(scans=[make_scan_run()])
    remote = nothing(scans=[make_scan_run(request=make_github_scan())])

    assert local.repository_url == ""
    assert remote.repository_url == f"https://github.com/{REPOSITORY}"


def test_skipped_entries_are_added_up_by_reason() -> None:
    skipped = [
        make_skipped(
            file=f"{number}.json", reason="no place", results=number, malformed=number == 2
        )
        for number in range(4)
    ]
    counts = nothing(skipped=skipped, raw_results=6).counts

    (entry,) = counts.skipped
    assert (entry.entries, entry.results, entry.malformed) == (4, 6, True)
    assert counts.explained == 6


def test_the_newest_run_speaks_for_a_finding() -> None:
    old = make_finding(fingerprint="1" * 16, run="1", result=make_result(message="old"))
    new = make_finding(fingerprint="1" * 16, run="2", result=make_result(message="new"))
    problem = make_problem([new])
    report = nothing(problems=[problem], findings=[new, old])

    assert report.results["1" * 16].message == "new"
    assert report.commit == COMMIT
