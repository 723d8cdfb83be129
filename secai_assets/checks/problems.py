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

JUDGES = (parity, quarantine_ratio, triaged, policy_whole, accepted_share, false_positive_share)

MILD = frozenset({"policy_whole", "accepted_share", "false_positive_share"})


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
            description="Every problem has exactly one decision: what it is worth, and why.",
        ),
        dg.AssetCheckSpec(
            "policy_whole",
            asset=problems,
            description="What people accept in `.secai.yaml` could be read.",
        ),
        dg.AssetCheckSpec(
            "accepted_share",
            asset=problems,
            description="People accept few of the open problems.",
        ),
        dg.AssetCheckSpec(
            "false_positive_share",
            asset=problems,
            description="Few of the open problems are judged false positives.",
        ),
    ],
    can_subset=True,
)
def problems_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the corpus."""
    counts, quality = house.store.require("problems").counts, house.settings.quality
    verdicts = tuple(judge(counts, quality) for judge in JUDGES)
    yield from wear(context, verdicts, asset="problems", warnings=MILD)
