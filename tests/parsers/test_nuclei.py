"""Nuclei's JSON Lines and JSON list, versions 2 and 3."""

import json
from pathlib import Path

import pytest

from secai_lib.core.finding import NoLocation, ParsedReport, Severity, SourceLocation, UrlLocation
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report, redact_report

SAMPLES = Path(__file__).parents[1] / "samples" / "nuclei"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_version_3() -> None:
    report = load("v3.jsonl")
    assert (report.tools, report.raw_results) == (("nuclei",), 5)
    header, codec, token, tls = report.results
    assert header.rule_id == "http-missing-security-headers:x-frame-options"
    assert header.title == "HTTP Missing Security Headers (x-frame-options)"
    assert header.location == UrlLocation(
        url="http://shop.example.org:8080/login?next=%2F", method="POST"
    )
    assert header.severity is Severity.INFO
    assert (codec.severity, codec.severity_score) == (Severity.HIGH, 7.5)
    assert (codec.cwes, codec.advisories) == (("CWE-20", "CWE-125"), ("CVE-2025-10001",))
    assert codec.help == "Update to 1.4.7."
    assert codec.location == UrlLocation(
        url="http://shop.example.org:8080/frame", evidence="codec/1.4.0"
    )
    assert (token.severity, token.technologies) == (Severity.UNKNOWN, ("secrets",))
    assert tls.location == UrlLocation(url="ssl://shop.example.org:443", evidence="tls12")
    assert [s.reason for s in report.skipped] == ["the template did not match"]


def test_version_2_means_the_same_by_other_names() -> None:
    header, server = load("v2.jsonl").results
    assert header.rule_id == "http-missing-security-headers:x-frame-options"
    assert server.location == UrlLocation(
        url="network://shop.example.org:22", evidence="SSH-2.0-Old_5.3"
    )
    assert server.references == ("http://example.org/one", "https://example.org/two")


def test_the_same_match_by_both_versions_has_one_name() -> None:
    reports = [load("v3.jsonl"), load("v2.jsonl")]
    names = [f.result.rule_id for f in distinct(reports, repository="a", run="1", commit="")]
    # One was asked with POST, the other does not say how.
    assert names.count("http-missing-security-headers:x-frame-options") == 2
    assert names.count("tls-version") == 1


def test_a_list_and_a_match_in_a_file() -> None:
    tls, endpoint = load("export.json").results
    assert tls.rule_id == "tls-version"
    assert endpoint.rule_id == "hardcoded-endpoint:endpoint"
    assert endpoint.location == SourceLocation(path="web/src/find.js", start_line=14, end_line=14)


def test_a_match_without_a_place_is_at_its_target() -> None:
    row: dict[str, object] = {"template-id": "t", "info": {}, "type": "javascript"}
    (found,) = parse_report("n.json", json.dumps({**row, "url": "/http://shop/"}).encode()).results
    assert found.location == UrlLocation(url="http://shop/")
    (lost,) = parse_report("n.json", json.dumps(row).encode()).results
    assert lost.location == NoLocation(reason="match without a target")


def test_a_single_line_is_a_report() -> None:
    first = (SAMPLES / "v3.jsonl").read_bytes().splitlines()[1]
    assert parse_report("n.json", first).results[0].rule_id == "CVE-2025-10001"


@pytest.mark.parametrize(
    "secret",
    ["invented-bearer-1", "invented-cookie-2", "invented-cookie-3", "invented-token-4567", "me:pw"],
)
def test_credentials_and_found_secrets_stay_outside(secret: str) -> None:
    report = load("v3.jsonl")
    assert secret not in report.model_dump_json()
    stored, count = redact_report("v3.jsonl", (SAMPLES / "v3.jsonl").read_bytes())
    assert count == 2
    assert secret == "me:pw" or secret.encode() not in stored
    assert parse_report("v3.jsonl", stored) == report


def test_an_answer_full_of_headers_takes_linear_time() -> None:
    row = json.loads((SAMPLES / "v3.jsonl").read_bytes().splitlines()[0])
    row["response"] = "authorization" + " " * 300_000 + "cookie:" * 100_000
    assert parse_report("n.json", json.dumps(row).encode()).raw_results == 1
