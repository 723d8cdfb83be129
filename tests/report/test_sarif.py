"""The SARIF log is valid, and its replacements make exactly the fixed text."""

import hashlib
import json
from typing import Any

import pytest
from jsonschema import Draft4Validator

from secai_lib.core.finding import (
    ImageLocation,
    LockfileLocation,
    NoLocation,
    Severity,
    UrlLocation,
)
from secai_lib.core.fix import Edit
from secai_lib.core.scan import ToolStatus
from secai_lib.report.build import build_report
from secai_lib.report.model import RepositoryReport
from secai_lib.report.sarif import relative_uri, render_sarif
from secai_lib.report.sarif_check import SCHEMA
from tests.fakes.records import (
    make_finding,
    make_fix,
    make_github_scan,
    make_location,
    make_problem,
    make_proposal,
    make_result,
    make_scan_run,
    make_tool_run,
)
from tests.report.hostile import PAYLOADS, hostile_report
from tests.report.sarif_reader import applied
from tests.report.scenario import Scenario, build, shop


@pytest.fixture(scope="module")
def validator() -> Draft4Validator:
    return Draft4Validator(json.loads(SCHEMA.read_text()))


def log_of(report: RepositoryReport, files: dict[str, str]) -> Any:
    return json.loads(json.dumps(render_sarif(report, files)))


def one(text: str, *edits: Edit, path: str = "a.yml") -> tuple[RepositoryReport, dict[str, str]]:
    """A report with one problem and one fix that makes `edits` to `text`."""
    problem = make_problem(
        [make_finding(result=make_result(locations=(make_location(path=path),)))]
    )
    fix = make_fix(problem, proposal=make_proposal(edits=edits), base={path: text}, diff="")
    arguments = Scenario(problems=[problem], fixes=[fix]).arguments()
    return build_report(**arguments), {path: text}


def test_the_schema_refuses_what_is_wrong(validator: Draft4Validator) -> None:
    assert not validator.is_valid({"version": "2.1.0", "runs": [{"results": []}]})


def test_a_whole_report_is_valid(validator: Draft4Validator) -> None:
    scenario = shop()
    report = scenario.report()
    log = log_of(report, scenario.files)

    validator.validate(log)
    (run,) = log["runs"]
    assert len(run["results"]) == len(report.problems)
    assert sum(len(result.get("fixes", ())) for result in run["results"]) == len(report.fixes)
    assert run["columnKind"] == "utf16CodeUnits"


def test_hostile_strings_stay_valid(validator: Draft4Validator) -> None:
    report, files = hostile_report()
    log = log_of(report, files)

    validator.validate(log)
    assert len(log["runs"][0]["results"]) == len(PAYLOADS) + 1


def test_an_empty_report_is_valid(validator: Draft4Validator) -> None:
    log = log_of(build(scans=[]), {})

    validator.validate(log)
    assert log["runs"][0]["results"] == []


def test_every_fix_applied_gives_the_certified_text() -> None:
    scenario = shop()
    report = scenario.report()
    hashes = {frozenset(fix.certificate.fixed_sha256.items()) for fix in report.fixes}
    seen = set()
    for result in log_of(report, scenario.files)["runs"][0]["results"]:
        for fix in result.get("fixes", ()):
            changed = applied(fix, scenario.files)
            seen.add(
                frozenset((p, hashlib.sha256(t.encode()).hexdigest()) for p, t in changed.items())
            )
    assert seen == hashes


@pytest.mark.parametrize(
    ("text", "edits", "expected"),
    [
        ("a\nb\n", [(0, 0, "x\n")], "x\na\nb\n"),
        ("a\nb\n", [(4, 4, "c\n")], "a\nb\nc\n"),
        ("a\nb", [(3, 3, "\n")], "a\nb\n"),
        ("a\nb\n", [(2, 4, "")], "a\n"),
        ("a\r\nb\r\nc", [(3, 6, "")], "a\r\nc"),
        ("a🚀b\n🚀🚀c\n", [(1, 2, ""), (6, 7, "🎉é")], "ab\n🚀🚀🎉é\n"),
        ("a🚀b", [(2, 3, "X"), (3, 3, "Y")], "a🚀XY"),
        ("\ufeffname: a\n", [(1, 5, "id")], "\ufeffid: a\n"),
        ("", [(0, 0, "x")], "x"),
    ],
)
def test_replacements_are_exact(
    text: str, edits: list[tuple[int, int, str]], expected: str
) -> None:
    records = [Edit(path="a.yml", start=s, end=e, replacement=r) for s, e, r in edits]
    report, files = one(text, *records)
    (result,) = log_of(report, files)["runs"][0]["results"]

    assert applied(result["fixes"][0], files) == {"a.yml": expected}


def test_a_fix_on_another_text_is_left_out_and_said_so() -> None:
    report, files = one("a\n", Edit(path="a.yml", start=0, end=1, replacement="b"))
    for other in ({}, {"a.yml": "A\n"}, {"b.yml": files["a.yml"]}):
        (result,) = log_of(report, other)["runs"][0]["results"]
        assert "fixes" not in result
        assert result["properties"]["fixesLeftOut"] == 1


