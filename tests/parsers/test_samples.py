"""Each scanner's samples, field by field."""

from pathlib import Path

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    ParsedReport,
    Result,
    Severity,
    SourceLocation,
    UrlLocation,
    VersionRange,
)
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def only(report: ParsedReport, rule: str) -> Result:
    (found,) = [result for result in report.results if result.rule_id == rule]
    return found


def test_bandit() -> None:
    report = load("bandit/bandit.json")
    assert (report.tools, report.raw_results) == (("bandit",), 5)
    shell = only(report, "B602")
    assert (shell.severity, shell.confidence, shell.cwes) == (Severity.HIGH, "high", ("CWE-78",))
    assert shell.location == SourceLocation(
        path="app/tool.py",
        start_line=10,
        end_line=10,
        start_column=12,
        end_column=48,
        snippet="    return subprocess.call(command, shell=True)",
    )
    password = only(report, "B105")
    assert password.message == "Possible hardcoded password: '[redacted]'"
    assert "Hunter2" not in report.model_dump_json()


@pytest.mark.parametrize("name", ["checkov.json", "checkov.sarif"])
def test_checkov(name: str) -> None:
    report = load(f"checkov/{name}")
    assert report.raw_results == len(report.results) == 5
    injection = only(report, "CKV_GHA_2")
    assert (injection.path, injection.line) == (".github/workflows/build.yml", 9)
    assert injection.technologies == ("github_actions",)
    assert (injection.severity, injection.severity_origin) == (Severity.HIGH, "level")
    whole_file = only(report, "CKV2_GHA_1")
    assert whole_file.line == 1
    docker = [result for result in report.results if result.technologies == ("dockerfile",)]
    assert {result.path for result in docker} == {"Dockerfile"}


def test_checkov_names_the_resource_in_json_only() -> None:
    assert only(load("checkov/checkov.json"), "CKV_DOCKER_7").resource == "/Dockerfile.FROM"
    assert only(load("checkov/checkov.sarif"), "CKV_DOCKER_7").resource == ""


def test_checkov_without_any_file_is_a_run_without_results() -> None:
    report = load("checkov/checkov-nothing.json")
    assert (report.tools, report.raw_results) == (("checkov",), 0)


def test_detect_secrets_keeps_no_hash() -> None:
    report = load("detect-secrets/baseline.json")
    (result,) = report.results
    assert (result.rule_id, result.path, result.line) == ("Secret Keyword", "app/tool.py", 5)
    assert "a7a825a32da22d1ec86f9688658a72f2423aa4e4" not in report.model_dump_json()


def test_gitleaks_json_shows_the_match_without_the_secret() -> None:
    report = load("gitleaks/gitleaks.json")
    key = only(report, "generic-api-key")
    assert key.location == SourceLocation(
        path="config/settings.py",
        start_line=3,
        end_line=3,
        start_column=2,
        end_column=39,
        snippet='api_key = "[redacted]"',
    )
    assert key.cwes == ("CWE-798",)
    assert key.severity_origin == "none"


@pytest.mark.parametrize("name", ["gitleaks.json", "gitleaks.sarif"])
def test_gitleaks_leaks_nothing(name: str) -> None:
    text = load(f"gitleaks/{name}").model_dump_json()
    assert "hunter2-example-token" not in text
    assert "invented-body" not in text


def test_osv_takes_ranges_of_exactly_this_artifact() -> None:
    report = load("osv-scanner/v1.json")
    codec = only(report, "GHSA-2222-3333-4444")
    assert codec.package is not None
    assert codec.package.fixed_versions == ("1.2.9", "1.4.7")
    assert codec.package.ranges == (
        VersionRange(introduced="0", fixed="1.2.9"),
        VersionRange(introduced="1.4.0", fixed="1.4.7"),
    )
    assert codec.package.affected_versions == ("1.4.0", "1.4.1")
    assert codec.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444")
    assert codec.location == LockfileLocation(path="server/gradle.lockfile")
    assert (codec.severity_score, codec.severity_origin) == (8.7, "cvss")
    assert codec.cwes == ("CWE-125",)


def test_osv_falls_back_on_the_database_word_for_severity() -> None:
    logs = only(load("osv-scanner/v1.json"), "GHSA-5555-6666-7777")
    assert (logs.severity, logs.severity_score) == (Severity.MEDIUM, None)
    assert logs.severity_origin == "tool"
    assert logs.package is not None
    assert logs.package.ranges == (VersionRange(introduced="1.0", last_affected="1.4.2"),)
    assert logs.package.fixed_versions == ()


def test_osv_version_2_joins_a_group_and_leaves_licences_out() -> None:
    report = load("osv-scanner/v2.json")
    (result,) = report.results
    assert result.advisories == ("CVE-2024-20002", "GHSA-8888-9999-cccc", "PYSEC-2024-11")
    assert result.package is not None
    assert result.package.ranges == (VersionRange(introduced="2.0", fixed="2.0.2"),)
    assert result.severity_score == 5.0
    assert [(s.results, s.malformed) for s in report.skipped] == [(1, False)]


def test_osv_sarif_carries_the_package() -> None:
    (result,) = load("osv-scanner/v1.sarif").results
    assert result.rule_id == "GHSA-2222-3333-4444"
    assert result.package is not None
    assert (result.package.ecosystem, result.package.name) == ("Maven", "org.example:codec")
    assert result.location == LockfileLocation(path="server/gradle.lockfile")


