"""A base model and an adapter as one model, and what is left of the adapter in it.

Rounding swallows small changes: quantised again to 4 bits, a model keeps so little of a small
adapter that the realised change has next to nothing to do with the intended one. So the dense
weights are changed in float32 and stored in the smallest precision that keeps the change.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.adapter import Adapter, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.record import Record
from secai_lib.gateways.merging import change, require_fit
from secai_lib.gateways.models.card import read_config, require_rope_of_mlx, spell_rope_for_mlx

PRECISIONS = ("float16", "bfloat16", "float32")
"""Of the fused model, the first that does is taken: float16 has 3 bits more than bfloat16."""
FOUR_BITS = "4-bit"
GROUP = 32
"""Weights that share a scale in the comparison with 4 bits; the kindest MLX has."""
SHARD_BYTES = 1_000_000_000
Array = NDArray[np.float32]


class Survival(Record):
    """What rounding to one precision leaves of an adapter."""

    precision: str
    """`float16`, `bfloat16`, `float32` or `4-bit`."""
    overall: float
    """Cosine between the realised and the intended change of all weights together."""
    worst: float
    """The lowest cosine of a module."""
    worst_module: str
    """Which one."""
    modules: Mapping[str, float]
    """Module -> cosine."""


class Sums(NamedTuple):
    """Of the realised and the intended change: products summed over weights."""

    both: float
    realised: float
    intended: float

    @property
    def cosine(self) -> float:
        """Their cosine; 0 where either is nothing or no number."""
        length = float(np.sqrt(self.realised) * np.sqrt(self.intended))
        return self.both / length if 0 < length < float("inf") else 0.0


def survival(dense: Path, adapter: Adapter, weights: Weights, base: str) -> list[Survival]:
    """What each precision leaves of the adapter, beside the model in the folder `dense`.

    Raises:
        TrainingError: the adapter does not fit the model, or changes nothing.
    """
    require_fit(adapter, weights, base, linear_shapes(dense))
    kinds = [*PRECISIONS, FOUR_BITS]
    found: dict[str, dict[str, Sums]] = {kind: {} for kind in kinds}
    for name, tensor in _tensors(dense):
        module = name.removesuffix(".weight")
        if module in weights:
            old = tensor.float().numpy()
            intended = change(weights[module], adapter.scale)
            for kind in kinds:
                with suppress(ValueError):  # a width that MLX cannot group
                    found[kind][module] = _sums(_rounded(old + intended, kind) - old, intended)
    return [_survival(kind, sums) for kind, sums in found.items() if sums]


def stored(
    dense: Path, fused: Path, adapter: Adapter, weights: Weights, precision: str
) -> Survival:
    """What is left of the adapter in the files of `fused`, beside the model in `dense`."""
    from safetensors import safe_open

    files = {name: file for file in _files(fused) for name in _names(file)}
    sums = {}
    for name, tensor in _tensors(dense):
        module = name.removesuffix(".weight")
        if module in weights:
            with safe_open(files[name], framework="pt") as handle:
                new = handle.get_tensor(name).float().numpy()
            intended = change(weights[module], adapter.scale)
            sums[module] = _sums(new - tensor.float().numpy(), intended)
    return _survival(precision, sums)


def choose(found: list[Survival], at_least: float) -> list[str]:
    """The precisions in which the adapter survives, smallest first; float32 where none does."""
    good = {one.precision for one in found if one.worst >= at_least}
    return [kind for kind in PRECISIONS if kind in good] or [PRECISIONS[-1]]


def fuse(
    dense: Path, into: Path, adapter: Adapter, weights: Weights, base: str, precision: str
) -> None:
    """Write the model of `dense` with the adapter in it to the new folder `into`, for mlx-lm.

    Nothing but the adapter's modules is changed, beside the rounding to `precision`; tied
    embeddings stay tied. The weights are read and written in parts.

    Raises:
        TrainingError: the adapter does not fit the model.
        ModelError: mlx-lm cannot be told the model's rotary settings.
    """
    import torch

    require_fit(adapter, weights, base, linear_shapes(dense))
    config = read_config(dense, "the base model")
    require_rope_of_mlx(config, "the base model")
    into.mkdir(parents=True)
    kind = getattr(torch, precision)
    shards, part, size = _Shards(into), dict[str, Any](), 0
    for name, tensor in _tensors(dense):
        pair = weights.get(name.removesuffix(".weight"))
        if pair:
            tensor = tensor.float() + torch.from_numpy(change(pair, adapter.scale))
        part[name] = tensor.to(kind) if tensor.is_floating_point() else tensor
        size += part[name].nbytes
        if size >= SHARD_BYTES:
            shards.write(part)
            part, size = {}, 0
    if part:
        shards.write(part)
    shards.finish()
    spelled = spell_rope_for_mlx(config) | {"torch_dtype": precision, "dtype": precision}
    text = json.dumps(spelled, indent=2, sort_keys=True)
    (into / "config.json").write_text(text + "\n", "utf-8")
    for file in sorted(dense.iterdir()):
        kept = file.suffix in {".json", ".jinja", ".txt", ".model"}
        if kept and file.name != "config.json" and not file.name.endswith(".index.json"):
            shutil.copyfile(file, into / file.name)


def linear_shapes(dense: Path) -> dict[str, tuple[int, ...]]:
    """Module name -> shape (out, in) of every matrix in the layers of the model in `dense`."""
    from safetensors import safe_open

    shapes: dict[str, tuple[int, ...]] = {}
    for file in _files(dense):
        with safe_open(file, framework="pt") as handle:
            for name in handle.keys():  # noqa: SIM118 - it is no dict
                shape = tuple(handle.get_slice(name).get_shape())
                if name.endswith(".weight") and len(shape) == 2 and ".layers." in name:
                    shapes[name.removesuffix(".weight")] = shape
    return shapes


class _Shards:
    """Files of weights and the index that says what is in which."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[str, str] = {}
        self._files: list[str] = []

    def write(self, tensors: Mapping[str, Any]) -> None:
        from safetensors.torch import save_file

        name = f"model-{len(self._files) + 1:05}.safetensors"
        save_file(dict(sorted(tensors.items())), self._folder / name, metadata={"format": "mlx"})
        self._files.append(name)
        self._places |= dict.fromkeys(tensors, name)

    def finish(self) -> None:
        if len(self._files) == 1:
            (self._folder / self._files[0]).rename(self._folder / "model.safetensors")
            return
        index = {"metadata": {}, "weight_map": dict(sorted(self._places.items()))}
        text = json.dumps(index, indent=2)
        (self._folder / "model.safetensors.index.json").write_text(text + "\n", "utf-8")


