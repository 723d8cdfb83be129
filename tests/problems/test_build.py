from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    Finding,
    LockfileLocation,
    Severity,
    SourceLocation,
)
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.scan import FilesScan, ScanRun, ToolRun, ToolStatus
from secai_lib.findings import fingerprints
from secai_lib.problems import Corpus, build_problems
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


def corpus_of(
    runs: Sequence[ScanRun],
    found: Sequence[Finding],
    moved: Mapping[tuple[str, str], Mapping[str, str]] | None = None,
) -> Corpus:
    """The corpus; `moved` says for numbers of runs which files git saw renamed between them."""

    def renamed(repository: str, old: str, new: str) -> Mapping[str, str]:
        assert repository == "acme/shop"
        return (moved or {}).get((old.lstrip("0"), new.lstrip("0")), {})

    return build_problems(runs, found, renamed=renamed, fingerprints=fingerprints)


def problems_of(runs: Sequence[ScanRun], found: Sequence[Finding]) -> list[Problem]:
    return corpus_of(runs, found).problems


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1
    return problems[0]


def test_the_same_finding_in_two_runs_is_one_problem_with_its_history() -> None:
    runs = [run(1, "zizmor"), run(5, "zizmor")]
    found = [finding("a", 1, tool="zizmor"), finding("a", 5, tool="zizmor")]
    problem = only(problems_of(runs, found))
    assert problem.first_seen == START + timedelta(days=1)
    assert problem.last_seen == START + timedelta(days=5)
    assert problem.run == "run5"
    assert problem.state is ProblemState.OPEN


def test_a_problem_is_fixed_when_its_tool_ran_and_no_longer_shows_it() -> None:
    runs = [run(1, "zizmor"), run(2, "zizmor")]
    assert only(problems_of(runs, [finding("a", 1, tool="zizmor")])).state is ProblemState.FIXED


@pytest.mark.parametrize("newer", [run(2, absent=["zizmor"]), run(2, "bandit")])
def test_an_absent_tool_is_not_a_clean_one(newer: ScanRun) -> None:
    found = [finding("a", 1, tool="zizmor")]
    assert only(problems_of([run(1, "zizmor"), newer], found)).state is ProblemState.OPEN


def test_a_reopened_problem_is_open_and_keeps_its_first_day() -> None:
    runs = [run(n, "zizmor") for n in (1, 2, 3)]
    found = [finding("a", 1, tool="zizmor"), finding("a", 3, tool="zizmor")]
    problem = only(problems_of(runs, found))
    assert (problem.state, problem.first_seen) == (ProblemState.OPEN, START + timedelta(days=1))


def test_aliases_of_one_advisory_join_across_scanners_and_files() -> None:
    found = [
        dependency("a", "osv-scanner", ("CVE-1", "GHSA-1")),
        dependency("b", "trivy", ("CVE-1",)),
        dependency("c", "grype", ("GHSA-1",)),
    ]
    problem = only(problems_of([run(1, "osv-scanner", "trivy", "grype")], found))
    assert problem.tools == ("grype", "osv-scanner", "trivy")
    assert problem.advisories == ("CVE-1", "GHSA-1")
    assert problem.fingerprints == ("a", "b", "c")


def test_another_version_or_advisory_is_another_problem() -> None:
    found = [
        dependency("a", "osv-scanner", ("CVE-1",)),
        dependency("b", "trivy", ("CVE-1",), version="2.15.0"),
        dependency("c", "trivy", ("CVE-2",)),
    ]
    assert len(problems_of([run(1, "osv-scanner", "trivy")], found)) == 3


def test_the_same_rule_in_two_places_stays_two_problems() -> None:
    found = [finding("a", 1, tool="zizmor"), finding("b", 1, tool="zizmor")]
    assert len(problems_of([run(1, "zizmor")], found)) == 2


def test_branches_have_histories_of_their_own() -> None:
    runs = [run(1, "zizmor"), run(2, "zizmor", branch="feature")]
    found = [finding("a", 1, tool="zizmor"), finding("a", 2, tool="zizmor")]
    problems = problems_of(runs, found)
    assert [(p.branch, p.state) for p in problems] == [
        ("feature", ProblemState.OPEN),
        ("main", ProblemState.OPEN),
    ]
    assert len({p.id for p in problems}) == 2


def test_the_id_survives_a_scanner_that_is_added_later() -> None:
    first = dependency("m", "osv-scanner", ("CVE-1",))
    later = dependency("a", "trivy", ("CVE-1",)).model_copy(update={"run": "run2"})
    before = only(problems_of([run(1, "osv-scanner")], [first]))
    again = first.model_copy(update={"run": "run2"})
    runs = [run(1, "osv-scanner"), run(2, "osv-scanner", "trivy")]
    after = only(problems_of(runs, [first, again, later]))
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
    problem = only(problems_of([run(1, "osv-scanner", "trivy")], [one, other]))
    assert problem.severity is Severity.CRITICAL


