"""Distinct findings of a run."""

from pathlib import Path

from secai_lib.core.finding import Finding, ParsedReport, Severity, SourceLocation
from secai_lib.core.record import canonical_json
from secai_lib.findings import distinct
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples"


def load(*names: str) -> list[ParsedReport]:
    return [parse_report(name, (SAMPLES / name).read_bytes()) for name in names]


def findings(*names: str) -> list[Finding]:
    return distinct(load(*names), repository="a/b", run="run-1", commit="c" * 40)


def test_both_formats_fold_into_one_with_all_evidence() -> None:
    found = findings("semgrep/semgrep.json", "semgrep/semgrep.sarif")
    assert len(found) == 3
    for finding in found:
        assert [e.file for e in finding.evidence] == [
            "semgrep/semgrep.json",
            "semgrep/semgrep.sarif",
        ]
    evaluated = next(f for f in found if f.result.rule_id == "local.python.eval")
    place = evaluated.result.location
    assert isinstance(place, SourceLocation)
    assert place.snippet == "    return eval(text)"
    assert evaluated.result.technologies == ("python",)
    assert evaluated.result.references == ("https://cwe.mitre.org/data/definitions/95.html",)


def test_what_only_one_report_knows_is_kept() -> None:
    found = findings("trivy/image.sarif", "trivy/image.json")
    jar = next(f.result for f in found if f.result.package and f.result.package.name != "coretools")
    assert jar.advisories == ("CVE-2025-10001", "GHSA-2222-3333-4444")
    assert (jar.severity, jar.severity_score) == (Severity.HIGH, 8.7)
    assert jar.tool_version == "0.65.0"


def test_the_order_of_reports_does_not_matter() -> None:
    names = ["checkov/checkov.json", "checkov/checkov.sarif", "zizmor/zizmor.json"]
    assert canonical_json(findings(*names)) == canonical_json(findings(*names[::-1]))


def test_run_commit_and_repository_are_written_down() -> None:
    (finding,) = findings("detect-secrets/baseline.json")
    assert (finding.repository, finding.run, finding.commit) == ("a/b", "run-1", "c" * 40)


def test_nothing_in_nothing_out() -> None:
    assert distinct([], repository="a/b", run="r", commit="") == []