def _files(dense: Path) -> list[Path]:
    files = sorted(dense.glob("*.safetensors"))
    if not files:
        raise TrainingError("the base model has no dense weights: materialize base_model again")
    return files


def _tensors(dense: Path) -> Iterator[tuple[str, Any]]:
    """Every tensor of the model by name, one in memory at a time."""
    from safetensors import safe_open

    for file in _files(dense):
        with safe_open(file, framework="pt") as handle:
            for name in sorted(handle.keys()):
                yield name, handle.get_tensor(name)


def _names(file: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as handle:
        return sorted(handle.keys())


def _rounded(weights: Array, kind: str) -> Array:
    """`weights` as they come back from `kind`."""
    import torch

    if kind == FOUR_BITS:
        import mlx.core as mx

        packed = mx.quantize(mx.array(weights), group_size=GROUP, bits=4)
        return np.array(mx.dequantize(*packed, group_size=GROUP, bits=4))
    back: Array = torch.from_numpy(weights).to(getattr(torch, kind)).float().numpy()
    return back


def _sums(realised: Array, intended: Array) -> Sums:
    r, i = realised.astype(np.float64).ravel(), intended.astype(np.float64).ravel()
    return Sums(float(r @ i), float(r @ r), float(i @ i))


def _survival(kind: str, sums: Mapping[str, Sums]) -> Survival:
    # a matrix that the adapter leaves as it is has no change that could survive
    modules = {name: one.cosine for name, one in sorted(sums.items()) if one.intended}
    if not modules:
        raise TrainingError("the adapter changes nothing: train it before it is fused")
    worst = min(modules, key=lambda name: (modules[name], name))
    total = Sums(*(sum(column) for column in zip(*sums.values(), strict=True)))
    return Survival(
        precision=kind,
        overall=total.cosine,
        worst=modules[worst],
        worst_module=worst,
        modules=modules,
    )
