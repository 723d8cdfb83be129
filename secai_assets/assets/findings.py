"""Reports become findings; nothing is lost in silence."""

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.raw_scans import raw_scans, read_run
from secai_assets.partitions import each_partition, scan_run
from secai_assets.resources.house import House
from secai_lib.core.finding import (
    Finding,
    Result,
    Severity,
    Skipped,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan import FilesScan, ScanRun
from secai_lib.findings import coverage, distinct, intake
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import FINDINGS, SKIPPED
from secai_lib.gateways.tables import from_parquet, to_parquet
from secai_lib.parsers import parse_report


@dg.asset(
    deps=[raw_scans],
    partitions_def=scan_run,
    group_name="ingest",
    kinds={"parquet", "python"},
    owners=["team:secai"],
    backfill_policy=dg.BackfillPolicy.single_run(),
    metadata={
        "dagster/column_schema": metadata.column_schema(
            FINDINGS, Finding, Result, SourceLocation, UrlLocation
        )
    },
)
def findings(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The distinct findings of a scan run, one row each, with all raw results that say them.

    Every raw result is a finding, evidence of one, or skipped with a reason.
    """

    def make(key: str) -> dict[str, dg.MetadataValue]:
        manifest, reused = parse_run(house, key)
        found, skipped = read_findings(house, key), read_skipped(house, key)
        rows = [
            {
                "severity": f.result.severity.value,
                "tool": f.result.tool,
                "rule": f.result.rule_id,
                "title": f.result.title,
                "place": f.result.path or f.result.location.kind,
                "line": f.result.line or 0,
            }
            for f in sorted(found, key=lambda f: (f.result.severity.rank, f.fingerprint))
        ]
        return metadata.of_manifest(manifest, reused=reused) | {
            "dagster/partition_row_count": dg.MetadataValue.int(len(found)),
            "by_tool": metadata.bars(
                "Findings by tool", metadata.count_by(f.result.tool for f in found)
            ),
            "by_severity": metadata.bars(
                "Findings by severity", metadata.count_by(f.result.severity.value for f in found)
            ),
            "worst": metadata.table(rows),
            "tools": metadata.tools(read_covered_run(house, key).tools),
            "skipped": metadata.table([{"file": s.file, "reason": s.reason} for s in skipped]),
        }

    return each_partition(context, make)


def parse_run(house: House, key: str) -> tuple[Manifest, bool]:
    """The manifest of the findings of `key`, and whether what was there could be kept."""
    run = read_run(house, key)
    origin = Origin(
        inputs={"raw_scans": content_hash(run)},
        settings=content_hash(house.settings.scanners.enabled),
        code_version=code_version("parsers", "findings"),
    )
    if kept := house.store.reusable("findings", key, origin=origin):
        return kept, True
    files = ((f.path, house.store.read("raw_scans", f"files/{f.path}", key)) for f in run.files)
    reports, skipped_files = intake(files, parse_report)
    request = run.request
    found = distinct(reports, repository=request.repository, run=key, commit=request.commit)
    left_out = request.left_out if isinstance(request, FilesScan) else ()
    skipped = [
        *(Skipped(file=one.path, reason=one.reason) for one in left_out),
        *skipped_files,
        *(s for report in reports for s in report.skipped),
    ]
    complete = run.model_copy(
        update={"tools": coverage(run.tools, reports, house.settings.scanners.enabled)}
    )
    counts = {
        "raw_results": sum(report.raw_results for report in reports),
        "findings": len(found),
        "distinct_fingerprints": len({f.fingerprint for f in found}),
        "evidence": sum(len(f.evidence) for f in found),
        "skipped_results": sum(s.results for s in skipped),
        "skipped": len(skipped),
        "malformed": sum(s.malformed for s in skipped),
        "reports": len(reports),
        "severity_unknown": sum(f.result.severity is Severity.UNKNOWN for f in found),
    }
    data = {
        "findings.parquet": to_parquet(found, FINDINGS),
        "skipped.parquet": to_parquet(skipped, SKIPPED, run=key),
        "run.json": canonical_json(complete).encode(),
    }
    return house.store.publish("findings", data, key=key, counts=counts, origin=origin), False


def read_findings(house: House, key: str) -> list[Finding]:
    """The findings of the scan run `key`."""
    return from_parquet(house.store.read("findings", "findings.parquet", key), Finding)


def read_skipped(house: House, key: str) -> list[Skipped]:
    """What of the scan run `key` became no finding, and why."""
    return from_parquet(house.store.read("findings", "skipped.parquet", key), Skipped)


def read_covered_run(house: House, key: str) -> ScanRun:
    """The scan run `key` with every scanner's status, as its reports show it."""
    return ScanRun.model_validate_json(house.store.read("findings", "run.json", key))
