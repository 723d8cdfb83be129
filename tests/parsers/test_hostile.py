"""Any bytes in: a report whose account is complete, or a typed complaint; nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.core.finding import LockfileLocation, ParsedReport, SourceLocation
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report, redact_report

SAMPLES = Path(__file__).parents[1] / "samples"
REPORTS = {
    path.relative_to(SAMPLES).as_posix(): json.loads(path.read_bytes())
    for path in sorted(SAMPLES.rglob("*"))
    if path.suffix in {".json", ".sarif"}
}
XML = (SAMPLES / "zap/report.xml").read_bytes()
NAMES = st.sampled_from(["r.json", "r.sarif", "r.xml", "r.txt", "r", "../../r.json"])
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(), max_size=12)
    | st.sampled_from(["../../x", "/etc/passwd", "http://[", "CWE-99999999999", "9" * 400, -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
QUIET = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def examine(name: str, data: bytes) -> ParsedReport | None:
    try:
        report = parse_report(name, data)
    except (MalformedScan, UnknownFormat) as error:
        assert str(error)
        redact_report(name, data)
        return None
    assert report.raw_results == len(report.results) + sum(s.results for s in report.skipped)
    for result in report.results:
        for place in result.locations:
            if isinstance(place, SourceLocation | LockfileLocation):
                assert not place.path.startswith(("/", ".."))
    stored, _ = redact_report(name, data)
    assert parse_report(name, stored) == report
    findings = distinct([report], repository="a/b", run="1", commit="")
    assert sum(len(finding.evidence) for finding in findings) == len(report.results)
    return report


@QUIET
@given(NAMES, st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    examine(name, data)


@QUIET
@given(NAMES, JUNK)
def test_any_json(name: str, value: Any) -> None:
    examine(name, json.dumps(value).encode())


@QUIET
@given(st.data())
def test_cut_and_changed_xml(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(XML)))
    end = data.draw(st.integers(start, min(len(XML), start + 30)))
    examine("r.xml", XML[:start] + data.draw(st.binary(max_size=10)) + XML[end:])


def spots_of(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        found.append((value, key))
        if isinstance(item, dict | list):
            found += spots_of(item)
    return found


@pytest.mark.parametrize("name", sorted(REPORTS))
@QUIET
@given(st.data())
def test_changed_samples(name: str, data: st.DataObject) -> None:
    document = json.loads(json.dumps(REPORTS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = spots_of(document)
        if not spots:
            return
        holder, key = data.draw(st.sampled_from(spots))
        if data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(JUNK)
    examine(name, json.dumps(document).encode())


def test_one_broken_result_does_not_hide_the_others() -> None:
    document = json.loads(json.dumps(REPORTS["bandit/bandit.json"]))
    document["results"][0] = {"filename": 7}
    document["results"][1] = None
    report = examine("b.json", json.dumps(document).encode())
    assert report is not None
    assert len(report.results) == 3
    assert [s.malformed for s in report.skipped] == [True, True]
    assert report.skipped[0].pointer == "/results/0"


def at(document: Any, pointer: str) -> tuple[Any, Any]:
    *path, last = [
        int(step) if step.isdigit() else step.replace("~1", "/") for step in pointer[1:].split("/")
    ]
    for step in path:
        document = document[step]
    return document, last


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("bandit/bandit.json", "/results/1"),
        ("checkov/checkov.json", "/0/results/failed_checks/0"),
        ("checkov/checkov.sarif", "/runs/0/results/0"),
        ("dependency-check/report.json", "/dependencies/0/vulnerabilities/1"),
        ("detect-secrets/baseline.json", "/results/app~1tool.py/0"),
        ("gitleaks/gitleaks.json", "/0"),
        ("gitleaks/gitleaks.sarif", "/runs/0/results/0"),
        ("gosec/gosec-2.json", "/Issues/1"),
        ("grype/image.sarif", "/runs/0/results/0"),
        ("hadolint/hadolint.json", "/1"),
        ("npm-audit/npm7.json", "/vulnerabilities/argwise/via/0"),
        ("pip-audit/object.json", "/dependencies/0/vulns/0"),
        ("govulncheck/v0.json", "/Vulns/2"),
        ("kics/results.json", "/queries/0/files/0"),
        ("nuclei/export.json", "/1"),
        ("sarif/corners.sarif", "/runs/0/results/1"),
        ("semgrep/semgrep.json", "/results/0"),
        ("semgrep/semgrep.sarif", "/runs/0/results/0"),
        ("snyk/container.json", "/vulnerabilities/0"),
        ("snyk/iac.json", "/0/infrastructureAsCodeIssues/1"),
        ("snyk/projects.json", "/1/vulnerabilities/0"),
        ("trivy/image.json", "/Results/0/Vulnerabilities/0"),
        ("trivy/repository.json", "/Results/2/Secrets/0"),
        ("trivy/image.sarif", "/runs/0/results/0"),
        ("zap/report.json", "/site/0/alerts/0"),
        ("zizmor/zizmor.json", "/0"),
        ("zizmor/zizmor.sarif", "/runs/0/results/0"),
    ],
)
def test_any_one_result_may_be_broken(name: str, pointer: str) -> None:
    document = json.loads(json.dumps(REPORTS[name]))
    whole = parse_report(name, json.dumps(document).encode())
    holder, key = at(document, pointer)
    result = holder[key]
    holder[key] = {
        name: [[1]] if isinstance(value, str | int) else value for name, value in result.items()
    }
    report = examine(name, json.dumps(document).encode())
    assert report is not None
    assert report.raw_results == whole.raw_results
    assert len(report.results) == len(whole.results) - 1
    (broken,) = [skipped for skipped in report.skipped if skipped.malformed]
    assert (broken.pointer, broken.results) == (pointer, 1)


def test_a_broken_osv_group_leaves_its_vulnerability_to_stand_alone() -> None:
    document = json.loads(json.dumps(REPORTS["osv-scanner/v1.json"]))
    document["results"][0]["packages"][0]["groups"][0]["ids"] = [[1]]
    report = examine("o.json", json.dumps(document).encode())
    assert report is not None
    assert [s.malformed for s in report.skipped] == [True]
    assert {r.rule_id for r in report.results} == {"GHSA-2222-3333-4444", "GHSA-5555-6666-7777"}


@pytest.mark.parametrize("unit", ["<p", "<", "&", "<a '", "</p", "<!--"])
def test_descriptions_take_linear_time(unit: str) -> None:
    document = json.loads(json.dumps(REPORTS["zap/report.json"]))
    document["site"][0]["alerts"][0]["desc"] = unit * 200_000
    assert examine("z.json", json.dumps(document).encode()) is not None


@pytest.mark.parametrize("unit", ["(", "\\'", "'\"", "a1("])
def test_messages_about_secrets_take_linear_time(unit: str) -> None:
    document = json.loads(json.dumps(REPORTS["semgrep/semgrep.json"]))
    document["results"][0]["extra"]["message"] = unit * 200_000
    report = examine("s.json", json.dumps(document).encode())
    assert report is not None
    assert report.results[0].message == "[redacted]"


def test_many_leaks_are_swept_in_one_pass() -> None:
    leaks = [
        {"RuleID": "k", "File": "a", "StartLine": n, "Secret": f"secret-{n:06}", "Match": "m"}
        for n in range(1, 3000)
    ]
    report = examine("g.json", json.dumps(leaks).encode())
    assert report is not None
    assert "secret-0" not in report.model_dump_json()
