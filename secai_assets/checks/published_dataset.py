"""Is what was written of the data sets safe to leave, and what was meant?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.published_dataset import NAME, published_dataset
from secai_assets.checks.wear import wear
from secai_assets.publications import check_specs, verdicts
from secai_assets.resources.house import House


@dg.multi_asset_check(specs=check_specs(published_dataset), can_subset=True)
def published_dataset_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Look at every byte again, from where it lies."""
    yield from wear(context, verdicts(house, NAME), asset=NAME)
