"""Did every finding reach a problem?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.problems import problems
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.problems import (
    accepted_share,
    false_positive_share,
    parity,
    policy_whole,
    quarantine_ratio,
    triaged,
)

MILD = frozenset({"policy_whole", "accepted_share", "false_positive_share"})
"""They warn."""


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
        dg.AssetCheckSpec(
            "triaged",
            asset=problems,
            blocking=True,
            description="Every open problem has exactly one verdict.",
        ),
        dg.AssetCheckSpec(
            "policy_whole",
            asset=problems,
            description="Every .secai.yaml of a scanned repository could be read whole.",
        ),
        dg.AssetCheckSpec(
            "accepted_share",
            asset=problems,
            description="Not too many open problems are accepted instead of mended.",
        ),
        dg.AssetCheckSpec(
            "false_positive_share",
            asset=problems,
            description="Not too many open problems are silenced by rules of triage.",
        ),
    ],
    can_subset=True,
)
def problems_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the corpus."""
    counts, quality = house.store.require("problems").counts, house.settings.quality
    verdicts = [
        judge(counts, quality)
        for judge in (
            parity,
            quarantine_ratio,
            triaged,
            policy_whole,
            accepted_share,
            false_positive_share,
        )
    ]
    yield from wear(context, verdicts, asset="problems", warnings=MILD)
