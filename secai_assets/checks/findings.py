"""Is every raw result accounted for, once, and did the scanners run?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.findings import findings, read_covered_run
from secai_assets.checks.wear import wear, worst_of
from secai_assets.partitions import scan_run
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.quality.findings import accounted, readable, severity_known, unique_ids
from secai_lib.quality.scans import expected_tools

WARNINGS = frozenset({"readable", "severity_known", "expected_tools"})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "accounted",
            asset=findings,
            blocking=True,
            partitions_def=scan_run,
            description="Every raw result is in a finding or skipped with a reason.",
        ),
        dg.AssetCheckSpec(
            "unique_ids",
            asset=findings,
            blocking=True,
            partitions_def=scan_run,
            description="No two findings of a run share a fingerprint.",
        ),
        dg.AssetCheckSpec(
            "readable",
            asset=findings,
            partitions_def=scan_run,
            description="No report and no result was broken.",
        ),
        dg.AssetCheckSpec(
            "severity_known",
            asset=findings,
            partitions_def=scan_run,
            description="Most findings say how bad they are.",
        ),
        dg.AssetCheckSpec(
            "expected_tools",
            asset=findings,
            partitions_def=scan_run,
            description="Enough of the expected scanners ran; an absent one is not a clean one.",
        ),
    ],
    can_subset=True,
)
def findings_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every partition of the step."""
    quality = house.settings.quality

    def judge(key: str) -> list[Verdict]:
        counts = house.store.require("findings", key).counts
        return [
            accounted(counts, quality),
            unique_ids(counts, quality),
            readable(counts, quality),
            severity_known(counts, quality),
            expected_tools(read_covered_run(house, key), quality),
        ]

    verdicts = worst_of(context.partition_keys, judge)
    yield from wear(context, verdicts, asset="findings", warnings=WARNINGS)
