"""Models of a few hundred weights, whole enough to be fetched, kept, checked and converted."""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "num_hidden_layers": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "tie_word_embeddings": True,
    "rope_parameters": {"rope_theta": 5000.0, "rope_type": "default"},
}
CARD = "---\nlicense: apache-2.0\nlanguage: en\n---\n\n# Tiny-Llama\n"


def weights(config: Mapping[str, Any] = CONFIG, seed: int = 7) -> dict[str, np.ndarray]:
    """Random float32 weights under the names of `transformers`."""
    random = np.random.default_rng(seed)
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    kv = hidden // config["num_attention_heads"] * config["num_key_value_heads"]
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens": (config["vocab_size"], hidden)}
    for layer in range(config["num_hidden_layers"]):
        at = f"model.layers.{layer}"
        shapes |= {
            f"{at}.self_attn.q_proj": (hidden, hidden),
            f"{at}.self_attn.k_proj": (kv, hidden),
            f"{at}.self_attn.v_proj": (kv, hidden),
            f"{at}.self_attn.o_proj": (hidden, hidden),
            f"{at}.mlp.gate_proj": (inner, hidden),
            f"{at}.mlp.up_proj": (inner, hidden),
            f"{at}.mlp.down_proj": (hidden, inner),
            f"{at}.input_layernorm": (hidden,),
            f"{at}.post_attention_layernorm": (hidden,),
        }
    shapes["model.norm"] = (hidden,)
    return {f"{n}.weight": random.normal(0, 0.3, s).astype(np.float32) for n, s in shapes.items()}


def tiny_model(*, card: str = CARD, config: Mapping[str, Any] = CONFIG) -> dict[str, bytes]:
    """The files of a tiny llama with a tokenizer, as a repository or folder holds them."""
    from safetensors.numpy import save
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel

    vocabulary = {f"t{n}": n for n in range(30)} | {"<unk>": 30, "</s>": 31}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    special = {"eos_token": "</s>", "unk_token": "<unk>", "tokenizer_class": "TokenizersBackend"}
    return {
        "README.md": card.encode(),
        "config.json": json.dumps(config).encode(),
        "model.safetensors": save(weights(config), metadata={"format": "pt"}),
        "tokenizer.json": tokenizer.to_str().encode(),
        "tokenizer_config.json": json.dumps(special).encode(),
    }


PARAMETERS = sum(array.size for array in weights().values())


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """`folder`, now with `files`."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def write_wheel(
    folder: Path, files: Mapping[str, bytes], *, package: str = "tiny_llama", version: str = "1.0"
) -> str:
    """The SHA-256 of a new wheel in `folder` that carries `files` below `PACKAGE/`."""
    info = f"{package}-{version}.dist-info"
    wheel = folder / f"{package}-{version}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    named = {f"{package}/{name}": data for name, data in files.items()} | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
        "Requires-Dist: a-dependency-that-does-not-exist\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\n"
        b"Tag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in named.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


_GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def write_gguf(path: Path, *, licence: str = "apache-2.0") -> Path:
    """`path`, now a GGUF of the tiny llama as llama.cpp writes one: Q4_1, embeddings Q8_0."""
    from gguf import GGMLQuantizationType as Kind
    from gguf import GGUFWriter
    from gguf.quants import quantize

    writer = GGUFWriter(path, "llama")
    writer.add_license(licence)
    writer.add_block_count(CONFIG["num_hidden_layers"])
    heads = {"attn_q": CONFIG["num_attention_heads"], "attn_k": CONFIG["num_key_value_heads"]}
    for name, array in weights().items():
        stem = name.removesuffix(".weight")
        place = ""
        if stem.startswith("model.layers."):
            layer, _, stem = stem.removeprefix("model.layers.").partition(".")
            place = f"blk.{layer}."
        short = _GGUF_NAMES[stem]
        if array.ndim == 1:
            writer.add_tensor(f"{place}{short}.weight", array)
            continue
        if short in heads:  # llama.cpp interleaves the halves that rotate together
            rows, count = array.shape[0], heads[short]
            halves = array.reshape(count, 2, rows // count // 2, -1)
            array = np.ascontiguousarray(halves.swapaxes(1, 2)).reshape(array.shape)
        kind = Kind.Q8_0 if short == "token_embd" else Kind.Q4_1
        writer.add_tensor(f"{place}{short}.weight", quantize(array, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
