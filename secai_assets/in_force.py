"""Is what lies in the store what Dagster knows of, and made of what lies there now?

A run that is killed behind the step's work leaves a product that no materialization tells of, and
a part of the flow made alone leaves products of others that are older than what they are made of.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from secai_lib.core.record import content_hash

if TYPE_CHECKING:
    from secai_assets.resources.house import House

MODELS = frozenset({"base_model", "embedding_model"})
"""Products whose data version is the model's identity."""
VERSION = "dagster/data_version"
OURS = "dagster/data_version_is_user_provided"


def unseen(instance: dg.DagsterInstance, house: "House", assets: Collection[str]) -> Iterator[str]:
    """Those of `assets` whose content in the store is not that of their newest materialization.

    What nobody gave a data version, and what is stored in parts, is not looked at.
    """
    for asset in sorted(assets):
        newest = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
        made = newest[0].asset_materialization if newest else None
        tags = made.tags if made and made.tags else {}
        here = _version(house, asset)
        if here and OURS in tags and tags[VERSION] != here:
            yield asset


def outdated(house: "House", product: str, inputs: Mapping[str, str]) -> list[str]:
    """The products in `inputs` of which `product` was made in another version than the one here.

    `inputs` say under which name of its origin each product stands: name -> product.
    """
    was = house.store.require(product).origin.inputs
    return [
        name
        for known_as, name in sorted(inputs.items())
        if was.get(known_as) != content_hash(house.store.require(name).files)
    ]


def _version(house: "House", asset: str) -> str:
    from secai_assets.resources.models import read_model  # the house asks for the gate's module

    manifest = house.store.manifest(asset)
    if manifest is None:
        return ""
    return content_hash(read_model(house, asset).identity if asset in MODELS else manifest.files)
