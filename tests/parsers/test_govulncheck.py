"""govulncheck's stream and the objects before it."""

import json
from pathlib import Path

import pytest

from secai_lib.core.errors import MalformedScan
from secai_lib.core.finding import (
    LockfileLocation,
    NoLocation,
    ParsedReport,
    Severity,
    SourceLocation,
    VersionRange,
)
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report
from secai_lib.parsers.node import Json

SAMPLES = Path(__file__).parents[1] / "samples" / "govulncheck"
STREAM = (SAMPLES / "source.jsonl").read_text()


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def messages() -> list[Json]:
    decoder, at, found = json.JSONDecoder(), 0, []
    while at < len(STREAM.rstrip()):
        value, at = decoder.raw_decode(STREAM, at)
        found.append(value)
        at += len(STREAM[at:]) - len(STREAM[at:].lstrip())
    return found


def test_only_what_is_known_last_becomes_a_result() -> None:
    report = load("source.jsonl")
    assert (report.tools, report.raw_results) == (("govulncheck",), 7)
    assert [(r.rule_id, r.severity) for r in report.results] == [
        ("GO-2025-9003", Severity.LOW),
        ("GO-2025-9002", Severity.MEDIUM),
        ("GO-2025-9001", Severity.HIGH),
        ("GO-2025-9001", Severity.HIGH),
    ]
    assert [s.reason.partition(" only")[0] for s in report.skipped] == [
        "required", "required", "imported",
    ]  # fmt: skip


def test_levels_are_told_apart_in_words() -> None:
    required, imported, called, _ = load("source.jsonl").results
    assert "no import" in required.message
    assert "archive/tar is imported" in imported.message
    assert called.message == (
        "example.org/codec 1.4.0 is affected by GO-2025-9001: "
        "the vulnerable example.org/codec/frame.Reader.Next is called."
    )
    assert called.resource == "example.org/codec/frame.Reader.Next"


def test_a_called_one_field_by_field() -> None:
    called = load("source.jsonl").results[2]
    assert called.tool_version == "1.1.4"
    assert called.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444", "GO-2025-9001")
    assert called.package is not None
    assert (called.package.ecosystem, called.package.version) == ("Go", "1.4.0")
    assert called.package.ranges == (
        VersionRange(fixed="1.2.9"), VersionRange(introduced="1.4.0", fixed="1.4.7"),
    )  # fmt: skip
    assert called.package.fixed_versions == ("1.2.9", "1.4.7")
    assert called.locations == (
        LockfileLocation(path="go.mod"),
        SourceLocation(path="orders/load.go", start_line=17, end_line=17, start_column=24),
    )
    assert called.references == (
        "https://pkg.go.dev/vuln/GO-2025-9001", "https://example.org/codec/fix",
    )  # fmt: skip


def test_two_traces_are_two_results_and_one_finding() -> None:
    findings = distinct([load("source.jsonl")], repository="a/b", run="1", commit="")
    (codec,) = [f for f in findings if f.result.rule_id == "GO-2025-9001"]
    assert len(codec.evidence) == 2
    paths = [p.path for p in codec.result.locations if isinstance(p, SourceLocation)]
    assert sorted(paths) == ["cmd/main.go", "orders/load.go"]


@pytest.mark.parametrize("style", ["list", "lines"])
def test_the_stream_as_a_list_or_as_lines_is_the_same(style: str) -> None:
    if style == "list":
        text = json.dumps(messages(), indent=1)
    else:
        text = "\n".join(map(json.dumps, messages()))
    assert parse_report("source.jsonl", text.encode()) == load("source.jsonl")


def test_a_cut_stream_is_malformed_and_says_where() -> None:
    head = STREAM[: STREAM.index('"progress"')]
    line, column = head.count("\n") + 1, len(head.rpartition("\n")[2]) + 1
    with pytest.raises(MalformedScan) as caught:
        parse_report("s.json", head.encode())
    assert caught.value.place == f"line {line} column {column}"


def test_garbage_behind_a_stream_is_malformed() -> None:
    with pytest.raises(MalformedScan, match="not valid JSON"):
        parse_report("s.json", (STREAM + "garbage").encode())


def test_a_binary_has_no_manifest_and_a_shallow_scan_says_so() -> None:
    config: Json = {"scanner_name": "govulncheck", "scan_mode": "binary", "scan_level": "module"}
    trace: Json = [{"module": "example.org/codec", "version": "v1.4.0"}]
    body = [{"config": config}, {"finding": {"osv": "GO-2025-9001", "trace": trace}}]
    (found,) = parse_report("b.json", json.dumps(body).encode()).results
    assert isinstance(found.location, NoLocation)
    assert "was not examined" in found.message
    assert found.severity is Severity.HIGH
    assert found.package is not None
    assert found.package.name == "example.org/codec"


@pytest.mark.parametrize(
    ("scanned", "severities"),
    [
        ("symbol", [Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.HIGH]),
        ("package", [Severity.MEDIUM, Severity.HIGH, Severity.HIGH, Severity.HIGH]),
        ("module", [Severity.HIGH] * 4),
    ],
)
def test_severity_is_measured_from_how_near_the_scan_looked(
    scanned: str, severities: list[Severity]
) -> None:
    text = STREAM.replace('"scan_level": "symbol"', f'"scan_level": "{scanned}"')
    assert [r.severity for r in parse_report("s.json", text.encode()).results] == severities


def test_two_symbols_in_a_binary_are_one_finding() -> None:
    text = STREAM.replace('"scan_mode": "source"', '"scan_mode": "binary"')
    report = parse_report("s.json", text.encode())
    findings = distinct([report], repository="a/b", run="1", commit="")
    assert sorted(len(f.evidence) for f in findings) == [1, 1, 2]


def test_messages_of_a_new_kind_are_noted_once() -> None:
    empty: Json = {"finding": {"osv": "x", "trace": []}}
    body: list[Json] = [*messages(), {"vision": {}}, {"vision": {}}, empty]
    report = parse_report("s.json", json.dumps(body).encode())
    reasons = [s.reason for s in report.skipped]
    assert reasons[0] == "a message of a kind unknown here (vision)"
    assert report.skipped[-1].malformed
    assert report.raw_results == 8


def test_a_run_without_findings() -> None:
    report = parse_report("s.json", json.dumps(messages()[0]).encode())
    assert (report.tools, report.raw_results) == (("govulncheck",), 0)


def test_version_0_tells_levels_by_its_sinks() -> None:
    report = load("v0.json")
    assert report.raw_results == 3
    called, required = report.results
    assert (called.severity, called.resource) == (Severity.HIGH, "example.org/codec/frame.Parse")
    assert called.package is not None
    assert (called.package.version, called.package.fixed_versions) == ("1.4.0", ("1.4.7",))
    assert (required.severity, required.resource) == (Severity.LOW, "example.org/lint")
    assert [s.reason for s in report.skipped] == [
        "imported only; govulncheck knew more of it elsewhere"
    ]


def test_version_0_with_modules() -> None:
    called, imported = load("v0-modules.json").results
    assert (called.severity, imported.severity) == (Severity.HIGH, Severity.MEDIUM)
    assert imported.package is not None
    assert (imported.package.name, imported.package.fixed_versions) == ("stdlib", ("1.19.1",))


def test_version_0_without_vulnerabilities() -> None:
    body: Json = {"Calls": {}, "Imports": {}, "Requires": {}, "Vulns": None, "Modules": []}
    report = parse_report("s.json", json.dumps(body).encode())
    assert (report.tools, report.raw_results) == (("govulncheck",), 0)
