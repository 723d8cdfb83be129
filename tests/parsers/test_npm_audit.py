"""npm audit's two generations."""

import json
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.errors import MalformedScan
from secai_lib.core.finding import LockfileLocation, ParsedReport, Severity, VersionRange
from secai_lib.parsers import parse_report
from secai_lib.parsers.node import Json, Node
from secai_lib.parsers.npm_tree import Vulnerabilities

SAMPLES = Path(__file__).parents[1] / "samples" / "npm-audit"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_npm_6_has_a_result_for_each_advisory_and_installed_version() -> None:
    report = load("npm6.json")
    unfixed, first, second = report.results
    assert (unfixed.rule_id, unfixed.advisories, unfixed.cwes) == ("146", (), ("CWE-94",))
    assert unfixed.severity is Severity.CRITICAL
    assert unfixed.package is not None
    assert unfixed.package.fixed_versions == ()
    assert unfixed.package.ranges == (VersionRange(),)
    assert first.package is not None
    assert second.package is not None
    assert [first.package.version, second.package.version] == ["0.0.8", "1.2.0"]
    assert first.package.fixed_versions == ("0.2.1", "1.2.3")
    assert first.package.ranges == (
        VersionRange(fixed="0.2.1"),
        VersionRange(introduced="1.0.0", fixed="1.2.3"),
    )
    assert first.evidence.pointer == "/advisories/1179/findings/0"


def test_npm_6_names_the_advisory_as_other_scanners_do() -> None:
    advisory = load("npm6.json").results[1]
    assert advisory.rule_id == "GHSA-vvvv-8888-xxxx"
    assert advisory.advisories == ("CVE-2020-70007", "GHSA-vvvv-8888-xxxx")
    assert advisory.cwes == ("CWE-915", "CWE-1321")
    assert (advisory.severity, advisory.severity_score) == (Severity.LOW, 5.6)
    assert advisory.references == (
        "https://github.com/advisories/GHSA-vvvv-8888-xxxx",
        "https://example.org/report",
    )
    assert advisory.message.endswith("It comes with builder, optimistic.")
    assert advisory.help == "Upgrade to versions 0.2.1, 1.2.3 or later."
    assert advisory.location == LockfileLocation(path="package-lock.json")


def test_npm_7_has_a_result_for_each_advisory_of_a_package() -> None:
    report = load("npm7.json")
    high, again, command = report.results
    assert (high.rule_id, high.severity_score) == ("GHSA-cccc-2222-gggg", 9.8)
    assert high.package is not None
    assert high.package.ranges == (VersionRange(fixed="0.2.4"),)
    assert high.package.fixed_versions == ("0.2.4",)
    assert high.help == "Install builder 3.0.0 (a new major version)."
    assert high.message.endswith("It comes with builder, leftover.")
    assert (again.severity, again.severity_score) == (Severity.MEDIUM, None)
    assert again.package is not None
    assert again.package.ranges == (VersionRange(introduced="1.0.0", last_affected="1.2.2"),)
    assert (command.rule_id, command.cwes) == ("GHSA-5555-jjjj-qqqq", ("CWE-78", "CWE-94"))
    assert command.package is not None
    assert (command.package.version, command.package.ranges) == ("", (VersionRange(),))


def test_the_first_npm_7_named_no_weakness_and_no_score() -> None:
    document = json.loads((SAMPLES / "npm7.json").read_bytes())
    cause = document["vulnerabilities"]["leftover"]["via"][0]
    del cause["cwe"], cause["cvss"]
    cause |= {"source": 1179, "url": "https://npmjs.com/advisories/1179"}
    found = parse_report("n.json", json.dumps(document).encode()).results[2]
    assert (found.rule_id, found.advisories, found.cwes) == ("1179", (), ())
    assert (found.severity, found.severity_score) == (Severity.HIGH, None)


def test_packages_that_only_depend_on_a_vulnerable_one_are_counted_with_the_reason() -> None:
    report = load("npm7.json")
    assert [(s.pointer, s.reason, s.results) for s in report.skipped] == [
        (
            "/vulnerabilities/builder",
            "builder is affected only through optimistic, which counts for itself",
            1,
        ),
        (
            "/vulnerabilities/optimistic",
            "optimistic is affected only through argwise, which counts for itself",
            1,
        ),
    ]
    assert report.raw_results == 5


@pytest.mark.parametrize("entry", [7, {"via": 7}, {"via": [7]}, {"via": [{"url": 7}]}])
def test_a_broken_entry_hides_no_other(entry: Any) -> None:
    document = json.loads((SAMPLES / "npm7.json").read_bytes())
    document["vulnerabilities"]["builder"] = entry
    report = parse_report("n.json", json.dumps(document).encode())
    assert len(report.results) == 3
    assert sum(s.malformed for s in report.skipped) == 1


def test_no_vulnerability_is_a_run_without_results() -> None:
    data = b'{"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {}}'
    report = parse_report("n.json", data)
    assert (report.tools, report.raw_results) == (("npm-audit",), 0)


def test_an_audit_that_failed_is_not_taken_for_a_clean_one() -> None:
    refused = {"message": "405", "method": "POST", "statusCode": 405, "body": ""}
    for reason, report in (
        ("ENOLOCK", {"error": {"code": "ENOLOCK", "summary": "Needs a lockfile.", "detail": ""}}),
        ("405", {**refused, "error": {"summary": "", "detail": ""}}),
    ):
        with pytest.raises(MalformedScan, match=reason):
            parse_report("n.json", json.dumps(report).encode())


def test_dependencies_that_go_round_in_a_circle_end() -> None:
    circle: Json = {
        "a": {"effects": ["b"], "isDirect": False},
        "b": {"effects": ["a", "c"], "isDirect": True},
        "c": {"effects": "broken", "isDirect": True},
    }
    assert Vulnerabilities(Node(circle)).direct("a") == ["b", "c"]


@pytest.mark.parametrize(
    ("offer", "sentence"),
    [
        (True, "`npm audit fix` installs a version that is not affected."),
        (False, "npm knows no version of the direct dependencies without it."),
        ({"name": "a", "version": "2.0.0", "isSemVerMajor": False}, "Install a 2.0.0."),
        ({"name": 1}, ""),
        (None, ""),
    ],
)
def test_what_npm_offers(offer: Any, sentence: str) -> None:
    assert Vulnerabilities(Node({"a": {"fixAvailable": offer}})).fix_of("a").sentence == sentence
