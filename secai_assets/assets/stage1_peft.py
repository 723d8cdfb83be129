"""The adapter of Stage 1 as PEFT and mlx-lm load it."""

from collections.abc import Callable, Mapping

import dagster as dg

from secai_assets.assets.base_model import base_model
from secai_assets.assets.stage1_adapter import stage1_adapter
from secai_assets.automation import when_parents_are_good
from secai_assets.resources.exports import make_export, materialize
from secai_assets.resources.house import House

NAME = "stage1_peft"


@dg.asset(
    deps=[stage1_adapter, base_model],
    group_name="exports",
    kinds={"huggingface", "safetensors"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
)
def stage1_peft(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The adapter of Stage 1 as PEFT loads it, and below `mlx/` as mlx-lm does.

    A process that did not train it loads both from their files and compares their logits with
    those of the trainer; what it measured is in `parity.json` and in the README.md beside it.
    """
    return materialize(context, house, NAME)


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    """Store the export; there are no `options`."""
    make_export(house, NAME, say)
