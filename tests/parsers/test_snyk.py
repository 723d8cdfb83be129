"""Snyk's JSON: open source, container, infrastructure."""

import json
from pathlib import Path

import pytest

from secai_lib.core.errors import UnknownFormat
from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    Package,
    ParsedReport,
    Severity,
    SourceLocation,
    VersionRange,
)
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report
from secai_lib.parsers.intervals import ranges_in

SAMPLES = Path(__file__).parents[1] / "samples" / "snyk"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_several_projects() -> None:
    report = load("projects.json")
    assert (report.tools, report.raw_results) == (("snyk",), 6)
    deep, direct, ignored, codec = report.results
    assert deep.package == Package(
        ecosystem="npm",
        name="minitool",
        version="1.2.0",
        fixed_versions=("0.2.4", "1.2.6"),
        ranges=(VersionRange(fixed="0.2.4"), VersionRange(introduced="1.0.0", fixed="1.2.6")),
    )
    assert deep.location == LockfileLocation(path="web/package-lock.json")
    assert deep.advisories == (
        "CVE-2025-20001", "GHSA-5555-6666-7777", "SNYK-JS-MINITOOL-1000001",
    )  # fmt: skip
    assert (deep.severity, deep.severity_score, deep.cwes) == (
        Severity.CRITICAL, 9.8, ("CWE-1321",),
    )  # fmt: skip
    assert deep.message.endswith("Introduced through shop@1.0.0 > render@2.1.0 > minitool@1.2.0.")
    assert direct.severity_score == 9.8
    assert (ignored.rule_id, ignored.suppressed) == ("SNYK-JS-QUIET-1000002", True)
    assert codec.path == "server/build.gradle.kts"
    assert codec.package is not None
    assert (codec.package.ecosystem, codec.severity_score) == ("Maven", 7.5)
    assert codec.package.ranges == (
        VersionRange(fixed="1.2.9"), VersionRange(introduced="1.4.0", fixed="1.4.7"),
    )  # fmt: skip


def test_what_is_no_finding_is_counted_with_its_reason() -> None:
    assert [(s.reason, s.results) for s in load("projects.json").skipped] == [
        ("licences are no security findings", 1),
        ("snyk patched the package in place", 1),
        ("snyk could not test a project", 0),
    ]


def test_paths_to_one_package_are_one_finding() -> None:
    findings = distinct([load("projects.json")], repository="a/b", run="1", commit="")
    assert sorted(len(finding.evidence) for finding in findings) == [1, 1, 2]


def test_a_clean_project_is_a_run() -> None:
    report = load("clean.json")
    assert (report.tools, report.raw_results) == (("snyk",), 0)


def test_container_with_an_application_inside() -> None:
    system, application = load("container.json").results
    image = "ghcr.io/example/shop:latest"
    assert system.location == ImageLocation(image=image)
    assert system.package == Package(
        ecosystem="Debian",
        name="coretools-bin",
        version="9.4-3",
        ranges=(VersionRange(),),
    )
    assert system.advisories == ("CVE-2016-30003", "SNYK-DEBIAN12-CORETOOLS-1000004")
    assert application.location == ArchiveLocation(archive="app/package.json", image=image)
    assert application.package is not None
    assert application.package.fixed_versions == ("1.2.6",)


@pytest.mark.parametrize(
    ("path", "image"),
    [
        ("example/shop:latest/worker", "example/shop:latest"),
        ("registry:5000/shop", "registry:5000/shop"),
        ("registry:5000/shop:1.0/worker", "registry:5000/shop:1.0"),
        ("example/shop", "example/shop"),
    ],
)
def test_a_part_of_an_image_lies_in_the_image(path: str, image: str) -> None:
    body = json.loads((SAMPLES / "container.json").read_bytes())
    body["path"] = path
    report = parse_report("c.json", json.dumps(body).encode())
    assert report.results[0].location == ImageLocation(image=image)


def test_infrastructure() -> None:
    report = load("iac.json")
    bucket, tag = report.results
    assert bucket.location == SourceLocation(path="infra/storage.tf", start_line=7, end_line=7)
    assert (bucket.severity, bucket.technologies) == (Severity.HIGH, ("terraform",))
    assert bucket.message == "Everybody may read the bucket. Data may leak"
    assert bucket.resource == "resource.aws_s3_bucket[data].acl"
    assert bucket.references == (
        "https://security.snyk.io/rules/cloud/SNYK-CC-TF-900", "https://example.org/acl",
    )  # fmt: skip
    assert (tag.line, tag.suppressed, tag.message) == (None, True, "Owner tag is missing")


@pytest.mark.parametrize(
    ("texts", "ranges"),
    [
        (("[1.0]",), (VersionRange(introduced="1.0", last_affected="1.0"),)),
        (("(,2.0]",), (VersionRange(last_affected="2.0"),)),
        (("[1.0,)",), (VersionRange(introduced="1.0"),)),
        (("<2.0.0 || >=3.0.0 <3.1.0",),
         (VersionRange(fixed="2.0.0"), VersionRange(introduced="3.0.0", fixed="3.1.0"))),
        (("<1.0.0", "who knows"), ()),
        ((), ()),
    ],
)  # fmt: skip
def test_ranges(texts: tuple[str, ...], ranges: tuple[VersionRange, ...]) -> None:
    assert ranges_in(texts) == ranges


def test_a_list_of_vulnerabilities_of_others_is_not_snyk() -> None:
    with pytest.raises(UnknownFormat):
        parse_report("g.json", b'{"version": "15.0.0", "vulnerabilities": [], "scan": {}}')
