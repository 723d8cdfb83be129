"""Is the adapter still there in the fused model, and does it load?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.fused_model import NAME, fused_model, fused_origin, read_facts
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.quality.exports import adapter_survives, fused_loads, size

SPECS = [
    dg.AssetCheckSpec(
        "loads",
        asset=fused_model,
        blocking=True,
        description="mlx-lm loaded it as it is stored now, and it computes numbers.",
    ),
    dg.AssetCheckSpec(
        "adapter_survives",
        asset=fused_model,
        blocking=True,
        description="Rounding to the stored precision leaves the adapter's change as it is.",
    ),
    dg.AssetCheckSpec(
        "size", asset=fused_model, description="The fused model is as small as is useful."
    ),
]


@dg.multi_asset_check(specs=SPECS, can_subset=True)
def fused_model_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the fused model by what was measured when it was made; its files are hashed again."""
    yield from wear(context, _verdicts(house), asset=NAME, warnings=frozenset({"size"}))


def _verdicts(house: House) -> Iterator[Verdict]:
    facts, quality = read_facts(house), house.settings.quality
    whole = house.store.reusable(NAME, origin=fused_origin(house)) is not None
    yield fused_loads(whole, facts.logit_change)
    kept = facts.shipped
    yield adapter_survives(kept.precision, kept.overall, kept.worst, kept.worst_module, quality)
    yield size(house.store.require(NAME).counts["size_bytes"], quality)
