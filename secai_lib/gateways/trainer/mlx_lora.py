"""The low-rank matrices in a model of mlx-lm: the one place that knows its key names.

mlx-lm keeps `lora_a` as (in, rank) and `lora_b` as (rank, out): both stand the other way round
than in our records.
"""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from secai_lib.core.adapter import LowRank, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import LoraSettings
from secai_lib.gateways.trainer.start import layer_of


def linear_shapes(model: Any) -> dict[str, tuple[int, int]]:
    """Module name -> (out, in) of every linear layer of a dense model, in their order."""
    from mlx.nn.layers.linear import Linear

    shapes: dict[str, tuple[int, int]] = {}
    for name, module in model.named_modules():
        if isinstance(module, Linear):
            out, into = module.weight.shape
            shapes[name] = (out, into)
    return shapes


def attach(model: Any, names: Collection[str], lora: LoraSettings) -> dict[str, Any]:
    """Name -> the new `LoRALinear` round each of the linear layers `names`, and nowhere else.

    All of `model` is frozen but the matrices of these, which are float32 whatever it is.
    `linear_to_lora_layers` is passed by: it takes 0 layers for all of them, and its keys are
    looked for in every layer and at the top.
    """
    from mlx.utils import tree_unflatten
    from mlx_lm.tuner.lora import LoRALinear

    model.freeze()
    linear = dict(model.named_modules())
    modules = {
        name: LoRALinear.from_base(
            linear[name], r=lora.rank, dropout=lora.dropout, scale=lora.scale
        )
        for name in names
    }
    model.update_modules(tree_unflatten(list(modules.items())))
    return modules


def read_weights(modules: Mapping[str, Any]) -> dict[str, LowRank]:
    """A copy of the matrices in `modules`."""
    return {
        name: LowRank(_turned(module.lora_a), _turned(module.lora_b))
        for name, module in sorted(modules.items())
    }


def write_weights(modules: Mapping[str, Any], weights: Weights) -> None:
    """Put `weights` into `modules`.

    They have to fit (`require_fit`): mlx-lm itself takes what fits and is silent about the rest.
    """
    import mlx.core as mx

    for name, pair in weights.items():
        modules[name].lora_a = mx.array(_turned(pair.a))
        modules[name].lora_b = mx.array(_turned(pair.b))
    mx.eval([module.trainable_parameters() for module in modules.values()])


def live_settings(modules: Mapping[str, Any]) -> dict[str, float | int]:
    """Rank, scale, dropout, layers and modules, as the live objects have them.

    Raises:
        TrainingError: they are not the same in all of them.
    """
    shapes = {
        (m.lora_a.shape[1], m.lora_b.shape[0], m.scale, round(1 - m.dropout._p_1, 9))
        for m in modules.values()
    }
    if len(shapes) != 1:
        raise TrainingError(
            "the modules of the adapter differ in rank, scale or dropout; start the training anew"
        )
    rank, _, scale, dropout = shapes.pop()
    layers = {layer_of(name) for name in modules}
    return {
        "rank": int(rank),
        "scale": float(scale),
        "dropout": float(dropout),
        "layers": len(layers),
        "modules": len(modules),
    }


def _turned(matrix: Any) -> Any:
    """A copy of `matrix` with rows and columns exchanged, rows first in memory."""
    return np.array(np.asarray(matrix, dtype=np.float32).T, order="C", copy=True)
