"""PEFT's layout: `adapter_model.safetensors` and `adapter_config.json`."""

from collections.abc import Mapping
from typing import Any

from secai_lib.core.adapter import Adapter, Matrix, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.model import Model
from secai_lib.peft_export.layouts import PEFT, Plain, from_layout, number, rank_in, to_layout

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
HUB = "hf://"
OTHER_FUNCTION = (
    *("use_dora", "use_rslora", "use_qalora", "fan_in_fan_out", "lora_bias", "modules_to_save"),
    *("rank_pattern", "alpha_pattern", "trainable_token_indices", "target_parameters"),
    *("layer_replication", "alora_invocation_tokens", "use_bdlora", "arrow_config"),
    *("kasa_config", "velora_config", "monteclora_config"),
)
"""Settings of PEFT that make it more than `scale * B @ A`; none may be on."""

SAME_BASE = (True, False, None, "gaussian", "eva", "orthogonal")
"""First weights of PEFT that leave the base model as it is; the others belong to a changed one."""


def base_name(model: Model) -> str:
    """What the base model is called where it can be had: the Hub's name, else the model's own.

    Never a path: a local folder has nothing but its name.
    """
    return model.uri.removeprefix(HUB) if model.uri.startswith(HUB) else model.name


def to_peft(
    weights: Weights, adapter: Adapter, base: Model
) -> tuple[dict[str, Matrix], dict[str, Any]]:
    """The tensors and the `adapter_config.json` that `PeftModel.from_pretrained` reads.

    Raises:
        TrainingError: shapes contradict each other or the rank, or `base` is another model.
    """
    if adapter.base != base.identity:
        raise TrainingError(f"the adapter belongs to {adapter.base}, not to {base.identity}")
    revision = base.revision if base.uri.startswith(HUB) else None
    return to_peft_tensors(weights, adapter, base_name(base), revision)


def to_peft_tensors(
    weights: Weights, adapter: Adapter, base: str, revision: str | None
) -> tuple[dict[str, Matrix], dict[str, Any]]:
    """As `to_peft`, for a base model of which only the name (and `revision`) is known.

    PEFT multiplies by `lora_alpha / r`, we by `scale`, so alpha is `scale * rank`.

    Raises:
        TrainingError: shapes contradict each other or the rank.
    """
    alpha = adapter.scale * adapter.rank
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base,
        "revision": revision,
        "r": adapter.rank,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": adapter.dropout,
        "inference_mode": True,
        "bias": "none",
        "fan_in_fan_out": False,
        "init_lora_weights": True,
        "modules_to_save": None,
        "rank_pattern": {},
        "alpha_pattern": {},
        "use_dora": False,
        "use_rslora": False,
        **_targets(sorted(weights)),
    }
    return to_layout(weights, adapter.rank, PEFT), config


def from_peft(tensors: Mapping[str, Matrix], config: Mapping[str, Any]) -> Plain:
    """The adapter that PEFT would load.

    Raises:
        TrainingError: it is no plain LoRA, or names or shapes are not what they should be.
    """
    on = [name for name in OTHER_FUNCTION if config.get(name)]
    if config.get("init_lora_weights", True) not in SAME_BASE:
        on.append("init_lora_weights")
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none" or on:
        what = ", ".join(on) or f"peft_type {ascii(config.get('peft_type'))[:40]}, or bias"
        raise TrainingError(f"this is no plain LoRA adapter ({what}), the only kind we convert")
    rank = rank_in(config, "r")
    return Plain(
        weights=from_layout(tensors, rank, PEFT),
        rank=rank,
        scale=number(config, "lora_alpha") / rank,
        dropout=number(config, "lora_dropout", default=0.0),
        base=str(config.get("base_model_name_or_path") or ""),
    )


def _targets(names: list[str]) -> dict[str, Any]:
    """Which modules PEFT prepares: exactly `names`, said in its short way where that is exact."""
    placed = [name.split(".") for name in names]
    regular = all(p[:2] == ["model", "layers"] and p[2:3] and p[2].isdigit() for p in placed)
    if regular:
        pairs = {(int(parts[2]), parts[-1]) for parts in placed}
        layers = sorted({layer for layer, _ in pairs})
        modules = sorted({module for _, module in pairs})
        if len(names) == len(pairs) == len(layers) * len(modules):
            return {
                "target_modules": modules,
                "layers_to_transform": layers,
                "layers_pattern": "layers",
            }
    return {"target_modules": names, "layers_to_transform": None, "layers_pattern": None}
