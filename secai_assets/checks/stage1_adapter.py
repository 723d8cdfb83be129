"""Was Stage 1 trained as config/ asks, and did it learn?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.stage1_adapter import NAME, stage1_adapter
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_assets.training_views import WARNINGS, adapter_check_specs, adapter_verdicts


@dg.multi_asset_check(specs=adapter_check_specs(stage1_adapter), can_subset=True)
def stage1_adapter_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the adapter from its files and the settings of today."""
    yield from wear(context, adapter_verdicts(house, 1), asset=NAME, warnings=WARNINGS)
