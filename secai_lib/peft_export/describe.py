"""What can be said of an adapter by looking at its matrices."""

from collections.abc import Mapping

from secai_lib.core.adapter import LowRank
from secai_lib.core.record import Record, content_hash


class Description(Record):
    """An adapter, described."""

    layout: str
    """`secai`, `peft` or `mlx`."""
    base: str
    """What it says its base model is; empty when it says nothing."""
    rank: int
    scale: float
    """Factor of `B @ A`."""
    alpha: float
    """What PEFT calls `lora_alpha`."""
    modules: int
    """How many matrices of the base model it changes."""
    kinds: tuple[str, ...]
    """Their last names."""
    layers: tuple[int, ...]
    """The layers they are in."""
    weights: int
    """Numbers in it."""
    size_bytes: int
    """Of the file with the weights."""
    digest: str
    """Over scale, names and numbers: equal in every layout of the same adapter."""
    not_finite: tuple[str, ...]
    """Modules with something that is no number."""
    all_zero: tuple[str, ...]
    """Modules that change nothing, because a matrix is 0 throughout."""
    misfit: str = ""
    """Why it does not fit the base model here; empty when it fits or was not compared."""


def describe(
    layout: str, weights: Mapping[str, LowRank], scale: float, *, base: str, size_bytes: int
) -> Description:
    """What is to be said of `weights`, which are in our layout."""
    import numpy as np

    names = sorted(weights)
    numbered = {int(part) for name in names for part in name.split(".") if part.isdigit()}
    rank = next(iter(weights.values())).a.shape[0]
    return Description(
        layout=layout,
        base=base,
        rank=rank,
        scale=scale,
        alpha=scale * rank,
        modules=len(names),
        kinds=tuple(sorted({name.rpartition(".")[2] for name in names})),
        layers=tuple(sorted(numbered)),
        weights=sum(matrix.size for pair in weights.values() for matrix in pair),
        size_bytes=size_bytes,
        digest=content_hash(scale, {name: weights[name].sha256 for name in names}),
        not_finite=tuple(
            n for n in names if not all(np.isfinite(matrix).all() for matrix in weights[n])
        ),
        all_zero=tuple(n for n in names if not all(matrix.any() for matrix in weights[n])),
    )


def misfit(weights: Mapping[str, LowRank], shapes: Mapping[str, tuple[int, ...]]) -> str:
    """Why the adapter fits no model with matrices of `shapes` (module -> (out, in)); or empty."""
    for name, pair in sorted(weights.items()):
        wanted = (pair.b.shape[0], pair.a.shape[1])
        if name not in shapes:
            return f"the model has no {name[:80]}"
        if shapes[name] != wanted:
            return f"{name[:80]} is {shapes[name]} in the model and {wanted} in the adapter"
    return ""