def test_order_of_input_does_not_matter() -> None:
    runs = [run(1, "osv-scanner", "trivy"), run(2, "osv-scanner", "trivy")]
    found = [
        dependency("b", "osv-scanner", ("CVE-1", "GHSA-1")),
        dependency("a", "trivy", ("GHSA-1",)),
        finding("c", 2, tool="trivy"),
    ]
    assert corpus_of(runs, found) == corpus_of(runs[::-1], found[::-1])


def told(corpus: Corpus) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(event.event.value, event.run, event.tools) for event in corpus.history]


def test_a_problem_is_seen_fixed_and_reopened() -> None:
    runs = [run(n, "zizmor") for n in (1, 2, 3, 4)]
    corpus = corpus_of(runs, [finding("a", n, tool="zizmor") for n in (1, 3)])
    assert told(corpus) == [
        ("seen", "run1", ("zizmor",)),
        ("fixed", "run2", ("zizmor",)),
        ("reopened", "run3", ("zizmor",)),
        ("fixed", "run4", ("zizmor",)),
    ]
    problem = only(corpus.problems)
    assert (problem.state, problem.reopened) == (ProblemState.FIXED, 1)
    assert problem.fixed_at == START + timedelta(days=4)
    assert {event.problem for event in corpus.history} == {problem.id}


def test_a_scanner_that_is_away_for_a_week_neither_fixes_nor_reopens() -> None:
    runs = [run(1, "zizmor"), *(run(n, absent=["zizmor"]) for n in range(2, 9)), run(9, "zizmor")]
    corpus = corpus_of(runs, [finding("a", n, tool="zizmor") for n in (1, 9)])
    assert told(corpus) == [("seen", "run1", ("zizmor",))]
    assert only(corpus.problems).reopened == 0


def test_a_problem_of_two_scanners_is_fixed_when_both_let_go() -> None:
    runs = [run(1, "osv-scanner", "trivy"), run(2, "osv-scanner"), run(3, "trivy")]
    found = [dependency("a", "osv-scanner", ("CVE-1",)), dependency("b", "trivy", ("CVE-1",))]
    assert only(problems_of(runs[:2], found)).state is ProblemState.OPEN
    assert only(problems_of(runs[:2], found)).tools == ("trivy",)
    corpus = corpus_of(runs, found)
    assert told(corpus)[-1] == ("fixed", "run3", ("trivy",))


def test_what_a_failed_scanner_still_showed_is_open_and_nothing_is_fixed_by_it() -> None:
    failed = run(2).model_copy(
        update={"tools": (ToolRun(tool="zizmor", status=ToolStatus.FAILED),)}
    )
    found = [finding("a", 1, tool="zizmor"), finding("b", 2, tool="zizmor")]
    problems = problems_of([run(1, "zizmor"), failed], found)
    assert [p.state for p in problems] == [ProblemState.OPEN, ProblemState.OPEN]


def test_aliases_keep_the_place_in_the_report_that_says_so() -> None:
    found = [
        dependency("a", "osv-scanner", ("CVE-1", "GHSA-1")),
        dependency("b", "trivy", ("CVE-1",)),
        dependency("c", "grype", ("GHSA-1",)),
        dependency("d", "grype", ("CVE-9",)),
    ]
    corpus = corpus_of([run(1, "osv-scanner", "trivy", "grype")], found)
    assert sorted((a.advisory, a.fingerprint, a.tool) for a in corpus.aliases) == [
        ("CVE-1", "a", "osv-scanner"),
        ("CVE-1", "b", "trivy"),
        ("GHSA-1", "a", "osv-scanner"),
        ("GHSA-1", "c", "grype"),
    ]
    assert all(alias.file and alias.pointer for alias in corpus.aliases)


def jar(fingerprint: str, advisory: str, name: str, version: str) -> Finding:
    place = ArchiveLocation(image="acme/shop:1", archive="app.jar", member="")
    package = make_package(name=name, version=version)
    return finding(fingerprint, 1, tool="trivy", advisories=(advisory,), package=package,
                   locations=(place,))  # fmt: skip


def locked(fingerprint: str, advisory: str, name: str, version: str, folder: str) -> Finding:
    place = LockfileLocation(path=f"{folder}/gradle.lockfile")
    package = make_package(name=name, version=version)
    return finding(fingerprint, 1, tool="osv-scanner", advisories=(advisory,), package=package,
                   locations=(place,))  # fmt: skip


