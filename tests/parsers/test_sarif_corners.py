"""SARIF: what few producers use, and what many write in their own way."""

import json
from pathlib import Path

import pytest

from secai_lib.core.finding import (
    LockfileLocation,
    NoLocation,
    Package,
    ParsedReport,
    Result,
    Severity,
    SourceLocation,
    UrlLocation,
)
from secai_lib.parsers import parse_report
from secai_lib.parsers.node import Json

SAMPLES = Path(__file__).parents[1] / "samples"
CORNERS = (SAMPLES / "sarif/corners.sarif").read_bytes()


@pytest.fixture(scope="module")
def corners() -> ParsedReport:
    return parse_report("corners.sarif", CORNERS)


def read(run: dict[str, Json], name: str = "Any Tool") -> ParsedReport:
    whole = {"tool": {"driver": {"name": name}}, **run}
    return parse_report("r.sarif", json.dumps({"version": "2.1.0", "runs": [whole]}).encode())


def only(run: dict[str, Json], name: str = "Any Tool") -> Result:
    (result,) = read(run, name).results
    return result


def at(uri: str, line: int, **artifact: Json) -> Json:
    region: Json = {"startLine": line}
    return {"physicalLocation": {"artifactLocation": {"uri": uri, **artifact}, "region": region}}


def test_rule_by_guid_and_message_of_an_extension_without_its_links(corners: ParsedReport) -> None:
    injection = corners.results[0]
    assert injection.rule_id == "js/sql-injection"
    assert injection.message == "the user's [id] reaches a query."
    assert injection.resource == "orders.find"


def test_a_base_on_the_web_is_the_repository(corners: ParsedReport) -> None:
    assert (corners.results[0].path, corners.results[0].line) == ("src/find.js", 12)


def test_an_invocation_overrides_the_level_of_its_own_results_only(corners: ParsedReport) -> None:
    overridden, plain = corners.results[:2]
    assert (overridden.severity, overridden.severity_origin) == (Severity.HIGH, "level")
    assert plain.severity is Severity.MEDIUM


def test_a_word_as_security_severity_costs_no_result(corners: ParsedReport) -> None:
    assert corners.results[0].severity_score is None


def test_taxa_by_guid_and_by_position(corners: ParsedReport) -> None:
    assert corners.results[1].cwes == ("CWE-79",)
    assert corners.results[2].cwes == ("CWE-89",)


def test_the_way_of_the_data_without_places_elsewhere(corners: ParsedReport) -> None:
    assert corners.results[0].flow == (
        SourceLocation(path="src/app.js", start_line=4, end_line=4),
        SourceLocation(path="src/find.js", start_line=11, end_line=11),
        SourceLocation(path="src/find.js", start_line=12, end_line=12),
    )


def test_without_a_place_the_end_of_the_way_is_it(corners: ParsedReport) -> None:
    assert corners.results[2].location == SourceLocation(path="src/b.js", start_line=2, end_line=2)


def test_a_request_by_its_number(corners: ParsedReport) -> None:
    url = "https://shop.example.org/orders?id=1"
    assert corners.results[3].location == UrlLocation(url=url, method="POST")


def test_fingerprints_of_the_producer(corners: ParsedReport) -> None:
    known = ("primaryLocationLineHash=39fa2ee980eb94b0:1", "v1=0000ffff")
    assert corners.results[0].fingerprints == known


def test_results_outside_of_their_run(corners: ParsedReport) -> None:
    inline, lost = corners.results[4:]
    assert (inline.tool, inline.rule_id) == ("codeql", "js/outside")
    pointer = "/inlineExternalProperties/1/results/0"
    assert (lost.tool, lost.evidence.pointer) == ("unknown", pointer)
    assert corners.tools == ("codeql", "unknown")


def test_results_in_other_files_and_errors_are_counted(corners: ParsedReport) -> None:
    assert [(s.reason, s.results) for s in corners.skipped] == [
        ("the results stand in another file (more.sarif-external-properties); "
         "read that file too", 3),
        ("the scanner reports an error (js/diagnostics/extraction-errors)", 0),
    ]  # fmt: skip
    assert corners.raw_results == len(corners.results) + 3
    assert "/home/me" not in corners.model_dump_json()


