"""Does the knowledge base hold what it should, and is it found again?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.knowledge_base import knowledge_base
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.knowledge import dimension, self_recall, size_parity


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "size_parity",
            asset=knowledge_base,
            blocking=True,
            description="There are as many vectors as documents as ids.",
        ),
        dg.AssetCheckSpec(
            "dimension",
            asset=knowledge_base,
            blocking=True,
            description="The index holds vectors as long as the embedding model makes them.",
        ),
        dg.AssetCheckSpec(
            "self_recall",
            asset=knowledge_base,
            blocking=True,
            description="A search for a document's own text finds it (or its double) first.",
        ),
    ],
    can_subset=True,
)
def knowledge_base_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge what was counted when the stored index was read back."""
    counts = house.store.require("knowledge_base").counts
    verdicts = (
        size_parity(counts),
        dimension(counts),
        self_recall(counts, house.settings.quality),
    )
    yield from wear(context, verdicts, asset="knowledge_base")