def test_an_archive_joins_the_lockfile_it_is_built_from_whatever_version_it_carries() -> None:
    server = [
        locked("a", "CVE-1", "netty", "4", "server"),
        locked("b", "CVE-2", "lang", "3.13", "server"),
    ]
    client = [locked("c", "CVE-2", "lang", "3.17", "client")]
    inside = [jar("d", "CVE-1", "netty", "4"), jar("e", "CVE-2", "lang", "3.12")]
    runs = [run(1, "osv-scanner", "trivy")]

    def joined(found: Sequence[Finding]) -> list[tuple[str, ...]]:
        return sorted(p.fingerprints for p in problems_of(runs, found))

    assert joined([*server, *client, *inside]) == [("a", "d"), ("b", "e"), ("c",)]
    # without an exact twin nothing says which lockfile the archive is built from
    assert joined([server[1], *client, inside[1]]) == [("b",), ("c",), ("e",)]
    # two lockfiles with as many twins are no answer either
    twin = locked("f", "CVE-1", "netty", "4", "client")
    assert joined([*server, *client, twin, *inside]) == [("a", "d", "f"), ("b",), ("c",), ("e",)]
    # nor is a lockfile that holds the package in two versions
    other = locked("g", "CVE-2", "lang", "3.14", "server")
    assert joined([*server, other, *inside]) == [("a", "d"), ("b",), ("e",), ("g",)]


def weak(path: str, number: int, line: int = 3, rule: str = "R1") -> Finding:
    """A finding under the name that it really has."""
    place = SourceLocation(path=path, start_line=line, end_line=line, snippet="run(x)")
    result = make_result(tool="zizmor", rule_id=rule, locations=(place,))
    (name,) = fingerprints([result])
    return finding(name, number).model_copy(update={"result": result})


def test_a_finding_keeps_its_history_when_its_file_is_renamed() -> None:
    runs = [run(n, "zizmor") for n in (1, 2, 3)]
    found = [weak("a.yml", 1), weak("b.yml", 2, line=9), weak("c.yml", 3)]
    moved = {("1", "2"): {"a.yml": "b.yml"}, ("2", "3"): {"b.yml": "c.yml"}}
    corpus = corpus_of(runs, found, moved)
    problem = only(corpus.problems)
    assert (problem.state, problem.first_seen) == (ProblemState.OPEN, START + timedelta(days=1))
    assert problem.fingerprints == (found[2].fingerprint,)
    assert [(r.old_path, r.new_path, r.to_commit[-1]) for r in corpus.renames] == [
        ("a.yml", "b.yml", "2"),
        ("b.yml", "c.yml", "3"),
    ]
    assert told(corpus) == [("seen", "run1", ("zizmor",))]
    # git saw nothing: one ended, another began
    assert len(problems_of(runs, found)) == 3


def test_a_rename_is_followed_through_runs_without_the_scanner() -> None:
    runs = [run(1, "zizmor"), run(2, "bandit"), run(3, "zizmor")]
    found = [weak("a.yml", 1), weak("c.yml", 3)]
    moved = {("1", "2"): {"a.yml": "b.yml"}, ("2", "3"): {"b.yml": "c.yml"}}
    corpus = corpus_of(runs, found, moved)
    assert only(corpus.problems).state is ProblemState.OPEN
    assert [(r.old_path, r.new_path) for r in corpus.renames] == [("a.yml", "c.yml")]


def test_equal_lines_of_one_file_stay_two_problems_after_a_rename() -> None:
    def equal(path: str, number: int) -> list[Finding]:
        places = [SourceLocation(path=path, start_line=n, end_line=n, snippet="run(x)")
                  for n in (3, 7)]  # fmt: skip
        results = [make_result(tool="zizmor", rule_id="R1", locations=(p,)) for p in places]
        return [
            finding(name, number).model_copy(update={"result": result})
            for name, result in zip(fingerprints(results), results, strict=True)
        ]

    found = [*equal("a.yml", 1), *equal("b.yml", 2)]
    assert len({f.fingerprint for f in found}) == 4
    corpus = corpus_of(
        [run(1, "zizmor"), run(2, "zizmor")], found, {("1", "2"): {"a.yml": "b.yml"}}
    )
    assert len(corpus.problems) == len(corpus.renames) == 2


def test_a_file_that_was_renamed_and_mended_is_fixed() -> None:
    runs = [run(1, "zizmor"), run(2, "zizmor")]
    found = [weak("a.yml", 1), weak("b.yml", 2, rule="R2")]
    corpus = corpus_of(runs, found, {("1", "2"): {"a.yml": "b.yml"}})
    assert sorted(p.state for p in corpus.problems) == [ProblemState.FIXED, ProblemState.OPEN]
    assert corpus.renames == []


def test_a_run_that_arrives_late_tells_the_same_as_one_in_time() -> None:
    runs = [run(n, "zizmor") for n in (1, 2, 3)]
    found = [finding("a", n, tool="zizmor") for n in (1, 3)]
    assert corpus_of([runs[0], runs[2], runs[1]], found) == corpus_of(runs, found)