def test_an_external_property_file_is_read_by_itself() -> None:
    schema = "https://json.schemastore.org/sarif-external-property-file-2.1.0.json"
    body: Json = {
        "schema": schema,
        "version": "2.1.0",
        "driver": {"name": "My Linter", "rules": [{"id": "a", "name": "Rule A"}]},
        "results": [{"ruleId": "a", "message": {"text": "m"}, "locations": [at("a.py", 2)]}],
    }
    report = parse_report("more.sarif-external-properties", json.dumps(body).encode())
    assert report.tools == ("my-linter",)
    assert (report.results[0].title, report.results[0].path) == ("Rule A", "a.py")
    assert report.results[0].evidence.pointer == "/results/0"


def test_broken_words_of_a_run_about_itself_cost_no_result() -> None:
    report = read({"invocations": [7], "results": [{"message": {"text": "m"}}]})
    assert len(report.results) == 1
    assert "broken" in report.skipped[0].reason


def test_a_secret_rule_keeps_no_fingerprint() -> None:
    prints: Json = {"hash": "5f4dcc3b5aa765d61d8327deb882cf99"}
    result: dict[str, Json] = {"ruleId": "generic.secrets.token", "message": {"text": "m"}}
    assert only({"results": [{**result, "fingerprints": prints}]}).fingerprints == ()
    assert only({"results": [{"message": {"text": "m"}, "fingerprints": prints}]}).fingerprints


def test_a_long_way_loses_its_middle() -> None:
    steps: list[Json] = [{"location": at("a.py", line)} for line in range(1, 301)]
    flows: Json = [{"threadFlows": [{"locations": steps}]}]
    flow = only({"results": [{"message": {"text": "m"}, "codeFlows": flows}]}).flow
    assert [step.start_line for step in flow] == [*range(1, 51), *range(251, 301)]


def test_eslint_names_files_by_their_absolute_address() -> None:
    uri = "file:///home/runner/work/shop/shop/web/src/app.js"
    rule: Json = {"id": "no-eval", "helpUri": "https://eslint.org/docs/rules/no-eval"}
    result: Json = {
        "ruleId": "no-eval",
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": "eval can be harmful."},
        "locations": [at(uri, 3, index=0)],
    }
    tool: Json = {"driver": {"name": "ESLint", "version": "9.0.0", "rules": [rule]}}
    found = only({"tool": tool, "artifacts": [{"location": {"uri": uri}}], "results": [result]})
    assert (found.tool, found.path, found.line) == ("eslint", "web/src/app.js", 3)
    assert found.references == ("https://eslint.org/docs/rules/no-eval",)


def test_trivy_names_parts_of_an_image_below_the_root() -> None:
    text = "\n".join([
        "Package: openssl", "Installed Version: 3.0.2-0ubuntu1", "Vulnerability CVE-2025-1",
        "Severity: LOW", "Fixed Version: ", "Link: [CVE-2025-1](https://avd.aquasec.com/x)",
    ])  # fmt: skip
    rule: Json = {
        "id": "CVE-2025-1",
        "name": "OsPackageVulnerability",
        "properties": {"security-severity": "2.0", "tags": ["vulnerability", "security", "LOW"]},
    }
    run: dict[str, Json] = {
        "tool": {"driver": {"name": "Trivy", "version": "0.58.1", "rules": [rule]}},
        "originalUriBaseIds": {"ROOTPATH": {"uri": "file:///"}},
        "properties": {"imageName": "example/shop:1", "imageID": "sha256:00"},
        "results": [
            {
                "ruleId": "CVE-2025-1",
                "ruleIndex": 0,
                "level": "note",
                "message": {"text": text},
                "locations": [at("example/shop", 1, uriBaseId="ROOTPATH")],
            }
        ],
    }
    found = only(run)
    assert found.package == Package(ecosystem="Ubuntu", name="openssl", version="3.0.2-0ubuntu1")
    assert (found.location.kind, found.severity) == ("image", Severity.LOW)


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_snyk_code() -> None:
    (found,) = load("snyk/code.sarif").results
    assert (found.tool, found.rule_id, found.title) == ("snyk", "javascript/Sqli", "SQL Injection")
    assert (found.cwes, found.severity, found.suppressed) == (("CWE-89",), Severity.HIGH, True)
    assert [(step.path, step.start_line) for step in found.flow] == [
        ("web/src/app.js", 4), ("web/src/find.js", 11), ("web/src/find.js", 12),
    ]  # fmt: skip
    assert "1=bbbb.cccc" in found.fingerprints


