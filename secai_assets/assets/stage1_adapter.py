"""How Stage 1 is trained: reading a vulnerability."""

from collections.abc import Mapping

import dagster as dg

from secai_assets.assets.base_model import base_model
from secai_assets.assets.stage1_dataset import stage1_dataset
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_assets.resources.training import Say, adapter_origin, train_stage
from secai_assets.training_views import adapter_metadata
from secai_lib.core.record import content_hash

NAME = "stage1_adapter"


@dg.asset(
    deps=[stage1_dataset, base_model],
    group_name="training",
    kinds={"python", "safetensors"},
    owners=["team:secai"],
)
def stage1_adapter(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The adapter that reads a vulnerability, trained on the data set of Stage 1.

    Settings stand in `config/stage1.yaml`; `training.json` proves that each reached the trainer.
    A killed training goes on from its last checkpoint, bit by bit. Started by hand (`secai
    train`), because it takes minutes to hours.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=adapter_origin(house, 1))
        if not kept:
            run_child(context, house, __name__)
        manifest = house.store.require(NAME)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=adapter_metadata(house, 1, reused=kept is not None),
    )


def make(house: House, options: Mapping[str, object], say: Say) -> None:
    """Train and store the adapter, unless another process was quicker; there are no `options`."""
    if not house.store.reusable(NAME, origin=adapter_origin(house, 1)):
        train_stage(house, 1, say)
