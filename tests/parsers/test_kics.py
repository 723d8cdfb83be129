"""KICS's JSON results, versions 1 and 2."""

from pathlib import Path

from secai_lib.core.finding import Category, ParsedReport, Severity, SourceLocation
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report, redact_report

SAMPLES = Path(__file__).parents[1] / "samples" / "kics"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_version_2() -> None:
    report = load("results.json")
    assert (report.tools, report.raw_results) == (("kics",), 4)
    bucket, token, image = report.results
    assert bucket.location == SourceLocation(path="infra/storage.tf", start_line=7, end_line=7)
    assert (bucket.severity, bucket.severity_origin) == (Severity.CRITICAL, "tool")
    assert (bucket.cwes, bucket.resource) == (("CWE-732",), "aws_s3_bucket.data")
    assert (bucket.technologies, bucket.tool_version) == (("terraform",), "v2.1.3")
    assert bucket.message == "'acl' is public-read"
    assert token.technologies == ("secrets",)
    assert (image.path, image.technologies) == ("Dockerfile", ("dockerfile",))
    assert image.resource == "FROM={{python:latest}}"
    assert [(s.reason, s.results) for s in report.skipped] == [
        ("a bill of materials lists resources, not problems", 1),
        ("kics reports files failed to scan", 0),
    ]


def test_version_1() -> None:
    (found,) = load("v1.json").results
    assert (found.path, found.severity, found.cwes) == ("Dockerfile", Severity.INFO, ())


def test_secrets_stay_outside() -> None:
    data = (SAMPLES / "results.json").read_bytes()
    assert "invented-kics-token-9" not in load("results.json").model_dump_json()
    stored, count = redact_report("results.json", data)
    assert (count, b"invented-kics-token-9" in stored) == (1, False)


def test_json_and_sarif_are_the_same_findings() -> None:
    reports = [load("results.json"), load("results.sarif")]
    findings = distinct(reports, repository="a/b", run="1", commit="")
    assert sorted(len(finding.evidence) for finding in findings) == [1, 2, 2]
    assert {finding.category for finding in findings} == {
        Category.INFRASTRUCTURE, Category.SECRET, Category.CONTAINER,
    }  # fmt: skip
