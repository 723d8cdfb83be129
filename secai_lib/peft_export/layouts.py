"""What each library calls the matrices of an adapter, and which way round it keeps them.

Ours is `A` (rank, in), `B` (out, rank), by the module's name in the base model.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from secai_lib.core.adapter import LowRank, Matrix
from secai_lib.core.errors import TrainingError


class Layout(NamedTuple):
    """How a library names and turns the two matrices of a module."""

    prefix: str
    """Before the module's name."""
    a: str
    """Behind the name of the module whose `A` it is."""
    b: str
    """Behind the name of the module whose `B` it is."""
    transposed: bool
    """True when `A` is kept as (in, rank) and `B` as (rank, out)."""


PEFT = Layout("base_model.model.", ".lora_A.weight", ".lora_B.weight", transposed=False)
MLX = Layout("", ".lora_a", ".lora_b", transposed=True)
MODULE = re.compile(r"(?:[A-Za-z_]\w*|\d{1,6})(?:\.(?:[A-Za-z_]\w*|\d{1,6}))*", re.ASCII)
"""What a module may be called: names are shown, and the numbers in them are read."""
# With a square matrix a missing transposition loads and computes another function.


class Plain(NamedTuple):
    """An adapter without any library's habits."""

    weights: dict[str, LowRank]
    """Module name -> matrices, sorted by name."""
    rank: int
    """Rank of every module."""
    scale: float
    """Factor of `B @ A`."""
    dropout: float
    """Dropout in training."""
    base: str
    """What the adapter says its base model is; empty when it says nothing."""


def to_layout(weights: Mapping[str, LowRank], rank: int, layout: Layout) -> dict[str, Matrix]:
    """The matrices under the names of `layout`, sorted, each as its library keeps it.

    Raises:
        TrainingError: shapes contradict each other or the `rank`, or there is no module.
    """
    check(weights, rank)
    tensors = {}
    for name in sorted(weights):
        a, b = weights[name]
        tensors[f"{layout.prefix}{name}{layout.a}"] = _turned(a, layout)
        tensors[f"{layout.prefix}{name}{layout.b}"] = _turned(b, layout)
    return tensors


def from_layout(tensors: Mapping[str, Matrix], rank: int, layout: Layout) -> dict[str, LowRank]:
    """Module name -> matrices of `tensors`, which are named as in `layout`.

    Raises:
        TrainingError: a name is unknown, half a module is missing, a name says the same twice,
            or shapes contradict each other or the `rank`.
    """
    found: dict[str, dict[str, Matrix]] = {}
    for key in sorted(tensors):
        name, half = _read(key, layout)
        halves = found.setdefault(name, {})
        if half in halves:
            raise TrainingError(f"the adapter has {name[:80]} twice: export it again")
        halves[half] = _turned(tensors[key], layout)
    for name, halves in found.items():
        if len(halves) < 2:
            raise TrainingError(f"the adapter has half of {name[:80]}: export it again")
    weights = {name: LowRank(found[name]["a"], found[name]["b"]) for name in sorted(found)}
    check(weights, rank)
    return weights


def check(weights: Mapping[str, LowRank], rank: int) -> None:
    """Nothing, when every module has matrices that can be multiplied, all of one `rank`.

    Raises:
        TrainingError: naming the first module that has not.
    """
    if not weights:
        raise TrainingError("the adapter has no module: train it, or export it again")
    for name, (a, b) in sorted(weights.items()):
        if a.ndim != 2 or b.ndim != 2 or a.shape[0] != rank or b.shape[1] != rank:
            raise TrainingError(
                f"{name[:80]} has matrices of the shapes {a.shape} and {b.shape}, which are not "
                f"of rank {rank}: take the settings the adapter was trained with"
            )


def number(config: Mapping[str, Any], name: str, *, default: float | None = None) -> float:
    """The finite number `name` in a foreign adapter's `config`.

    Raises:
        TrainingError: there is none and no `default`.
    """
    value = config.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e9:
        raise TrainingError(f"the adapter_config.json has no number {name}: export it again")
    return float(value)


def rank_in(config: Mapping[str, Any], name: str) -> int:
    """The rank `name` in a foreign adapter's `config`.

    Raises:
        TrainingError: it is no whole number above 0.
    """
    rank = number(config, name)
    if rank < 1 or rank != int(rank):
        raise TrainingError("the adapter_config.json names no rank above 0: export it again")
    return int(rank)


def _read(key: str, layout: Layout) -> tuple[str, str]:
    """Module and half that `key` names."""
    # PEFT puts the name of the adapter between: `lora_A.default.weight`
    plain = key.replace(".default.weight", ".weight") if layout is PEFT else key
    for half, suffix in (("a", layout.a), ("b", layout.b)):
        name = plain.removeprefix(layout.prefix).removesuffix(suffix)
        if plain == f"{layout.prefix}{name}{suffix}" and MODULE.fullmatch(name):
            return name, half
    raise TrainingError(f"{ascii(key)[:80]} is no matrix of a LoRA adapter in this layout")


def _turned(matrix: Matrix, layout: Layout) -> Matrix:
    """`matrix` from our way round to the layout's, or back, in memory of its own."""
    import numpy as np

    if matrix.ndim != 2:
        raise TrainingError(f"a matrix of the adapter has {matrix.ndim} axes: export it again")
    return np.ascontiguousarray(matrix.T if layout.transposed else matrix)
