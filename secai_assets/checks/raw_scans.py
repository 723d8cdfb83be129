"""Is what came in whole?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.raw_scans import raw_scans, read_run
from secai_assets.checks.wear import wear, worst_of
from secai_assets.partitions import scan_run
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.quality.scans import archives_ok, not_expired

WARNINGS = frozenset({"not_expired"})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "archives_ok",
            asset=raw_scans,
            blocking=True,
            partitions_def=scan_run,
            description="No archive or folder of the run broke a limit or tried to escape.",
        ),
        dg.AssetCheckSpec(
            "not_expired",
            asset=raw_scans,
            partitions_def=scan_run,
            description="GitHub still had the artifacts of the run.",
        ),
    ],
    can_subset=True,
)
def raw_scans_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every partition of the step."""

    def judge(key: str) -> list[Verdict]:
        run = read_run(house, key)
        return [archives_ok(run), not_expired(run)]

    verdicts = worst_of(context.partition_keys, judge)
    yield from wear(context, verdicts, asset="raw_scans", warnings=WARNINGS)
