"""Is every offered fix proven?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.fixes import fixes, places, read_fixes
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.fixes import abstention, no_new_findings, proven


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "proven",
            asset=fixes,
            blocking=True,
            description="Every offered fix has a certificate in which every check passed.",
        ),
        dg.AssetCheckSpec(
            "no_new_findings",
            asset=fixes,
            blocking=True,
            description="After no offered fix does any scanner report something new.",
        ),
        dg.AssetCheckSpec(
            "abstention",
            asset=fixes,
            description="The share of open problems without a proven fix.",
        ),
    ],
    can_subset=True,
)
def fixes_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every offered fix of every repository."""
    quality, all_places = house.settings.quality, places(house)
    offered = [fix for place in all_places for fix in read_fixes(house, place)]
    counts = [house.store.require("fixes", place.key).counts for place in all_places]
    total, fixed = (sum(count[name] for count in counts) for name in ("open", "fixed"))
    verdicts = (
        proven(offered, quality),
        no_new_findings(offered, quality),
        abstention(total, fixed, quality),
    )
    yield from wear(context, verdicts, asset="fixes", warnings=frozenset({"abstention"}))