def test_snyk_open_source_carries_the_package() -> None:
    (found,) = load("snyk/open-source.sarif").results
    assert found.package == Package(ecosystem="npm", name="minitool", version="1.2.0")
    assert found.location == LockfileLocation(path="web/package-lock.json")
    assert found.advisories == ("CVE-2025-20001", "SNYK-JS-MINITOOL-1000001")


@pytest.mark.parametrize(("uri", "kind"), [("shop", "image"), ("app/Dockerfile", "source")])
def test_snyk_container(uri: str, kind: str) -> None:
    logical: Json = [{"fullyQualifiedName": "coretools/coretools-bin@9.4-3"}]
    place: dict[str, Json] = {"physicalLocation": {"artifactLocation": {"uri": uri}}}
    rule: Json = {"id": "SNYK-X-1", "properties": {"tags": ["security", "CWE-20", "deb"]}}
    result: Json = {
        "ruleId": "SNYK-X-1",
        "message": {"text": "m"},
        "locations": [{**place, "logicalLocations": logical}],
    }
    tool: Json = {"driver": {"name": "Snyk Container", "rules": [rule]}}
    found = only({"tool": tool, "results": [result]})
    assert (found.tool, found.location.kind, found.cwes) == ("snyk", kind, ("CWE-20",))
    assert found.package is not None
    assert (found.package.name, found.package.version) == ("coretools-bin", "9.4-3")


def test_kics() -> None:
    bucket, token = load("kics/results.sarif").results
    assert (bucket.path, bucket.line, bucket.cwes) == ("infra/storage.tf", 7, ("CWE-732",))
    assert (bucket.technologies, bucket.severity) == (("terraform",), Severity.HIGH)
    assert token.technologies == ("secrets",)
    assert "invented-kics-token-9" not in token.model_dump_json()


def test_dependency_check() -> None:
    (found,) = load("dependency-check/report.sarif").results
    assert found.package == Package(ecosystem="Maven", name="org.example:codec", version="1.4.0")
    assert (found.location.kind, found.severity_score) == ("archive", 7.5)
    assert "/home/runner" not in found.model_dump_json()


def test_govulncheck() -> None:
    called, imported = load("govulncheck/govulncheck.sarif").results
    assert called.package == Package(ecosystem="Go", name="example.org/codec", version="1.4.0")
    assert called.location == LockfileLocation(path="go.mod")
    assert [step.path for step in called.flow] == ["cmd/main.go"]
    assert called.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444", "GO-2025-9001")
    assert (called.severity, imported.severity) == (Severity.HIGH, Severity.MEDIUM)
    assert imported.package is None


def test_an_unplaceable_result_says_why() -> None:
    found = only({"results": [{"message": {"text": "m"}, "locations": [at("/etc/passwd", 3)]}]})
    assert isinstance(found.location, NoLocation)
    assert found.flow == ()


def test_dependency_check_before_scores_gives_a_word() -> None:
    result: Json = {
        "ruleId": "r",
        "level": "error",
        "message": {"text": "m"},
        "locations": [at("file:////src/web/a.js", 1)],
        "properties": {"unscored": "true", "severity": "low"},
    }
    found = only({"results": [result]}, "dependency-check")
    assert (found.severity, found.severity_origin) == (Severity.LOW, "tool")
    assert found.path == "web/a.js"


def test_rules_named_in_all_the_ways_at_once_are_told_apart() -> None:
    rules = [{"id": f"r{n}", "shortDescription": {"text": f"Rule {n}"}} for n in range(3)]
    ways: list[dict[str, object]] = [
        {"ruleId": "r1"},
        {"ruleIndex": 1},
        {"ruleId": None, "rule": {"id": "r2"}},
        {"ruleId": None, "rule": {"id": "r0"}},
        {"rule": {"index": 2}},
        {"ruleIndex": None, "rule": {"id": "r0", "index": 0}},
        {"ruleId": "r1/sub", "ruleIndex": 1},
        {"rule": {"id": "r1", "toolComponent": {"index": 0}}},
    ]
    run = {
        "tool": {"driver": {"name": "x", "rules": rules}},
        "results": [way | {"message": {"text": "m"}} for way in ways * 2],
    }
    report = parse_report("a.sarif", json.dumps({"version": "2.1.0", "runs": [run]}).encode())
    titles = [result.title for result in report.results]
    expected = ["Rule 1", "Rule 1", "Rule 2", "Rule 0", "Rule 2", "Rule 0", "Rule 1", "Rule 1"]
    assert titles == expected * 2
