"""The base model with the adapter of Stage 2 in it, for MLX."""

from collections.abc import Callable, Mapping
from pathlib import Path

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import base_model, read_base_model
from secai_assets.assets.stage2_adapter import stage2_adapter
from secai_assets.automation import when_parents_are_good
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.adapters import read_adapter, read_probe
from secai_assets.resources.exports import adapter_of, origin_of
from secai_assets.resources.house import House
from secai_lib.core.errors import TrainingError
from secai_lib.core.manifest import Origin
from secai_lib.core.model import ModelFormat
from secai_lib.core.record import Record, canonical_json, content_hash
from secai_lib.gateways.fusing import Survival, choose, fuse, stored, survival
from secai_lib.gateways.logits import largest_change, overflows, torch_logits
from secai_lib.peft_export import Kept, fused_card

NAME, FACTS = "fused_model", "fused.json"
SHORT = 16
"""Tokens that are computed in the stored precision: a CPU is slow in it."""


class FusedFacts(Record):
    """The file `fused.json`: what the fused model is, and what is left of the adapter in it."""

    base: str
    """Identity of the base model."""
    adapter: str
    """Digest of the adapter."""
    precision: str
    """Of the stored weights: the smallest that keeps the adapter and does not overflow."""
    survival: tuple[Survival, ...]
    """What each precision would keep, 4 bits for comparison; the stored one's is of its files."""
    logit_change: float
    """Largest difference of a logit to the trainer's, on the probe rows in float32."""
    overflowed: tuple[str, ...]
    """Precisions that were left because the model overflows in them."""
    by: str
    """What loaded and computed."""

    @property
    def shipped(self) -> Survival:
        """What the stored precision keeps."""
        return next(one for one in self.survival if one.precision == self.precision)


@dg.asset(
    deps=[stage2_adapter, base_model],
    group_name="exports",
    kinds={"mlx", "safetensors"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
)
def fused_model(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The base model with the adapter of Stage 2 in its weights: a folder for `mlx_lm.load`.

    The dense weights are changed and stored in the smallest precision that keeps the change and
    does not overflow. They are not quantised again: 4 bits round most of a small adapter away.
    How much, and what the stored precision keeps, is measured and said in `fused.json`.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=fused_origin(house))
        if not kept:
            run_child(context, house, __name__)
        manifest, facts = house.store.require(NAME), read_facts(house)
    per_mille = {one.precision: max(0, round(one.overall * 1000)) for one in facts.survival}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=kept is not None)
        | {
            "precision": dg.MetadataValue.text(facts.precision),
            "logit_change": dg.MetadataValue.float(facts.logit_change),
            "survival": metadata.table([_row(one) for one in facts.survival]),
            "survives": metadata.bars("Adapter that survives, per mille", per_mille),
        },
    )


def fused_origin(house: House) -> Origin:
    """What the fused model is made of; the limit decides the precision."""
    limit, origin = house.settings.quality.exports_min_survival, origin_of(house, NAME)
    return origin.model_copy(update={"settings": content_hash(origin.settings, limit)})


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    """Store the fused model; there are no `options`."""
    source, base = adapter_of(NAME), read_base_model(house)
    origin = fused_origin(house)  # before anything is read: what changes meanwhile is missed
    (adapter, weights), probe = read_adapter(house, source), read_probe(house, source)
    dense = house.shelf.folder(base, ModelFormat.SAFETENSORS)
    found = survival(dense, adapter, weights, base.identity)
    for one in found:
        say(f"{one.precision} keeps {one.overall:.4f} of the adapter, {one.worst:.4f} at worst")
    overflowed: list[str] = []
    with house.scratch() as scratch:
        for precision in choose(found, house.settings.quality.exports_min_survival):
            folder = scratch / precision
            fuse(dense, folder, adapter, weights, base.identity, precision)
            if not overflows(folder, probe.rows[0][:SHORT], precision):
                break
            say(f"the model overflows in {precision}")
            overflowed.append(precision)
        else:
            raise TrainingError("the fused model overflows in every precision: train again")
        there = stored(dense, folder, adapter, weights, precision)
        found = [there if one.precision == precision else one for one in found]
        again = torch_logits(folder, probe.rows, probe.last)
        facts = FusedFacts(
            base=base.identity,
            adapter=adapter.digest,
            precision=precision,
            survival=tuple(found),
            logit_change=largest_change(again.logits, probe.logits),
            overflowed=tuple(overflowed),
            by=again.by,
        )
        say(f"stored in {precision}, logits differ by {facts.logit_change:.1e} from the adapter's")
        kept = [Kept(one.precision, one.overall, one.worst) for one in found]
        card = fused_card(adapter, base, precision, kept, facts.logit_change)
        files: dict[str, bytes | Path] = {file.name: file for file in sorted(folder.iterdir())}
        size = sum(file.stat().st_size for file in folder.iterdir())
        files |= {FACTS: canonical_json(facts).encode(), "README.md": card.encode()}
        house.store.publish(NAME, files, origin=origin, counts={"size_bytes": size})


def read_facts(house: House) -> FusedFacts:
    """What was measured of the fused model in force."""
    return FusedFacts.model_validate_json(house.store.read(NAME, FACTS))


def _row(one: Survival) -> dict[str, object]:
    return {
        "precision": one.precision,
        "all modules": f"{one.overall:.4f}",
        "worst module": f"{one.worst:.4f}",
        "which": one.worst_module,
    }
