"""What both trained adapters show in the UI, and how they are judged."""

from collections.abc import Iterator

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import read_base_model
from secai_assets.resources.house import House
from secai_assets.resources.training import (
    ADAPTERS,
    adapter_origin,
    read_speed,
    read_trained,
    read_training,
    stage_settings,
)
from secai_lib.core.adapter import Adapter, Stage
from secai_lib.core.errors import TrainingError
from secai_lib.core.verdict import Verdict
from secai_lib.gateways.adapter_files import logits_from_bytes
from secai_lib.quality import adapters as quality
from secai_lib.training import Training
from secai_lib.training.evidence import as_table, differences, evidence

WARNINGS = frozenset({"padding"})
"""Checks that warn; the others stop what comes after."""
CHECKS = {
    "finite": "Losses, gradients, matrices and logits are numbers, and the matrices the recorded "
    "ones.",
    "loss_down": "The loss of the probe rows fell in training.",
    "settings_reached": "Every setting of config/ is what the trainer's live objects, its steps "
    "and its files say.",
    "padding": "Little of what was computed was padding.",
}
"""Name of a check of an adapter -> what it means."""


def adapter_metadata(house: House, stage: Stage, *, reused: bool) -> dict[str, dg.MetadataValue]:
    """Loss curves, settings asked for and found, what was read, and how quick it was."""
    name = ADAPTERS[stage]
    training = read_training(house, stage)
    adapter = Adapter.model_validate_json(house.store.read(name, "adapter.json"))
    asked = evidence(training, adapter, training.settings)
    shown = metadata.of_manifest(house.store.require(name), reused=reused)
    looks = training.validations
    own = [step.loss for step in training.steps if not step.replayed]
    shown |= {
        "loss": metadata.curve("Loss of the own steps", own),
        "learning_rate": metadata.curve(
            "Learning rate", [step.learning_rate for step in training.steps]
        ),
        "validation": metadata.curve("Validation loss", [look.loss for look in looks]),
        "validations": metadata.table([look.model_dump() for look in looks]),
        "settings": metadata.table(as_table(asked)),
        "engine": dg.MetadataValue.text(training.engine),
        "digest": dg.MetadataValue.text(adapter.digest),
        "stopped_early": dg.MetadataValue.bool(training.stopped_early),
        "in_use": dg.MetadataValue.json(dict(training.in_use)),
    }
    numbers = training.seen.model_dump(include={"padding", "epochs", "replayed_rows",
                                                "replayed_tokens"})  # fmt: skip
    numbers |= {"probe_before": training.probe_before, "probe_after": training.probe_after}
    if training.resumed:
        shown["resumed"] = dg.MetadataValue.json(training.resumed.model_dump())
    for speed in () if reused else read_speed(house, stage):
        numbers |= {"seconds": speed.seconds, "tokens_per_second": speed.tokens_per_second}
    return shown | {key: dg.MetadataValue.float(float(value)) for key, value in numbers.items()}


def adapter_check_specs(asset: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks that both adapters have."""
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=name not in WARNINGS, description=said)
        for name, said in CHECKS.items()
    ]


def adapter_verdicts(house: House, stage: Stage) -> Iterator[Verdict]:
    """What is to be said of the adapter of `stage`, judged from its files and `config/`."""
    limits, training = house.settings.quality, read_training(house, stage)
    record = house.store.read(ADAPTERS[stage], "adapter.json")
    adapter = Adapter.model_validate_json(record)
    yield quality.finite(_numbers(training), list(_faults(house, stage)))
    yield quality.loss_down(training.probe_before, training.probe_after, limits)
    compared = evidence(training, adapter, stage_settings(house, stage))
    yield quality.settings_reached(differences(compared), len(compared))
    yield quality.padding(training.seen.padding, limits)


def lineage_verdict(house: House) -> Verdict:
    """Whether Stage 2's adapter began as the Stage 1 adapter that lies here."""
    before, training = read_training(house, 1), read_training(house, 2)
    parent, adapter = (
        Adapter.model_validate_json(house.store.read(ADAPTERS[stage], "adapter.json"))
        for stage in (1, 2)
    )
    proof = training.resumed
    shapes = [
        {name: (facts.a_shape, facts.b_shape) for name, facts in one.modules.items()}
        for one in (parent, adapter)
    ]
    facts = {
        "parent": (parent.digest, proof.parent if proof else "missing"),
        "parent of the adapter": (parent.digest, adapter.parent),
        "base": (parent.base, proof.base if proof else "missing"),
        "base of the adapter": (read_base_model(house).identity, adapter.base),
        "modules compared": (len(parent.modules), proof.modules if proof else 0),
        "probe rows": (len(before.probe), proof.probe_rows if proof else 0),
        "names and shapes": (shapes[0], shapes[1]),
        "rank": (parent.rank, adapter.rank),
        "scale": (parent.scale, adapter.scale),
    }
    found = proof.loss_found if proof else float("nan")
    return quality.resumed_from_stage1(facts, before.probe_after, found, house.settings.quality)


def is_current(house: House, stage: Stage) -> bool:
    """True when the adapter is there and rests on what is there now."""
    return house.store.reusable(ADAPTERS[stage], origin=adapter_origin(house, stage)) is not None


def _numbers(training: Training) -> dict[str, list[float]]:
    return {
        "losses": [step.loss for step in training.steps],
        "gradients": [step.gradient_norm for step in training.steps],
        "validations": [look.loss for look in training.validations],
        "probe losses": [training.probe_before, training.probe_after],
    }


def _faults(house: House, stage: Stage) -> Iterator[str]:
    """What is wrong with matrices and logits; nothing when they are good."""
    try:
        read_trained(house, stage)
        logits_from_bytes(house.store.read(ADAPTERS[stage], "probe_logits.safetensors"))
    except TrainingError as error:
        yield str(error)