@pytest.mark.parametrize(
    ("path", "edits"),
    [
        ("../a.yml", [Edit(path="../a.yml", start=0, end=1, replacement="b")]),
        ("/etc/a", [Edit(path="/etc/a", start=0, end=1, replacement="b")]),
        (
            "a",
            [
                Edit(path="a", start=0, end=2, replacement="b"),
                Edit(path="a", start=1, end=2, replacement=""),
            ],
        ),
        ("a", [Edit(path="a", start=0, end=99, replacement="b")]),
    ],
)
def test_a_fix_that_cannot_be_named_exactly_is_left_out(path: str, edits: list[Edit]) -> None:
    report, files = one("abc\n", *edits, path=path)
    (result,) = log_of(report, files)["runs"][0]["results"]

    assert "fixes" not in result


def test_the_byte_order_mark_is_never_replaced() -> None:
    report, files = one("\ufeffa", Edit(path="a.yml", start=0, end=1, replacement=""))
    (result,) = log_of(report, files)["runs"][0]["results"]

    assert "fixes" not in result


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b c#1?.yml", "a/b%20c%231%3F.yml"),
        ("größe.kt", "gr%C3%B6%C3%9Fe.kt"),
        ("ab:c/d", "ab%3Ac/d"),
        (".github/x.yml", ".github/x.yml"),
        ("/abs", None),
        ("C:/x", None),
        ("a/../b", None),
        ("a//b", None),
        ("a\\b", None),
        ("", None),
        ("%2e%2e/x", "%252e%252e/x"),
    ],
)
def test_paths_become_relative_references(path: str, uri: str | None) -> None:
    assert relative_uri(path) == uri


@pytest.mark.parametrize(
    "place",
    [
        ImageLocation(image="acme/shop:1"),
        UrlLocation(url="http://localhost:8080/x?y=1"),
        NoLocation(reason="result without location"),
        LockfileLocation(path="/home/runner/work/app/package-lock.json"),
        make_location(path="../../etc/passwd"),
    ],
)
def test_what_is_outside_of_the_repository_still_has_a_relative_place(place: Any) -> None:
    problem = make_problem([make_finding(result=make_result(locations=(place,)))])
    report = Scenario(problems=[problem]).report()
    (result,) = log_of(report, {})["runs"][0]["results"]
    (location,) = result["locations"]
    uri = location["physicalLocation"]["artifactLocation"]["uri"]

    assert uri.startswith("outside-repository/")
    assert uri.count("/") == 1


def test_an_image_finding_points_at_the_line_its_context_found() -> None:
    scenario = shop()
    results = log_of(scenario.report(), {})["runs"][0]["results"]
    images = [r for r in results if "lib00" in r["message"]["text"]]

    place = images[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "server/Dockerfile"
    assert place["region"]["startLine"] == 1


@pytest.mark.parametrize(
    ("severity", "score", "level", "number"),
    [
        (Severity.CRITICAL, 9.8, "error", "9.8"),
        (Severity.HIGH, None, "error", "8.0"),
        (Severity.HIGH, 5.0, "error", "8.0"),
        (Severity.MEDIUM, 5.3, "warning", "5.3"),
        (Severity.LOW, None, "note", "2.0"),
        (Severity.INFO, None, "note", None),
        (Severity.UNKNOWN, None, "warning", None),
    ],
)
def test_severity_is_told_in_githubs_words(
    severity: Severity, score: float | None, level: str, number: str | None
) -> None:
    result = make_result(severity=severity, severity_score=score, cwes=("CWE-79",))
    problem = make_problem([make_finding(result=result)])
    (run,) = log_of(Scenario(problems=[problem]).report(), {})["runs"]
    (rule,) = run["tool"]["driver"]["rules"]

    assert run["results"][0]["level"] == level
    assert rule["properties"].get("security-severity") == number
    assert "external/cwe/cwe-079" in rule["properties"]["tags"]


def test_fingerprints_rules_and_identity_hold_together() -> None:
    scenario = shop()
    report = scenario.report()
    (run,) = log_of(report, scenario.files)["runs"]
    rules = run["tool"]["driver"]["rules"]

    assert len({rule["id"] for rule in rules}) == len(rules)
    for problem, result in zip(report.problems, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["secaiProblem/v1"] == problem.id
    assert run["automationDetails"]["id"] == "secai/local-0123456789ab"


def test_scanners_that_did_not_run_are_notifications_and_not_extensions() -> None:
    scan = make_scan_run(
        request=make_github_scan(),
        tools=(
            make_tool_run("zizmor"),
            make_tool_run("trivy", status=ToolStatus.ABSENT, version=""),
            make_tool_run("zap", status=ToolStatus.FAILED, detail="exit 3"),
        ),
    )
    report = build(scans=[scan])
    (run,) = log_of(report, {})["runs"]

    assert [entry["name"] for entry in run["tool"]["extensions"]] == ["zizmor"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert [(n["level"], n["message"]["text"]) for n in notes] == [
        ("error", "zap failed: exit 3"),
        ("note", "trivy not run"),
    ]
    assert run["versionControlProvenance"][0]["repositoryUri"] == "https://github.com/acme/shop"


def test_a_message_cannot_hold_a_link_or_a_placeholder() -> None:
    result = make_result(message="see [x](https://evil.example) {0}", help="<b>[x](1)</b>")
    problem = make_problem([make_finding(result=result)])
    report = Scenario(problems=[problem], findings=[make_finding(result=result)]).report()
    (run,) = log_of(report, {})["runs"]

    assert run["results"][0]["message"]["text"] == "see [x] (https://evil.example) { 0}"
    assert "markdown" not in run["tool"]["driver"]["rules"][0]["help"]
