"""Is the code round a finding the right code?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.code_contexts import code_contexts
from secai_assets.checks.wear import wear, worst_of
from secai_assets.partitions import scan_run
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.quality.contexts import inside_repo, resolved_rate

WARNINGS = frozenset({"resolved_rate"})


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "inside_repo",
            asset=code_contexts,
            blocking=True,
            partitions_def=scan_run,
            description="Every context comes from a file of the scanned commit.",
        ),
        dg.AssetCheckSpec(
            "resolved_rate",
            asset=code_contexts,
            partitions_def=scan_run,
            description="Most findings about code were found again at the commit.",
        ),
    ],
    can_subset=True,
)
def code_contexts_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every partition of the step."""
    quality = house.settings.quality

    def judge(key: str) -> list[Verdict]:
        counts = house.store.require("code_contexts", key).counts
        return [inside_repo(counts, quality), resolved_rate(counts, quality)]

    verdicts = worst_of(context.partition_keys, judge)
    yield from wear(context, verdicts, asset="code_contexts", warnings=WARNINGS)
