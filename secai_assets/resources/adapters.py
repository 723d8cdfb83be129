"""Trained adapters as they are stored: read, and their probe rows with them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from secai_assets.resources.house import House
from secai_lib.core.adapter import Adapter, EncodedRow, LowRank
from secai_lib.core.errors import TrainingError
from secai_lib.gateways.adapter_files import facts_of, logits_from_bytes, weights_from_bytes

RECORD, WEIGHTS = "adapter.json", "adapter.safetensors"
TRAINING, LOGITS = "training.json", "probe_logits.safetensors"


class _Probed(BaseModel):
    """What is read of `training.json` here; the trainer's room knows the rest."""

    probe: tuple[EncodedRow, ...]
    probe_last: int


class Probe(NamedTuple):
    """What an export has to compute again."""

    rows: Sequence[Sequence[int]]
    """Token ids of each row."""
    last: int
    """How many positions of each, from its end."""
    logits: Any
    """What the trainer computed there with the adapter; float32 (rows, last, vocabulary)."""


def read_adapter(house: House, product: str) -> tuple[Adapter, dict[str, LowRank]]:
    """The adapter in `product` (`stage1_adapter` or `stage2_adapter`): its record and matrices.

    Raises:
        StorageError: it was never trained, or a file is damaged.
        TrainingError: record and matrices contradict each other.
    """
    try:
        adapter = Adapter.model_validate_json(house.store.read(product, RECORD))
    except ValidationError as error:
        raise TrainingError(f"the {RECORD} of {product} is broken: train again") from error
    weights = weights_from_bytes(house.store.read(product, WEIGHTS))
    if facts_of(weights) != dict(adapter.modules):
        raise TrainingError(f"{product} holds other matrices than its record says: train again")
    return adapter, weights


def read_probe(house: House, product: str) -> Probe:
    """The probe rows of the adapter in `product`, and what its trainer computed for them.

    Raises:
        StorageError: it was never trained, or a file is damaged.
        TrainingError: rows and logits contradict each other.
    """
    try:
        training = _Probed.model_validate_json(house.store.read(product, TRAINING))
    except ValidationError as error:
        raise TrainingError(f"the {TRAINING} of {product} is broken: train again") from error
    logits = logits_from_bytes(house.store.read(product, LOGITS))
    if not training.probe or logits.shape[:2] != (len(training.probe), training.probe_last):
        raise TrainingError(f"the probe rows and logits of {product} do not fit: train again")
    return Probe([row.tokens for row in training.probe], training.probe_last, logits)
