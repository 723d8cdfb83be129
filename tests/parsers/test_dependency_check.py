"""Dependency-Check's reports of several schemas."""

import json
from pathlib import Path

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    LockfileLocation,
    Package,
    ParsedReport,
    Severity,
    SourceLocation,
)
from secai_lib.parsers import parse_report
from secai_lib.parsers.dependency_check_parts import place_of
from secai_lib.parsers.paths import Paths

SAMPLES = Path(__file__).parents[1] / "samples" / "dependency-check"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


@pytest.mark.parametrize("name", ["report.json", "report.xml"])
def test_every_vulnerability_of_every_dependency(name: str) -> None:
    report = load(name)
    assert (report.tools, report.raw_results) == (("dependency-check",), 5)
    codec, twin, suppressed, tool, widget = report.results
    assert codec.package == Package(ecosystem="Maven", name="org.example:codec", version="1.4.0")
    assert (codec.severity, codec.severity_origin, codec.severity_score) == (
        Severity.HIGH, "tool", 7.5,
    )  # fmt: skip
    assert (codec.cwes, codec.tool_version) == (("CWE-20", "CWE-125"), "12.1.0")
    assert codec.references == ("https://example.org/codec",)
    assert codec.locations == (
        ArchiveLocation(archive="codec-1.4.0.jar"),
        ArchiveLocation(archive="build/libs/shop.war", member="WEB-INF/lib/codec-1.4.0.jar"),
    )
    assert (twin.advisories, twin.severity) == (("GHSA-2222-3333-4444",), Severity.MEDIUM)
    assert (suppressed.rule_id, suppressed.suppressed) == ("CVE-2019-10009", True)
    assert (suppressed.severity, suppressed.severity_origin) == (Severity.MEDIUM, "cvss")
    assert tool.package == Package(ecosystem="npm", name="@shop/minitool", version="1.2.0")
    assert tool.location == LockfileLocation(path="web/package-lock.json")
    assert (tool.severity, tool.severity_score) == (Severity.CRITICAL, 9.3)
    assert widget.package == Package(ecosystem="", name="widget.min.js", version="3.0.1")
    assert widget.location == SourceLocation(path="web/static/widget.min.js")
    assert [s.reason for s in report.skipped] == [
        "dependency-check could not finish a part of its work"
    ]
    assert "/home/runner" not in report.model_dump_json()


def test_both_formats_say_the_same() -> None:
    ours, theirs = (
        [result.model_dump(exclude={"evidence"}) for result in load(name).results]
        for name in ("report.json", "report.xml")
    )
    assert ours == theirs


def test_a_report_of_version_1() -> None:
    report = load("schema-1.4.xml")
    codec, agent = report.results
    assert codec.package == Package(ecosystem="Maven", name="org.example:codec", version="1.4.0")
    assert codec.location == ArchiveLocation(archive="codec-1.4.0.jar")
    assert (codec.severity, codec.severity_score) == (Severity.HIGH, 9.3)
    assert codec.cwes == ("CWE-119",)
    assert agent.package == Package(ecosystem="", name="agent.jar", version="7.1")
    assert (agent.severity, agent.severity_origin) == (Severity.LOW, "cvss")
    assert agent.location == ArchiveLocation(archive="libs/agent.jar")
    assert [s.reason for s in report.skipped] == ["dependency-check could not analyse a dependency"]


def test_a_clean_report_is_a_run() -> None:
    body = {"reportSchema": "1.1", "scanInfo": {}, "projectInfo": {}, "dependencies": []}
    report = parse_report("d.json", json.dumps(body).encode())
    assert (report.tools, report.raw_results) == (("dependency-check",), 0)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ("/root/.m2/a/b-1.jar", ArchiveLocation(archive="b-1.jar")),
        ("libs/a.jar/META-INF/maven/g/a/pom.xml",
         ArchiveLocation(archive="libs/a.jar", member="META-INF/maven/g/a/pom.xml")),
        (r"web\package-lock.json?/a:1", LockfileLocation(path="web/package-lock.json")),
        (r"C:\\libs\\part.dll", ArchiveLocation(archive="part.dll")),
        ("\n   libs/a.jar", ArchiveLocation(archive="libs/a.jar")),
        ("web/what?.js", SourceLocation(path="web/what?.js")),
    ],
)  # fmt: skip
def test_places(raw: str, place: object) -> None:
    assert place_of(Paths(), raw) == place
