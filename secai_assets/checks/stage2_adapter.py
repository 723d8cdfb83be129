"""Was Stage 2 trained as config/ asks, from where Stage 1 ended, and did it learn?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.stage2_adapter import NAME, stage2_adapter
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_assets.training_views import (
    WARNINGS,
    adapter_check_specs,
    adapter_verdicts,
    lineage_verdict,
)

RESUMED = dg.AssetCheckSpec(
    "resumed_from_stage1",
    asset=stage2_adapter,
    blocking=True,
    description="Training began as the Stage 1 adapter that lies here: base, names, shapes, hashes "
    "and the loss of its probe rows.",
)


@dg.multi_asset_check(specs=[RESUMED, *adapter_check_specs(stage2_adapter)], can_subset=True)
def stage2_adapter_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the adapter from its files, Stage 1's, and the settings of today."""
    verdicts = [lineage_verdict(house), *adapter_verdicts(house, 2)]
    yield from wear(context, verdicts, asset=NAME, warnings=WARNINGS)
