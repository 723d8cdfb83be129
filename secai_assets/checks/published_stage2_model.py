"""Is what was written of the adapter of Stage 2 safe to leave, and what was meant?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.published_stage2_model import NAME, published_stage2_model
from secai_assets.checks.wear import wear
from secai_assets.publications import check_specs, verdicts
from secai_assets.resources.house import House


@dg.multi_asset_check(specs=check_specs(published_stage2_model), can_subset=True)
def published_stage2_model_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Look at every byte again, from where it lies."""
    yield from wear(context, verdicts(house, NAME), asset=NAME)
