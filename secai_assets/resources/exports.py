"""What the exports of both stages share: made, read, shown and judged in one way."""

import json
from collections.abc import Callable, Iterator, Mapping

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import read_base_model
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.adapters import read_adapter, read_probe
from secai_assets.resources.house import House
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import ModelFormat
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.verdict import Verdict
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.logits import largest_change, mlx_logits, peft_logits, torch_logits
from secai_lib.gateways.peft_files import config_to_bytes, tensors_to_bytes
from secai_lib.peft_export import Parity, adapter_card, base_name, to_mlx, to_peft
from secai_lib.quality.exports import complete, loads, logit_parity

Say = Callable[[str], None]
PARITY, CARD, MLX = "parity.json", "README.md", "mlx/"
MLX_TOKENS = 16
"""Of a probe row, for mlx-lm: with the reference BLAS of a CPU they take ten seconds."""
DOORS = ("peft_files", "adapter_files", "logits", "merging", "fusing", "models/card")
"""Code of the doors that decides what is in an export."""
WANTED = (
    *(CARD, PARITY, "adapter_model.safetensors", "adapter_config.json"),
    *(f"{MLX}adapters.safetensors", f"{MLX}adapter_config.json"),
)


def adapter_of(product: str) -> str:
    """The product that `product` (`stage1_peft`, `fused_model`, ...) is an export of."""
    return "stage1_adapter" if product.startswith("stage1") else "stage2_adapter"


def materialize(
    context: dg.AssetExecutionContext, house: House, product: str
) -> dg.MaterializeResult[None]:
    """What the UI shows of the export `product`; one whose adapter is new costs a child."""
    with explained():
        kept = house.store.reusable(product, origin=origin_of(house, product))
        if not kept:
            run_child(context, house, f"secai_assets.assets.{product}")
        manifest = house.store.require(product)
        return shown(manifest, read_parity(house, product), reused=kept is not None)


def origin_of(house: House, product: str) -> Origin:
    """What the export `product` is made of; the card names the base model's licence."""
    adapter, base = house.store.require(adapter_of(product)), read_base_model(house)
    return Origin(
        inputs={"adapter": content_hash(adapter.files), "model": base.identity},
        settings=content_hash(base_name(base), base.licence),
        code_version=code_version("peft_export", *(f"gateways/{door}" for door in DOORS)),
    )


def make_export(house: House, product: str, say: Say) -> Manifest:
    """The manifest of the export, loaded by both libraries from its files before it is stored."""
    source, base = adapter_of(product), read_base_model(house)
    origin = origin_of(house, product)  # before anything is read: what changes meanwhile is missed
    (adapter, weights), probe = read_adapter(house, source), read_probe(house, source)
    dense = house.shelf.folder(base, ModelFormat.SAFETENSORS)
    layers = json.loads((dense / "config.json").read_bytes())["num_hidden_layers"]
    peft_tensors, peft_config = to_peft(weights, adapter, base)
    mlx_tensors, mlx_config = to_mlx(weights, adapter, base_name(base), layers)
    files = {
        "adapter_model.safetensors": tensors_to_bytes(peft_tensors, "pt"),
        "adapter_config.json": config_to_bytes(peft_config),
        f"{MLX}adapters.safetensors": tensors_to_bytes(mlx_tensors, "mlx"),
        f"{MLX}adapter_config.json": config_to_bytes(mlx_config),
    }
    with house.scratch() as folder:
        for name, data in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(data)
        say(f"loading {source} with PEFT, in a process that did not train it")
        short = probe.rows[0][:MLX_TOKENS]
        peft = peft_logits(dense, folder, [*probe.rows, short], probe.last)
        say(f"loading {source} with mlx-lm")
        mlx = mlx_logits(dense, folder / MLX, [short], probe.last)
        bare = torch_logits(dense, [short], probe.last)
        bare_mlx = mlx_logits(dense, None, [short], probe.last)
    parity = Parity(
        base=adapter.base,
        adapter=adapter.digest,
        trainer=adapter.engine,
        modules=len(weights),
        peft_modules=peft.modules,
        mlx_modules=mlx.modules,
        rows=len(probe.rows),
        last=probe.last,
        largest_logit=float(abs(probe.logits).max()),
        peft_change=largest_change(peft.logits[:-1], probe.logits),
        mlx_change=largest_change(mlx.logits, peft.logits[-1:]),
        base_change=largest_change(bare.logits, bare_mlx.logits),
        mlx_tokens=len(short),
        peft=peft.by,
        mlx=mlx.by,
    )
    say(f"logits differ by {parity.peft_change:.1e} with PEFT, {parity.mlx_change:.1e} with mlx-lm")
    files[PARITY] = canonical_json(parity).encode()
    files[CARD] = adapter_card(adapter, base, parity).encode()
    counts = {"modules": len(weights), "size_bytes": len(files["adapter_model.safetensors"])}
    return house.store.publish(product, files, origin=origin, counts=counts)


def read_parity(house: House, product: str) -> Parity:
    """What was measured when the export was loaded again."""
    return Parity.model_validate_json(house.store.read(product, PARITY))


def shown(manifest: Manifest, parity: Parity, *, reused: bool) -> dg.MaterializeResult[None]:
    """What the UI shows of an export."""
    changes = {"PEFT": parity.peft_change, "mlx-lm": parity.mlx_change}
    rows = [
        {"loaded by": name, "largest change of a logit": f"{change:.2e}", "with": by}
        for (name, change), by in zip(changes.items(), (parity.peft, parity.mlx), strict=True)
    ]
    per_billion = {name: min(round(change * 1e9), 10**9) for name, change in changes.items()}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=reused)
        | {
            "parity": metadata.table(rows),
            "logit_change": metadata.bars("Largest change of a logit, times 10^9", per_billion),
            "largest_logit": dg.MetadataValue.float(parity.largest_logit),
            "compared": dg.MetadataValue.text(f"{parity.rows} rows, last {parity.last} positions"),
            "adapter": dg.MetadataValue.text(parity.adapter),
            "trainer": dg.MetadataValue.text(parity.trainer),
        },
    )


def check_specs(asset: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks of an export; every one of them blocks."""
    said: Mapping[str, str] = {
        "loads": "PEFT and mlx-lm load every module from the files, number by number.",
        "logit_parity": "In a fresh process PEFT computes the trainer's logits, and mlx-lm PEFT's.",
        "complete": "Every file is there, made of the adapter and base model in force.",
    }
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=True, description=sentence)
        for name, sentence in said.items()
    ]


def export_verdicts(house: House, product: str) -> Iterator[Verdict]:
    """What is to be said of the export `product`."""
    parity, quality = read_parity(house, product), house.settings.quality
    loaded = min(parity.peft_modules, parity.mlx_modules)
    yield loads(loaded, parity.modules, "PEFT as well as mlx-lm")
    yield logit_parity(
        parity.peft_change,
        parity.mlx_change,
        parity.base_change,
        quality,
        trainer=parity.trainer,
    )
    yield complete(house.store.require(product).files, WANTED, doubt_of(house, product))


def doubt_of(house: House, product: str) -> str:
    """Why the export is not one of the adapter and base model in force; empty when it is."""
    if house.store.reusable(product, origin=origin_of(house, product)):
        return ""
    return "it is damaged, or the adapter, the base model or the export's code changed since"
