"""Is every forged pair proven?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.forge_pairs import forge_pairs, read_pairs
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.forge_pairs import kinds, licence, proven


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "proven",
            asset=forge_pairs,
            blocking=True,
            description="Every certificate says proven, and its edits lead to the clean file.",
        ),
        dg.AssetCheckSpec(
            "licence",
            asset=forge_pairs,
            blocking=True,
            description="Every pair names the licence of its text; our own are Apache-2.0.",
        ),
        dg.AssetCheckSpec(
            "kinds",
            asset=forge_pairs,
            description="The number of kinds of weakness among the pairs.",
        ),
    ],
    can_subset=True,
)
def forge_pairs_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every forged pair."""
    quality, pairs = house.settings.quality, read_pairs(house)
    verdicts = (proven(pairs, quality), licence(pairs), kinds(pairs, quality))
    yield from wear(context, verdicts, asset="forge_pairs", warnings=frozenset({"kinds"}))
