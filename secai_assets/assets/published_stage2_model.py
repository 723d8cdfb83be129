"""The adapter of Stage 2, as the Hub would hold it."""

import dagster as dg

from secai_assets.publications import Content, publish
from secai_assets.published_models import gather_adapter
from secai_assets.resources.house import House
from secai_lib.publishing.release import Gate

NAME = "published_stage2_model"


@dg.asset(
    deps=["stage2_peft", "stage2_adapter", "fused_model", "evaluation"],
    group_name="publications",
    kinds={"huggingface", "safetensors"},
    owners=["team:secai"],
)
def published_stage2_model(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The adapter that fixes weaknesses: PEFT and MLX files, and a card of measured numbers.

    Every blocking check of what it is made of must have passed on what is there now, and the guard
    must find nothing: otherwise nothing is written. When a score gate failed, it is written as a
    candidate and not pushed. A dry run into a folder by default.
    """
    return publish(context, house, NAME, "model", gather)


def gather(house: House, repository: str, gates: tuple[Gate, ...]) -> Content:
    """The files of the repository."""
    return gather_adapter(house, 2, repository, gates)
