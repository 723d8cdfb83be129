"""What the assets of both models share: keeping one, reading it, showing and judging it."""

from collections.abc import Callable, Iterator

import dagster as dg

from secai_assets import metadata
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.core.errors import ModelError, StorageError
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.settings import ModelSource
from secai_lib.core.verdict import Verdict
from secai_lib.gateways.code_version import code_version
from secai_lib.quality.models import licence, loads, sha256

FILE = "model.json"


def materialize(
    context: dg.AssetExecutionContext, house: House, product: str
) -> dg.MaterializeResult[None]:
    """What the UI shows of the model that is recorded as `product`.

    Only one that is not whole on the shelf costs a child process.
    """
    with explained():
        source = house.model_source(product)
        here = house.shelf.find(source)
        # the shelf is shared: another project may have fetched a newer commit to the same place
        kept = (
            here is not None
            and house.store.reusable(product, origin=_origin(source)) is not None
            and read_model(house, product).identity == here.identity
        )
        if here is None:
            run_child(context, house, f"secai_assets.assets.{product}")
        elif not kept:
            make_model(house, product, context.log.info)
        return shown(read_model(house, product), reused=kept)


def make_model(house: House, product: str, say: Callable[[str], None]) -> Manifest:
    """The manifest of `product` after its model was fetched where it was not here."""
    source = house.model_source(product)
    model = house.shelf.obtain(source, say)
    return house.store.publish(
        product,
        {FILE: canonical_json(model).encode()},
        origin=_origin(source),
        counts={"parameters": model.parameters, "size_bytes": model.size_bytes},
    )


def read_model(house: House, product: str) -> Model:
    """The model that `product` records.

    Raises:
        StorageError: it was never materialized.
    """
    return Model.model_validate_json(house.store.read(product, FILE))


def shown(model: Model, *, reused: bool) -> dg.MaterializeResult[None]:
    """What the UI shows of `model`."""
    files = [{"file": name, "sha256": digest} for name, digest in sorted(model.files.items())]
    facts = {
        "name": model.name,
        "uri": model.uri,
        "revision": model.revision,
        "licence": model.licence,
        "licence_origin": model.licence_origin,
        "architecture": model.architecture,
        "source_sha256": model.source_sha256,
    }
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(model.identity)),
        metadata={name: dg.MetadataValue.text(value) for name, value in facts.items()}
        | {
            "parameters": dg.MetadataValue.int(model.parameters),
            "size_megabytes": dg.MetadataValue.float(round(model.size_bytes / 1e6, 1)),
            "reused": dg.MetadataValue.bool(reused),
            "files": metadata.table(files),
        },
    )


def model_verdicts(house: House, product: str) -> Iterator[Verdict]:
    """What is to be said of the model that `product` records; its files are hashed again."""
    model = read_model(house, product)
    fault = ""
    try:
        house.shelf.verify(model)
    except StorageError as error:
        fault = str(error)
    yield sha256(model, fault)
    parameters, fault = 0, ""
    try:
        parameters = house.shelf.examine(model)
    except ModelError as error:
        fault = str(error)
    yield loads(model, parameters, fault)
    yield licence(model)


def check_specs(asset: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks of a model's `asset`; every one of them blocks."""
    said = {
        "sha256": "Every file has the SHA-256 it was delivered with.",
        "loads": "Config, tokenizer and weights can be read, with as many weights as delivered.",
        "licence": "It is known under which licence the model may be used.",
    }
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=True, description=sentence)
        for name, sentence in said.items()
    ]


def _origin(source: ModelSource) -> Origin:
    return Origin(
        inputs={"source": content_hash(source)},
        settings=content_hash(source),
        code_version=code_version("gateways/models"),
    )
