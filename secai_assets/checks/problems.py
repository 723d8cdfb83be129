"""Did every finding reach a problem?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.problems import problems
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.problems import parity, quarantine_ratio


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "parity",
            asset=problems,
            blocking=True,
            description="Every finding of the newest accepted runs is in a problem.",
        ),
        dg.AssetCheckSpec(
            "quarantine_ratio",
            asset=problems,
            blocking=True,
            description="Few scan runs were left out because their own checks failed.",
        ),
    ],
    can_subset=True,
)
def problems_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the corpus."""
    counts, quality = house.store.require("problems").counts, house.settings.quality
    verdicts = (parity(counts, quality), quarantine_ratio(counts, quality))
    yield from wear(context, verdicts, asset="problems")
