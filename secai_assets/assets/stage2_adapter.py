"""How Stage 2 is trained: fixing a vulnerability, from where Stage 1 ended."""

from collections.abc import Mapping

import dagster as dg

from secai_assets.assets.base_model import base_model
from secai_assets.assets.stage1_adapter import stage1_adapter
from secai_assets.assets.stage1_dataset import stage1_dataset
from secai_assets.assets.stage2_dataset import stage2_dataset
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_assets.resources.training import Say, adapter_origin, train_stage
from secai_assets.training_views import adapter_metadata
from secai_lib.core.record import content_hash

NAME = "stage2_adapter"


@dg.asset(
    deps=[stage2_dataset, stage1_dataset, stage1_adapter, base_model],
    group_name="training",
    kinds={"python", "safetensors"},
    owners=["team:secai"],
)
def stage2_adapter(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The adapter that fixes a vulnerability; it goes on from Stage 1 and replays its rows.

    Names, shapes and hashes of the matrices and the loss of the probe rows of Stage 1 are
    compared before the first step; a difference stops the run. Settings stand in
    `config/stage2.yaml`. Started by hand (`secai train`), because it takes minutes to hours.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=adapter_origin(house, 2))
        if not kept:
            run_child(context, house, __name__)
        manifest = house.store.require(NAME)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=adapter_metadata(house, 2, reused=kept is not None),
    )


def make(house: House, options: Mapping[str, object], say: Say) -> None:
    """Train and store the adapter, unless another process was quicker; there are no `options`."""
    if not house.store.reusable(NAME, origin=adapter_origin(house, 2)):
        train_stage(house, 2, say)
