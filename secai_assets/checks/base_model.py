"""Is the base model whole, readable, and may it be used?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.base_model import base_model
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_assets.resources.models import check_specs, model_verdicts


@dg.multi_asset_check(specs=check_specs(base_model), can_subset=True)
def base_model_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the base model as it lies in the models folder."""
    yield from wear(context, model_verdicts(house, "base_model"), asset="base_model")
