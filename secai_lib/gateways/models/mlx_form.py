"""Writes a model as `mlx_lm` loads it: 4-bit, from a GGUF exactly as it was delivered.

On a machine without a GPU, 4-bit is slower than float32 (one core), and `mlx_lm` reads the dense
form as it is; an engine asks for this form where MLX has a GPU.
"""

import contextlib
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from secai_lib.core.errors import ModelError
from secai_lib.gateways.models.card import read_config, require_rope_of_mlx

BITS = 4
GROUP = 64
"""Weights that share a scale, for a model that is quantised here."""
GGUF_GROUP = 32
"""As Q4_0, Q4_1 and Q8_0 have it."""
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}
_LAYER = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
_BLOCK = re.compile(r"blk\.(\d+)\.(\w+)\.(\w+)")


def from_dense(dense: Path, into: Path, what: str) -> None:
    """Quantise the safetensors in `dense` to 4 bits in groups of 64, into the new folder `into`.

    Raises:
        ModelError: `mlx_lm` does not know the architecture, or its rotary settings.
    """
    require_rope_of_mlx(read_config(dense, what), what)
    from mlx_lm.convert import convert

    try:
        with contextlib.redirect_stdout(sys.stderr):  # it prints; our output may be JSON
            convert(str(dense), str(into), quantize=True, q_group_size=GROUP, q_bits=BITS)
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"mlx_lm cannot read {what} ({type(error).__name__}): set inference.engine to torch"
        ) from error


def from_gguf(gguf: Path, dense: Path, into: Path, what: str) -> None:
    """Write the packed weights of `gguf` under MLX's names into the new folder `into`.

    Nothing is quantised again. Config and tokenizer are those of the form in `dense`.

    Raises:
        ModelError: the architecture is not `llama`, or a tensor has a name we do not know.
    """
    import mlx.core as mx

    config = json.loads((dense / "config.json").read_bytes())
    if config["model_type"] != "llama":
        raise ModelError(
            f"the GGUF of {what} is no llama, the one architecture we hand to MLX as delivered: "
            "set inference.engine to torch"
        )
    loaded: Any = mx.load(str(gguf))
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    weights = {}
    for name, value in loaded.items():
        part = name.split(".")[-2]
        weights[mlx_name(name)] = _unpermuted(value, heads[part]) if part in heads else value
    into.mkdir()
    mx.save_safetensors(str(into / "model.safetensors"), weights, metadata={"format": "mlx"})
    config["quantization"] = config["quantization_config"] = _quantisation(weights)
    (into / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True), "utf-8")
    for file in sorted(dense.iterdir()):
        if file.suffix in {".json", ".jinja"} and file.name != "config.json":
            shutil.copyfile(file, into / file.name)


def mlx_name(name: str) -> str:
    """What `mlx_lm` calls the tensor `name` of a llama GGUF.

    Raises:
        ModelError: the tensor is not known; leaving it out would be another model.
    """
    block = _BLOCK.fullmatch(name)
    if block and block[2] in _LAYER:
        return f"model.layers.{block[1]}.{_LAYER[block[2]]}.{block[3]}"
    stem, _, kind = name.rpartition(".")
    if stem in _TOP:
        return f"{_TOP[stem]}.{kind}"
    raise ModelError(f"the GGUF holds a tensor {name[:60]!r} that we do not know")


def _unpermuted(value: Any, heads: int) -> Any:
    """`value` with the rows of every head back in their order.

    llama.cpp interleaves the two halves that rotate together:
    https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py (`permute`).
    """
    half = value.shape[0] // heads // 2
    rows = value.reshape(heads, half, 2, *value.shape[1:])
    return rows.swapaxes(1, 2).reshape(value.shape)


def _quantisation(weights: dict[str, Any]) -> dict[str, object]:
    """Group and bits for `config.json`; layers with other bits than most are named."""
    bits = {
        name.removesuffix(".scales"): 32
        * weights[name.replace(".scales", ".weight")].shape[-1]
        // (GGUF_GROUP * scales.shape[-1])
        for name, scales in weights.items()
        if name.endswith(".scales")
    }
    if not bits:
        raise ModelError("the GGUF is not quantised: name the model with dense weights instead")
    usual = Counter(bits.values()).most_common(1)[0][0]
    others = {n: {"group_size": GGUF_GROUP, "bits": b} for n, b in bits.items() if b != usual}
    return {"group_size": GGUF_GROUP, "bits": usual, **dict(sorted(others.items()))}
