"""Adapters and logits as bytes: safetensors with sorted names; equal weights are equal files.

`MODULE.lora_a` has the shape (rank, in), `MODULE.lora_b` (out, rank), both float32.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.adapter import LowRank, ModuleFacts, Weights
from secai_lib.core.errors import TrainingError

A, B = ".lora_a", ".lora_b"
LOGITS = "logits"
"""The one array of a file of logits."""
AGAIN = "take the file as it was published, or train again"


def weights_to_bytes(weights: Weights) -> bytes:
    """The file `adapter.safetensors`; nothing but the matrices is in it.

    Raises:
        TrainingError: shapes contradict each other, or a number is none.
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    for name in sorted(weights):
        _check(name, weights[name])
        arrays |= {name + A: weights[name].a, name + B: weights[name].b}
    return _save(arrays)


def weights_from_bytes(data: bytes) -> dict[str, LowRank]:
    """The weights in `adapter.safetensors`, sorted by module.

    Raises:
        TrainingError: it is no such file, a half is missing, a name or type is odd, shapes
            contradict each other, or a number is none.
    """
    arrays = _load(data)
    names = sorted({key.removesuffix(A).removesuffix(B) for key in arrays})
    if not names:
        raise TrainingError(f"the adapter is empty; {AGAIN}")
    if set(arrays) != {name + half for name in names for half in (A, B)} or "" in names:
        odd = sorted(set(arrays) ^ {name + half for name in names for half in (A, B)})
        shown = ascii(odd[0])[:80] if odd else "no name"
        raise TrainingError(
            f"the adapter lacks half of a module or has odd names ({shown}); {AGAIN}"
        )
    weights = {name: LowRank(arrays[name + A], arrays[name + B]) for name in names}
    for name, pair in weights.items():
        _check(name, pair)
    return weights


def facts_of(weights: Weights) -> dict[str, ModuleFacts]:
    """Shapes and hash of every module, sorted by name."""
    return {
        name: ModuleFacts(
            a_shape=weights[name].a.shape,
            b_shape=weights[name].b.shape,
            sha256=weights[name].sha256,
        )
        for name in sorted(weights)
    }


def logits_to_bytes(logits: NDArray[np.float32]) -> bytes:
    """The file `probe_logits.safetensors` of an array of shape (rows, last, vocabulary).

    Raises:
        TrainingError: a number is none.
    """
    _check_logits(logits)
    return _save({LOGITS: logits})


def logits_from_bytes(data: bytes) -> NDArray[np.float32]:
    """The logits in `probe_logits.safetensors`, shape (rows, last, vocabulary).

    Raises:
        TrainingError: it is no such file, or a number is none.
    """
    arrays = _load(data)
    if set(arrays) != {LOGITS}:
        raise TrainingError(f"the file of logits holds something else; {AGAIN}")
    _check_logits(arrays[LOGITS])
    return arrays[LOGITS]


def _save(arrays: dict[str, Any]) -> bytes:
    from safetensors.numpy import save

    # The library writes what lies in memory: a transposed view would arrive as something else.
    return save({name: np.ascontiguousarray(array) for name, array in sorted(arrays.items())})


def _load(data: bytes) -> dict[str, NDArray[np.float32]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        return load(data)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(f"the file is no readable safetensors; {AGAIN}") from error


def _check(name: str, pair: LowRank) -> None:
    a, b = pair
    if a.dtype != np.float32 or b.dtype != np.float32:
        raise TrainingError(f"{name} is {a.dtype} and {b.dtype}, not float32; {AGAIN}")
    if a.ndim != 2 or b.ndim != 2 or a.shape[0] != b.shape[1] or 0 in (*a.shape, *b.shape):
        raise TrainingError(f"the shapes {a.shape} and {b.shape} of {name} do not fit; {AGAIN}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise TrainingError(f"{name} holds numbers that are none; {AGAIN}")


def _check_logits(logits: NDArray[np.float32]) -> None:
    if logits.dtype != np.float32 or logits.ndim != 3 or not np.isfinite(logits).all():
        raise TrainingError(f"the logits are not three axes of finite float32 numbers; {AGAIN}")
