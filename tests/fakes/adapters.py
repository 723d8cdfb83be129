"""Random adapters of any model: both matrices differ from 0, so that they change every answer."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from secai_lib.core.adapter import Adapter, LowRank, Stage, Weights
from secai_lib.gateways.adapter_files import facts_of

TINY_OLMO: Mapping[str, tuple[int, int]] = {
    f"model.layers.{layer}.{name}": shape
    for layer in range(2)
    for name, shape in {
        "self_attn.q_proj": (64, 64),
        "self_attn.v_proj": (32, 64),
        "self_attn.o_proj": (64, 64),
        "mlp.up_proj": (128, 64),
        "mlp.down_proj": (64, 128),
    }.items()
}
"""Module -> (out, in), of the model of `tiny_olmo`; query and output projections are square."""


def make_adapter(
    base: str = "tiny",
    shapes: Mapping[str, tuple[int, int]] = TINY_OLMO,
    *,
    rank: int = 4,
    scale: float = 3.0,
    seed: int = 5,
    size: float = 0.1,
    stage: Stage = 2,
) -> tuple[Adapter, dict[str, LowRank]]:
    """An adapter of the modules `shapes`, drawn with `seed`, and its matrices."""
    random = np.random.default_rng(seed)
    weights = {
        name: LowRank(
            random.normal(0, size, (rank, width)).astype(np.float32),
            random.normal(0, size, (out, rank)).astype(np.float32),
        )
        for name, (out, width) in shapes.items()
    }
    return record_of(weights, base=base, rank=rank, scale=scale, stage=stage), weights


def record_of(
    weights: Mapping[str, LowRank], *, base: str, rank: int, scale: float, stage: Stage = 2
) -> Adapter:
    """What `adapter.json` says of `weights`."""
    return Adapter(
        stage=stage,
        engine="torch",
        base=base,
        rank=rank,
        scale=scale,
        dropout=0.0,
        modules=facts_of(weights),
    )


def hooked_logits(folder: Path, adapter: Adapter, weights: Weights, tokens: Sequence[int]) -> Any:
    """Logits behind every one of `tokens` of the dense model in `folder`, and the adapter.

    `scale * B(Ax)` is added to what each module gives, so that the weights stay as they are.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)

    def add(pair: LowRank) -> Any:
        a, b = torch.from_numpy(pair.a), torch.from_numpy(pair.b)
        return lambda _module, given, out: out + adapter.scale * (given[0] @ a.T @ b.T)

    for name, pair in weights.items():
        model.get_submodule(name).register_forward_hook(add(pair))
    with torch.inference_mode():
        return model(torch.tensor([list(tokens)])).logits[0].numpy()
