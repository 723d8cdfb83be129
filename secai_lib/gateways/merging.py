"""Adds an adapter to the weight matrices it belongs to, and to no others."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.adapter import Adapter, LowRank, Weights
from secai_lib.core.errors import TrainingError

Shapes = Mapping[str, tuple[int, ...]]
"""Module name -> shape (out, in) of its matrix, of every linear module of a model."""


def require_fit(adapter: Adapter, weights: Weights, base: str, shapes: Shapes) -> None:
    """Nothing, when `weights` are those of `adapter` and fit the model with identity `base`.

    Raises:
        TrainingError: another base, or a module that is missing, unknown or of another shape;
            added all the same it would be another adapter, without a word.
    """
    if adapter.base != base:
        raise TrainingError(
            f"the adapter belongs to {adapter.base} and the model here is {base}: take the "
            "adapter's base model, or train again"
        )
    if set(weights) != set(adapter.modules):
        odd = sorted(set(weights) ^ set(adapter.modules))[0]
        raise TrainingError(f"{odd[:80]} is not in both the adapter and its record: train again")
    for name, pair in sorted(weights.items()):
        if name not in shapes:
            raise TrainingError(f"the model has no module {name[:80]}: the adapter is of another")
        out, width = shapes[name]
        expected = ((adapter.rank, width), (out, adapter.rank))
        if (pair.a.shape, pair.b.shape) != expected:
            raise TrainingError(
                f"{name[:80]}: the matrices have shapes {pair.a.shape} and {pair.b.shape}, the "
                f"model needs {expected[0]} and {expected[1]}"
            )
        if not (np.isfinite(pair.a).all() and np.isfinite(pair.b).all()):
            raise TrainingError(f"{name[:80]} holds something that is no number: train again")


def change(pair: LowRank, scale: float) -> NDArray[np.float32]:
    """What the adapter adds to a weight matrix, `scale * B @ A`, shape (out, in)."""
    product: NDArray[np.float32] = np.float32(scale) * (pair.b @ pair.a)
    return product
