"""pip-audit's two generations."""

import json
from pathlib import Path

import pytest

from secai_lib.core.finding import NoLocation, ParsedReport, Severity
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples" / "pip-audit"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_the_list_of_the_first_versions() -> None:
    report = load("list.json")
    (result,) = report.results
    assert (result.rule_id, result.advisories) == ("PYSEC-2024-11", ("PYSEC-2024-11",))
    assert result.title == "parsely loops forever on an empty document"
    assert result.package is not None
    assert (result.package.ecosystem, result.package.version) == ("PyPI", "2.0.1")
    assert result.package.fixed_versions == ("2.0.2", "1.9.9")
    assert result.location == NoLocation(reason="pip-audit names no file")
    assert (result.severity, result.severity_origin) == (Severity.UNKNOWN, "none")
    (note,) = report.skipped
    assert (note.pointer, note.results, note.malformed) == ("/2", 0, False)
    assert note.reason.startswith("not audited: Dependency not found on PyPI")


def test_todays_object_has_aliases_and_fixes() -> None:
    known, links = load("object.json").results
    assert known.advisories == ("CVE-2024-20002", "GHSA-8888-9999-cccc", "PYSEC-2024-11")
    assert links.title == "parsely follows links"
    report = load("fixes.json")
    assert report.results[1].title == "GHSA-2345-6789-cfgh in parsely"
    assert [s.reason.split(":")[0] for s in report.skipped] == [
        "not audited",
        "pip-audit upgraded parsely from 2.0.1 to 2.0.2",
        "pip-audit did not upgrade frozen",
    ]
    assert report.raw_results == 2


@pytest.mark.parametrize("data", [b'{"dependencies": [], "fixes": []}', b'{"dependencies": []}'])
def test_nothing_installed_is_a_run_without_results(data: bytes) -> None:
    report = parse_report("p.json", data)
    assert (report.tools, report.raw_results) == (("pip-audit",), 0)


def test_a_broken_dependency_hides_no_other() -> None:
    document = json.loads((SAMPLES / "fixes.json").read_bytes())
    document["dependencies"][1]["vulns"] = 7
    document["dependencies"].append("text")
    report = parse_report("p.json", json.dumps(document).encode())
    assert len(report.results) == 2
    assert [s.pointer for s in report.skipped if s.malformed] == [
        "/dependencies/1",
        "/dependencies/3",
    ]
    assert report.raw_results == 4
