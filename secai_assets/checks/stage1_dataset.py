"""May the data set of Stage 1 be trained on?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.stage1_dataset import NAME, stage1_dataset
from secai_assets.checks.wear import wear
from secai_assets.dataset_views import WARNINGS, dataset_check_specs, dataset_verdicts
from secai_assets.resources.house import House


@dg.multi_asset_check(specs=dataset_check_specs(stage1_dataset), can_subset=True)
def stage1_dataset_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every row, and every pair of rows of different parts."""
    yield from wear(context, dataset_verdicts(house, NAME), asset=NAME, warnings=WARNINGS)
