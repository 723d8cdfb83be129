"""The real artifacts of one workflow run; figures from the design notes, counted by hand there."""

from collections import Counter
from pathlib import Path

import pytest

from secai_lib.core.errors import UnknownFormat
from secai_lib.core.finding import (
    ArchiveLocation,
    Category,
    Finding,
    ParsedReport,
    SourceLocation,
    UrlLocation,
)
from secai_lib.findings import distinct, fingerprints
from secai_lib.parsers import parse_report, redact_report


@pytest.fixture(scope="module")
def files(real_scans: Path) -> dict[str, bytes]:
    paths = sorted(path for path in real_scans.rglob("*") if path.is_file())
    return {path.relative_to(real_scans).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def reports(files: dict[str, bytes]) -> list[ParsedReport]:
    known = {name: data for name, data in files.items() if name.endswith((".json", ".sarif"))}
    return [parse_report(name, data) for name, data in known.items()]


@pytest.fixture(scope="module")
def findings(reports: list[ParsedReport]) -> list[Finding]:
    return distinct(reports, repository="a/b", run="392", commit="")


def test_raw_results(reports: list[ParsedReport]) -> None:
    assert sum(report.raw_results for report in reports) == 447
    assert [skipped for report in reports for skipped in report.skipped] == []


def test_distinct_findings_of_each_tool(findings: list[Finding]) -> None:
    assert Counter(finding.result.tool for finding in findings) == {
        "semgrep": 107,
        "trivy": 84,
        "osv-scanner": 46,
        "checkov": 10,
        "zap": 9,
    }
    assert sum(len(finding.evidence) for finding in findings) == 447


def test_a_clean_gitleaks_run_is_a_run(reports: list[ParsedReport]) -> None:
    assert [r.raw_results for r in reports if r.tools == ("gitleaks",)] == [0]


def test_pages_for_people_are_no_reports(files: dict[str, bytes]) -> None:
    pages = [name for name in files if name.endswith((".html", ".md"))]
    assert len(pages) == 4
    for name in pages:
        with pytest.raises(UnknownFormat, match="JSON report beside it"):
            parse_report(name, files[name])


def test_places(findings: list[Finding]) -> None:
    kinds = Counter(finding.result.location.kind for finding in findings)
    assert kinds == {"source": 117, "image": 62, "lockfile": 46, "archive": 22, "url": 9}
    urls = [p for f in findings for p in f.result.locations if isinstance(p, UrlLocation)]
    assert len(urls) == 29
    archives = {p.archive for f in findings for p in f.result.locations if p.kind == "archive"}
    assert archives == {"app/app.jar"}
    assert all(
        place.image for f in findings for place in f.result.locations
        if isinstance(place, ArchiveLocation)
    )  # fmt: skip
    paths = [f.result.path for f in findings if f.result.path]
    assert not any(path.startswith(("/", "home/")) for path in paths)


def test_semgrep_snippets_and_spans(findings: list[Finding]) -> None:
    places = [f.result.location for f in findings if f.result.tool == "semgrep"]
    sources = [place for place in places if isinstance(place, SourceLocation)]
    assert all(place.snippet for place in sources)
    # facts.md says 48; counting start and end lines in both raw files gives 49.
    assert sum(place.start_line != place.end_line for place in sources) == 49


def test_every_osv_finding_has_a_fix_and_a_score_or_a_word(findings: list[Finding]) -> None:
    found = [f.result for f in findings if f.result.tool == "osv-scanner"]
    assert all(r.package and r.package.fixed_versions and r.package.ranges for r in found)
    assert all(any(a.startswith("CVE-") for a in r.advisories) for r in found)
    assert {r.severity_origin for r in found} <= {"cvss", "tool"}


def test_every_archive_advisory_is_known_to_osv_too(findings: list[Finding]) -> None:
    osv = {a for f in findings if f.result.tool == "osv-scanner" for a in f.result.advisories}
    archive = [f.result for f in findings if f.result.location.kind == "archive"]
    assert all(osv.intersection(result.advisories) for result in archive)


def test_base_image_packages_are_ubuntu_without_a_fix(findings: list[Finding]) -> None:
    packages = [f.result.package for f in findings if f.result.location.kind == "image"]
    assert {(p.ecosystem, p.fixed_versions) for p in packages if p} == {("Ubuntu", ())}


def test_categories(findings: list[Finding]) -> None:
    assert Counter(finding.category for finding in findings) == {
        Category.CODE: 105,
        Category.DEPENDENCY: 68,
        Category.CONTAINER: 62,
        Category.INFRASTRUCTURE: 10,
        Category.WEB: 9,
        Category.MOBILE: 1,
        Category.API: 1,
    }


def test_names_do_not_depend_on_which_other_tools_ran(reports: list[ParsedReport]) -> None:
    everything = [result for report in reports for result in report.results]
    together = dict(zip(map(id, everything), fingerprints(everything), strict=True))
    for tool in {result.tool for result in everything}:
        alone = [result for result in everything if result.tool == tool]
        assert fingerprints(alone) == [together[id(result)] for result in alone]


def test_nothing_secret_is_found_in_them(files: dict[str, bytes]) -> None:
    for name, data in files.items():
        assert redact_report(name, data) == (data, 0)
