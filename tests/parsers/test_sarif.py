"""SARIF of any producer: the corners of the standard."""

import json
from pathlib import Path

import pytest

from secai_lib.core.errors import MalformedScan
from secai_lib.core.finding import NoLocation, ParsedReport, Severity, SourceLocation, UrlLocation
from secai_lib.parsers import parse_report
from secai_lib.parsers.node import Json

FULL = Path(__file__).parents[1] / "samples" / "sarif" / "full.sarif"


@pytest.fixture(scope="module")
def full() -> ParsedReport:
    return parse_report("full.sarif", FULL.read_bytes())


def run_of(*results: Json, **driver: Json) -> bytes:
    tool: Json = {"driver": {"name": "Any Tool", **driver}}
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": tool, "results": list(results)}]}
    ).encode()


def first(data: bytes) -> ParsedReport:
    return parse_report("r.sarif", data)


def test_everything_is_accounted_for(full: ParsedReport) -> None:
    assert full.tools == ("codeql", "my-linter")
    assert full.raw_results == 10
    assert len(full.results) == 6
    reasons = [(s.reason.split(":")[0], s.malformed, s.results) for s in full.skipped]
    assert reasons == [
        ("kind is pass", False, 1),
        ("kind is notApplicable", False, 1),
        ("baselineState is absent", False, 1),
        ("broken result", True, 1),
        ("the scanner says its invocation 0 did not succeed", False, 0),
    ]


def test_rule_of_an_extension_message_by_id_and_bases(full: ParsedReport) -> None:
    injection = full.results[0]
    assert injection.message == "This query depends on a request."
    assert injection.title == "SQL query built from user-controlled sources"
    assert (injection.severity, injection.severity_score) == (Severity.HIGH, 8.8)
    assert injection.severity_origin == "security-severity"
    assert injection.cwes == ("CWE-89",)
    assert injection.resource == "app.db.find"
    assert injection.locations == (
        SourceLocation(
            path="src/app/my db.py",
            start_line=10,
            end_line=10,
            start_column=5,
            end_column=20,
            snippet="db.execute(query)",
        ),
        SourceLocation(path="app/other.py", start_line=3, end_line=3),
    )


def test_default_level_taxa_relationships_and_suppression(full: ParsedReport) -> None:
    weak = full.results[1]
    assert (weak.severity, weak.severity_origin) == (Severity.LOW, "level")
    assert weak.cwes == ("CWE-327", "CWE-328")
    assert weak.message == "md5 reaches disk in {braces}."
    assert weak.suppressed
    assert weak.path == "src/app/by_index.py"


def test_rule_by_parent_id_and_rejected_suppression(full: ParsedReport) -> None:
    part = full.results[3]
    assert part.rule_id == "py/sql-injection/part"
    assert part.cwes == ("CWE-89",)
    assert not part.suppressed


def test_places_outside_are_never_stored(full: ParsedReport) -> None:
    places = [result.location for result in full.results]
    assert places[2] == NoLocation(reason="result without location")
    assert places[3] == NoLocation(reason="absolute path outside the checkout (passwd), line 1")
    assert places[4] == NoLocation(reason="the path leaves the repository (escape.py)")
    assert places[5] == UrlLocation(url="https://example.org/a?b=1")
    assert "/etc" not in full.model_dump_json()


def test_cwe_is_taken_from_metadata_not_from_prose() -> None:
    (result,) = first(run_of({"ruleId": "x", "message": {"text": "like CWE-79"}})).results
    assert result.cwes == ()


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        ("error", Severity.HIGH),
        ("warning", Severity.MEDIUM),
        ("note", Severity.LOW),
        ("none", Severity.INFO),
    ],
)
def test_levels(level: str, severity: Severity) -> None:
    report = first(run_of({"ruleId": "x", "level": level, "message": {"text": "m"}}))
    assert report.results[0].severity is severity


def test_without_level_and_rule_the_default_is_warning() -> None:
    (result,) = first(run_of({"message": {"text": "m"}})).results
    assert (result.severity, result.rule_id) == (Severity.MEDIUM, "unknown")


def test_wrong_rule_index_does_not_bring_another_rule() -> None:
    rules: Json = [{"id": "a", "shortDescription": {"text": "A"}}, {"id": "b"}]
    report = first(run_of({"ruleId": "b", "ruleIndex": 0, "message": {"text": "m"}}, rules=rules))
    assert report.results[0].title == "m"


def test_a_circle_of_bases_is_one_broken_result() -> None:
    document = json.loads(run_of())
    place = {"physicalLocation": {"artifactLocation": {"uri": "a.py", "uriBaseId": "A"}}}
    document["runs"][0] |= {
        "originalUriBaseIds": {"A": {"uri": "a/", "uriBaseId": "A"}},
        "results": [
            {"message": {"text": "m"}, "locations": [place]},
            {"message": {"text": "good"}},
        ],
    }
    report = first(json.dumps(document).encode())
    assert [r.message for r in report.results] == ["good"]
    assert report.skipped[0].malformed


@pytest.mark.parametrize(
    "document",
    [
        {"version": "2.1.0", "runs": [None]},
        {"version": "2.1.0", "runs": [{"results": []}]},
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "x"}}, "results": {}}]},
        {"version": "1.0.0", "runs": []},
    ],
)
def test_a_broken_frame_is_malformed_and_says_where(document: Json) -> None:
    with pytest.raises(MalformedScan) as caught:
        first(json.dumps(document).encode())
    assert caught.value.place


def test_secret_rules_lose_snippet_and_literal() -> None:
    region: Json = {"startLine": 1, "snippet": {"text": "token: abcd1234efgh"}}
    result: Json = {
        "ruleId": "generic.secrets.token",
        "message": {"text": "Found 'abcd1234efgh' here"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": region}}],
    }
    text = first(run_of(result)).model_dump_json()
    assert "abcd1234efgh" not in text
    assert "[redacted]" in text


def test_a_look_alike_of_a_secret_rule_keeps_its_snippet() -> None:
    region: Json = {"startLine": 1, "snippet": {"text": "checkCredential(user)"}}
    result: Json = {
        "ruleId": "rules.webauthn-credential-secretary",
        "message": {"text": "m"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": region}}],
    }
    (found,) = first(run_of(result)).results
    assert isinstance(found.location, SourceLocation)
    assert found.location.snippet == "checkCredential(user)"
