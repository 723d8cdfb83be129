"""Grype's generations: the list of 2020, the documents since, its SARIF."""

import json
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    ParsedReport,
    Result,
    Severity,
)
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples" / "grype"
IMAGE = "ghcr.io/example/shop:latest"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def changed(name: str, **source: Any) -> ParsedReport:
    document = json.loads((SAMPLES / name).read_bytes())
    document["source"] = source
    return parse_report(name, json.dumps(document).encode())


def test_an_image_has_packages_of_its_system_and_of_its_archives() -> None:
    report = load("image.json")
    system, archive = report.results
    assert system.location == ImageLocation(image=IMAGE, target=f"{IMAGE} (ubuntu 24.04)")
    assert (system.severity, system.severity_score) == (Severity.LOW, 6.5)
    assert system.message == "A session can escape to its parent."
    assert system.cwes == ("CWE-20",)
    assert system.package is not None
    assert (system.package.ecosystem, system.package.fixed_versions) == ("Ubuntu", ())
    assert archive.location == ArchiveLocation(
        archive="app/app.jar", member="BOOT-INF/lib/codec-1.4.0.jar", image=IMAGE
    )
    assert archive.package is not None
    assert (archive.package.ecosystem, archive.package.name) == ("Maven", "org.example:codec")
    assert archive.package.fixed_versions == ("1.4.7",)
    assert archive.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444")
    assert (archive.severity_score, archive.cwes) == (8.7, ("CWE-125",))
    assert archive.tool_version == "0.104.0"


def test_packages_that_grype_warns_about_are_noted() -> None:
    (warning,) = load("image.json").skipped
    assert (warning.pointer, warning.results) == ("/alertsByPackage", 0)
    assert "1 packages" in warning.reason


def test_grype_and_trivy_name_the_same_package_alike() -> None:
    trivy = parse_report("t.json", (SAMPLES.parent / "trivy" / "image.json").read_bytes())
    for ours, theirs in zip(load("image.json").results, trivy.results, strict=True):
        assert ours.package is not None
        assert theirs.package is not None
        assert ours.package.name == theirs.package.name
        assert ours.package.version == theirs.package.version
        assert set(ours.advisories) & set(theirs.advisories)


def test_a_folder_has_lockfiles_and_archives() -> None:
    lockfile, archive, ignored = load("directory.json").results
    assert lockfile.location == LockfileLocation(path="web/package-lock.json")
    assert lockfile.package is not None
    assert lockfile.package.name == "@example/leftover"
    assert archive.location == ArchiveLocation(archive="server/lib/logs-1.4.2.jar")
    assert (archive.severity, archive.severity_origin) == (Severity.CRITICAL, "cvss")
    assert archive.package is not None
    assert archive.package.ecosystem == "Maven"
    assert [r.suppressed for r in (lockfile, archive, ignored)] == [False, False, True]
    assert ignored.package is not None
    assert (ignored.package.ecosystem, ignored.package.name) == ("Go", "example.org/tool")


@pytest.mark.parametrize(
    ("folder", "path"),
    [
        (".", "web/package-lock.json"),
        ("./server", "server/web/package-lock.json"),
        ("/home/runner/work/shop/shop/server", "server/web/package-lock.json"),
        ("/opt/somewhere", "web/package-lock.json"),
    ],
)
def test_paths_are_those_below_the_scanned_folder(folder: str, path: str) -> None:
    report = changed("directory.json", type="directory", target=folder)
    assert report.results[0].location == LockfileLocation(path=path)


def test_a_folder_outside_the_repository_has_no_place() -> None:
    report = changed("directory.json", type="directory", target="../other")
    assert isinstance(report.results[0].location, NoLocation)
    assert isinstance(report.results[1].location, NoLocation)


def test_a_list_of_packages_has_no_files() -> None:
    report = changed("directory.json", type="sbom-file", target="sbom.json")
    assert {type(result.location) for result in report.results} == {NoLocation}


def test_the_list_of_2020() -> None:
    report = load("list.json")
    system, python = report.results
    assert system.location == ImageLocation(image="system packages", target="system packages")
    assert system.package is not None
    assert system.package.fixed_versions == ("9.5-1",)
    assert system.references == ("https://security-tracker.example.org/CVE-2016-30003",)
    assert (system.severity, system.severity_score) == (Severity.LOW, 2.1)
    assert python.location == ArchiveLocation(
        archive="usr/lib/python3/dist-packages/parsely-2.0.1.dist-info/METADATA"
    )
    assert (python.severity, python.severity_origin) == (Severity.HIGH, "cvss")


def without_places(result: Result) -> dict[str, Any]:
    return result.model_dump(
        include={"rule_id", "title", "message", "severity", "severity_origin", "severity_score"}
    )


def test_sarif_of_an_image_says_the_same_as_the_json() -> None:
    *same, again = load("image.sarif").results
    for ours, theirs in zip(same, load("image.json").results, strict=True):
        assert without_places(ours) == without_places(theirs)
        assert ours.package is not None
        assert theirs.package is not None
        assert ours.package == theirs.package
    system, archive = same
    assert system.location == ImageLocation(image=IMAGE, target=f"{IMAGE} (ubuntu 24.04)")
    assert archive.location == ArchiveLocation(archive="app/app.jar", image=IMAGE)
    # Results that share a rule have their own versions and places.
    assert again.location == ArchiveLocation(archive="opt/tool.jar", image=IMAGE)
    assert again.package is not None
    assert again.package.version == "1.4.1"


def test_sarif_of_a_folder_under_a_new_and_an_old_name() -> None:
    report = load("directory.sarif")
    assert report.tools == ("grype",)
    *folder, image = report.results
    for result in folder:
        assert result.rule_id == "GHSA-2345-6789-cfgh"
        assert result.location == LockfileLocation(path="web/package-lock.json")
        assert not result.suppressed
        assert result.package is not None
        assert (result.package.ecosystem, result.package.fixed_versions) == ("npm", ("1.0.1",))
    assert [r.package.name for r in folder if r.package] == ["@example/leftover", "leftover"]
    assert image.location == ImageLocation(image=IMAGE, target=f"{IMAGE} (debian 10)")
    assert image.package is not None
    assert (image.package.ecosystem, image.package.version) == ("Debian", "9.4-3")


@pytest.mark.parametrize("part", ["vulnerability", "artifact"])
def test_a_broken_match_hides_no_other(part: str) -> None:
    document = json.loads((SAMPLES / "image.json").read_bytes())
    document["matches"][0][part] = [[1]]
    report = parse_report("g.json", json.dumps(document).encode())
    assert [s.pointer for s in report.skipped if s.malformed] == ["/matches/0"]
    assert (len(report.results), report.raw_results) == (1, 2)


def test_a_descriptor_alone_is_a_run_without_results() -> None:
    report = parse_report("g.json", b'{"matches": [], "descriptor": {"name": "grype"}}')
    assert (report.tools, report.raw_results) == (("grype",), 0)
