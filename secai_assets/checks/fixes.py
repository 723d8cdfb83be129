"""Is every offered fix proven?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.fixes import fixes, places, read_fixes
from secai_assets.checks.wear import worn
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
    ]
)
def fixes_checks(house: dg.ResourceParam[House]) -> Iterator[dg.AssetCheckResult]:
    """Judge every offered fix of every repository."""
    quality, all_places = house.settings.quality, places(house)
    offered = [fix for place in all_places for fix in read_fixes(house, place)]
    counts = [house.store.require("fixes", place.key).counts for place in all_places]
    yield worn(proven(offered, quality), asset="fixes")
    yield worn(no_new_findings(offered, quality), asset="fixes")
    verdict = abstention(sum(c["open"] for c in counts), sum(c["fixed"] for c in counts), quality)
    yield worn(verdict, asset="fixes", warning=True)
