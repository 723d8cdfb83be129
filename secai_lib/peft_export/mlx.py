"""mlx-lm's layout: `adapters.safetensors` and `adapter_config.json`."""

from collections.abc import Mapping
from typing import Any

from secai_lib.core.adapter import Adapter, Matrix, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.peft_export.layouts import MLX, Plain, from_layout, number, rank_in, to_layout

WEIGHTS, CONFIG = "adapters.safetensors", "adapter_config.json"


def to_mlx(
    weights: Weights, adapter: Adapter, base_name: str, layers: int
) -> tuple[dict[str, Matrix], dict[str, Any]]:
    """The tensors and the `adapter_config.json` that `mlx_lm.load(adapter_path=...)` reads.

    mlx-lm prepares the `keys` in the last `num_layers` of the model's `layers`; where the adapter
    has no matrix for one, it stays at B = 0, which changes nothing.

    Raises:
        TrainingError: shapes contradict each other or the rank, or a module is in no layer.
    """
    tensors = to_layout(weights, adapter.rank, MLX)
    places = [_place(name) for name in sorted(weights)]
    first, last = min(layer for layer, _ in places), max(layer for layer, _ in places)
    if last >= layers:
        raise TrainingError(f"the adapter changes layer {last} of a model with {layers} layers")
    config: dict[str, Any] = {
        "fine_tune_type": "lora",
        "num_layers": layers - first,
        "lora_parameters": {
            "rank": adapter.rank,
            "scale": adapter.scale,
            "dropout": adapter.dropout,
            "keys": sorted({key for _, key in places}),
        },
        "model": base_name,
    }
    return tensors, config


def from_mlx(tensors: Mapping[str, Matrix], config: Mapping[str, Any]) -> Plain:
    """The adapter that mlx-lm would load.

    Raises:
        TrainingError: it is no plain LoRA, or names or shapes are not what they should be.
    """
    parameters = config.get("lora_parameters")
    if config.get("fine_tune_type", "lora") != "lora" or not isinstance(parameters, Mapping):
        raise TrainingError("this is no plain LoRA adapter, the only kind we convert")
    rank = rank_in(parameters, "rank")
    return Plain(
        weights=from_layout(tensors, rank, MLX),
        rank=rank,
        scale=number(parameters, "scale"),
        dropout=number(parameters, "dropout", default=0.0),
        base=str(config.get("model") or ""),
    )


def _place(name: str) -> tuple[int, str]:
    """Layer of the module `name`, and what it is called within the layer."""
    root, _, rest = name.partition(".layers.")
    layer, _, key = rest.partition(".")
    if root != "model" or not layer.isdigit() or not key:
        raise TrainingError(f"{name[:80]} is in no layer of the model: mlx-lm cannot name it")
    return int(layer), key
