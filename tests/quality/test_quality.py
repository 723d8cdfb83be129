"""Every verdict: good, bad, and exactly at the threshold."""

from datetime import UTC, datetime

import pytest

from secai_lib.core.fix import ProofCheck, ProofVerdict
from secai_lib.core.scan import FilesScan, ScanRun, ToolRun, ToolStatus
from secai_lib.core.settings import Quality
from secai_lib.quality import (
    analyses,
    contexts,
    findings,
    fixes,
    knowledge,
    problems,
    report,
    scans,
)
from tests.fakes.records import make_certificate, make_fix

QUALITY = Quality()
COUNTS = {
    "raw_results": 10,
    "findings": 6,
    "distinct_fingerprints": 6,
    "evidence": 8,
    "skipped_results": 2,
    "malformed": 0,
    "severity_unknown": 0,
}


def scan_run(*statuses: ToolStatus, refused: tuple[str, ...] = ()) -> ScanRun:
    request = FilesScan(repository="a", inbox="i", created_at=datetime(2026, 1, 1, tzinfo=UTC))
    tools = tuple(ToolRun(tool=f"t{i}", status=status) for i, status in enumerate(statuses))
    return ScanRun(key="k", request=request, files=(), tools=tools, skipped_files=refused)


@pytest.mark.parametrize(
    ("changed", "passed"),
    [({}, True), ({"evidence": 7}, False), ({"evidence": 9}, False), ({"raw_results": 0}, False)],
)
def test_every_raw_result_is_accounted_for(changed: dict[str, int], passed: bool) -> None:
    verdict = findings.accounted(COUNTS | changed, QUALITY)
    assert verdict.passed is passed
    assert problems.acceptable(COUNTS | changed, QUALITY) is passed


def test_fingerprints_are_unique() -> None:
    assert findings.unique_ids(COUNTS, QUALITY).passed
    assert not findings.unique_ids(COUNTS | {"distinct_fingerprints": 5}, QUALITY).passed


def test_broken_reports_and_unknown_severities_are_seen() -> None:
    assert findings.readable(COUNTS, QUALITY).passed
    assert not findings.readable(COUNTS | {"malformed": 1}, QUALITY).passed
    assert findings.severity_known(COUNTS | {"findings": 10, "severity_unknown": 1}, QUALITY).passed
    assert not findings.severity_known(COUNTS | {"severity_unknown": 1}, QUALITY).passed
    assert findings.severity_known(COUNTS | {"findings": 0}, QUALITY).passed


def test_an_absent_scanner_is_named_and_no_scanner_is_not_enough() -> None:
    ran, absent = ToolStatus.RAN, ToolStatus.ABSENT
    good = scans.expected_tools(scan_run(ran, ran, ran, absent, absent), QUALITY)
    assert good.passed
    assert "t3 (absent)" in good.sentence
    assert not scans.expected_tools(scan_run(ran, absent), QUALITY).passed
    assert not scans.expected_tools(scan_run(), QUALITY).passed


def test_refused_archives_and_expired_artifacts() -> None:
    assert scans.archives_ok(scan_run()).passed
    verdict = scans.archives_ok(scan_run(refused=("a.zip: too large",)))
    assert not verdict.passed
    assert "a.zip: too large" in verdict.sentence
    assert scans.not_expired(scan_run()).passed
    assert not scans.not_expired(scan_run().model_copy(update={"expired": True})).passed


def test_contexts() -> None:
    counts = {"exact": 8, "relocated": 0, "not_found": 2, "no_source": 3, "outside": 0}
    assert contexts.resolved_rate(counts, QUALITY).passed
    assert not contexts.resolved_rate(counts | {"not_found": 3}, QUALITY).passed
    assert contexts.resolved_rate(dict.fromkeys(counts, 0), QUALITY).passed
    assert contexts.inside_repo(counts, QUALITY).passed
    assert not contexts.inside_repo(counts | {"outside": 1}, QUALITY).passed
    assert contexts.routes_inside([], QUALITY).passed
    assert not contexts.routes_inside(["../x"], QUALITY).passed


def test_problems() -> None:
    counts = {"findings": 3, "problems": 2, "unmatched": 0, "runs": 4, "quarantined": 1}
    assert problems.parity(counts, QUALITY).passed
    assert not problems.parity(counts | {"unmatched": 1}, QUALITY).passed
    assert problems.quarantine_ratio(counts, QUALITY).passed
    assert not problems.quarantine_ratio(counts | {"quarantined": 2}, QUALITY).passed
    assert problems.quarantine_ratio(dict.fromkeys(counts, 0), QUALITY).passed


def test_only_proven_fixes_are_offered() -> None:
    good = make_fix()
    assert fixes.proven([good], QUALITY).passed
    assert fixes.proven([], QUALITY).passed
    unproven = make_fix(certificate=make_certificate(verdict=ProofVerdict.UNPROVEN))
    assert not fixes.proven([good, unproven], QUALITY).passed
    failed = good.certificate.model_copy(
        update={"checks": (ProofCheck(name="nothing_new", passed=False),)}
    )
    contradiction = good.model_copy(update={"certificate": failed})
    assert not fixes.proven([contradiction], QUALITY).passed
    assert not fixes.no_new_findings([contradiction], QUALITY).passed
    assert fixes.no_new_findings([good], QUALITY).passed


def test_abstention_and_report() -> None:
    assert fixes.abstention(10, 1, QUALITY).passed
    assert not fixes.abstention(100, 9, QUALITY).passed
    assert fixes.abstention(0, 0, QUALITY).passed
    assert report.sarif_valid([]).passed
    assert not report.sarif_valid(["no runs"]).passed
    assert report.size(QUALITY.report_max_bytes, QUALITY).passed
    assert not report.size(QUALITY.report_max_bytes + 1, QUALITY).passed


def test_the_knowledge_base() -> None:
    counts = {"documents": 200, "vectors": 200, "ids": 200, "dimension": 384}
    counts |= {"model_dimension": 384, "asked": 200, "found": 198}
    assert knowledge.size_parity(counts).passed
    for name in ("documents", "vectors", "ids"):
        assert not knowledge.size_parity(counts | {name: 199}).passed
    assert knowledge.dimension(counts).passed
    assert not knowledge.dimension(counts | {"model_dimension": 768}).passed
    assert knowledge.self_recall(counts, QUALITY).passed, "0.99 is enough"
    assert not knowledge.self_recall(counts | {"found": 197}, QUALITY).passed
    assert knowledge.self_recall(counts | {"asked": 0, "found": 0}, QUALITY).passed


def test_analyses() -> None:
    assert analyses.schema_valid(3, [], QUALITY).passed
    assert not analyses.schema_valid(3, ["p"], QUALITY).passed
    assert analyses.grounded(3, [], QUALITY).passed
    assert not analyses.grounded(3, ["p"], QUALITY).passed
    assert analyses.abstention(10, 5, QUALITY).passed
    assert not analyses.abstention(10, 4, QUALITY).passed
    assert analyses.abstention(0, 0, QUALITY).passed