@pytest.mark.parametrize("name", ["semgrep.json", "semgrep.sarif"])
def test_semgrep(name: str) -> None:
    report = load(f"semgrep/{name}")
    first, second = [r for r in report.results if r.rule_id == "local.python.eval"]
    assert (first.line, second.line) == (15, 20)
    assert (first.severity, first.confidence, first.cwes) == (Severity.HIGH, "high", ("CWE-95",))
    assert first.tool_version == "1.182.0"
    password = only(report, "local.python.hardcoded-password")
    assert password.message == 'A password "[redacted]" is written into the source.'
    assert "Hunter2" not in report.model_dump_json()


def test_semgrep_withholds_no_snippet_as_text() -> None:
    assert "requires login" not in load("semgrep/semgrep.json").model_dump_json()


def test_trivy_image() -> None:
    report = load("trivy/image.json")
    system, archive = report.results
    assert system.location == ImageLocation(
        image="ghcr.io/example/shop:latest", target="ghcr.io/example/shop:latest (ubuntu 24.04)"
    )
    assert system.package is not None
    assert (system.package.ecosystem, system.package.fixed_versions) == ("Ubuntu", ())
    assert (system.severity, system.severity_score) == (Severity.LOW, 6.5)
    assert archive.location == ArchiveLocation(
        archive="app/app.jar", image="ghcr.io/example/shop:latest"
    )
    assert archive.package is not None
    assert archive.package.fixed_versions == ("1.2.9", "1.4.7")
    assert archive.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444")
    assert [s.reason for s in report.skipped] == ["licences are no security findings"]


def test_trivy_sarif_says_the_same_as_its_json() -> None:
    for ours, theirs in zip(
        load("trivy/image.sarif").results, load("trivy/image.json").results, strict=True
    ):
        assert ours.rule_id == theirs.rule_id
        assert ours.package == theirs.package
        assert (ours.severity, ours.severity_score) == (theirs.severity, theirs.severity_score)
        assert ours.location.kind == theirs.location.kind


def test_trivy_repository() -> None:
    report = load("trivy/repository.json")
    lockfile, misconfiguration, secret = report.results
    assert lockfile.location == LockfileLocation(path="web/package-lock.json")
    assert lockfile.package is not None
    assert lockfile.package.ecosystem == "npm"
    assert misconfiguration.location == SourceLocation(
        path="Dockerfile", start_line=1, end_line=1, snippet="FROM python:latest"
    )
    assert misconfiguration.technologies == ("dockerfile",)
    assert secret.severity is Severity.CRITICAL
    assert "invented-access-id" not in report.model_dump_json()
    assert [s.reason for s in report.skipped] == ["status is PASS"]


def test_trufflehog() -> None:
    report = load("trufflehog/results.jsonl")
    first, second = report.results
    assert (first.path, first.line, first.confidence) == ("config/settings.py", 3, "")
    assert (second.path, second.line, second.confidence) == ("deploy/env.sh", 7, "verified")
    assert "invented" not in report.model_dump_json()


@pytest.mark.parametrize("name", ["report.json", "report.xml"])
def test_zap(name: str) -> None:
    cors, outdated = load(f"zap/{name}").results
    assert (cors.rule_id, cors.severity, cors.confidence) == ("40040-2", Severity.MEDIUM, "high")
    assert cors.message == (
        'A page of another origin may read the answer.\nEven "null" is allowed <b>.'
    )
    assert cors.cwes == ("CWE-942",)
    assert cors.references == (
        "https://developer.mozilla.org/en-US/docs/Web/HTTP/CORS",
        "https://portswigger.net/web-security/cors",
    )
    assert cors.locations == (
        UrlLocation(
            url="http://localhost:8080/users?id=7", evidence="access-control-allow-origin: *"
        ),
        UrlLocation(url="http://localhost:8080/"),
    )
    assert isinstance(outdated.location, NoLocation)
    assert (outdated.cwes, outdated.confidence) == ((), "false positive")


@pytest.mark.parametrize("name", ["zizmor.json", "zizmor-json-v1.json", "zizmor.sarif"])
def test_zizmor(name: str) -> None:
    report = load(f"zizmor/{name}")
    assert {r.rule_id for r in report.results} == {
        "artipacked",
        "excessive-permissions",
        "dangerous-triggers",
        "template-injection",
        "unpinned-uses",
    }
    injection = only(report, "template-injection")
    assert (injection.path, injection.line) == (".github/workflows/build.yml", 11)
    assert (injection.severity, injection.confidence) == (Severity.HIGH, "high")
    assert injection.title == "code injection via template expansion"
    assert only(report, "excessive-permissions").resource == "jobs.build"


def test_zizmor_json_keeps_every_place_with_the_main_one_first() -> None:
    injection = only(load("zizmor/zizmor.json"), "template-injection")
    lines = [place.start_line for place in injection.locations if place.kind == "source"]
    assert lines == [11, 9, 10] or lines == [11, 10, 9]
    permissions = only(load("zizmor/zizmor.json"), "excessive-permissions").location
    assert isinstance(permissions, SourceLocation)
    assert (permissions.start_line, permissions.end_line) == (5, 11)
