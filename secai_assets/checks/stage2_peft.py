"""Does the export of Stage 2 compute what was trained?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.stage2_peft import NAME, stage2_peft
from secai_assets.checks.wear import wear
from secai_assets.resources.exports import check_specs, export_verdicts
from secai_assets.resources.house import House


@dg.multi_asset_check(specs=check_specs(stage2_peft), can_subset=True)
def stage2_peft_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the files of the export and what they computed when they were loaded again."""
    yield from wear(context, export_verdicts(house, NAME), asset=NAME)
