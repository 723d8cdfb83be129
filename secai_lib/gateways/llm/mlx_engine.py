"""The language model by MLX: the default where MLX has a GPU (Metal or CUDA)."""

import ctypes
import json
import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from secai_lib.core.adapter import Adapter, Weights
from secai_lib.core.errors import UsageError
from secai_lib.gateways.llm.local import (
    AS_IT_LIES,
    LocalEngine,
    Logits,
    loading_errors,
    who_answers,
)
from secai_lib.gateways.merging import change, require_fit
from secai_lib.gateways.models.card import ROPE, require_rope_of_mlx, spell_rope_for_mlx

OPENBLAS = "libopenblas.so.0"
"""Debian: libopenblas0-pthread."""


def load_fast_blas() -> bool:
    """True when OpenBLAS is now in the process: MLX's Linux wheel links the slow reference BLAS.

    It has to come before `mlx.core`; then a CPU computes 50 times as fast.
    """
    if not sys.platform.startswith("linux") or "mlx.core" in sys.modules:
        return False
    try:
        ctypes.CDLL(OPENBLAS, mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True


def has_fast_blas() -> bool:
    """True when matrices are not multiplied by the reference BLAS of MLX's Linux wheel."""
    if not sys.platform.startswith("linux"):
        return True
    try:
        ctypes.CDLL(OPENBLAS, mode=os.RTLD_NOLOAD)
    except OSError:
        return False
    return True


def mlx_has_gpu() -> bool:
    """True when MLX is installed and computes on Metal or CUDA."""
    load_fast_blas()
    try:
        import mlx.core as mx
    except ImportError:
        return False
    return bool(mx.default_device() == mx.Device(mx.DeviceType.gpu, 0))


class LoadedMlx(NamedTuple):
    """A model that `mlx_lm` loaded."""

    model: Any
    """The network; dense and float32, or as it is stored."""
    tokenizer: Any
    """In `mlx_lm`'s wrapping."""
    config: dict[str, Any]
    """Its `config.json`."""
    precision: str
    """`float32` or `as stored`."""


def load_mlx(folder: Path, *, dense: bool = False) -> LoadedMlx:
    """The model in `folder`; on a CPU in float32, where 4-bit weights would be slow.

    On a GPU it stays as it is stored, unless `dense` weights are asked for: in float32 too.

    Raises:
        ModelError: a file is missing or damaged.
    """
    load_fast_blas()
    import mlx.core as mx
    from mlx_lm import load
    from mlx_lm.utils import dequantize_model

    with loading_errors():
        config = spell_rope_for_mlx(json.loads((folder / "config.json").read_bytes()))
        require_rope_of_mlx(config, "the model")
        rope = {name: config[name] for name in config if name in ROPE}
        loaded: Any = load(str(folder), AS_IT_LIES, model_config=rope, return_config=True)
    model, tokenizer, config = loaded
    if mlx_has_gpu() and not dense:
        return LoadedMlx(model, tokenizer, config, "as stored")
    model = dequantize_model(model)
    model.set_dtype(mx.float32)
    return LoadedMlx(model, tokenizer, config, "float32")


class MlxEngine(LocalEngine):
    """Answers with `mlx_lm`; on a CPU in float32, where 4-bit weights would be slow.

    With an adapter always in float32: quantised again, the weights would lose most of it.
    """

    def __init__(
        self,
        folder: Path,
        identity: str,
        batch_size: int = 8,
        threads: int = 0,
        adapter: tuple[Adapter, Weights] | None = None,
    ) -> None:
        """Load the folder that `mlx_lm` wrote.

        Args:
            folder: With `config.json`, weights, tokenizer and chat template.
            identity: Of the model.
            batch_size: Chats answered together.
            threads: Not used: MLX decides by itself.
            adapter: Added to the weights in memory.

        Raises:
            UsageError: the model cannot chat.
            ModelError: a file is missing or damaged.
            TrainingError: the adapter does not fit the model.
        """
        network = _MlxNetwork(folder, dense=adapter is not None)
        if adapter:
            network.merge(*adapter, base=identity)
        version = f"mlx {metadata.version('mlx')} {network.precision}"
        super().__init__("mlx", who_answers(identity, version, adapter), network, batch_size)

    def close(self) -> None:
        """Give the memory back, that of the GPU too."""
        super().close()
        import mlx.core as mx

        mx.clear_cache()


class _MlxNetwork:
    """A causal model of mlx-lm and the keys and values of one batch, padded on the left."""

    def __init__(self, folder: Path, *, dense: bool) -> None:
        self._model, wrapped, config, self.precision = load_mlx(folder, dense=dense)
        self.tokenizer = wrapped._tokenizer
        self.end_ids: list[int] = sorted(wrapped.eos_token_ids)
        self.context = int(config.get("max_position_embeddings") or 0)
        self.vocabulary = int(config["vocab_size"])

    def merge(self, adapter: Adapter, weights: Weights, *, base: str) -> None:
        """Add the adapter to the dense weights, for good."""
        import mlx.core as mx
        from mlx.nn.layers.linear import Linear

        modules = self._model.named_modules()
        linear = {name: m for name, m in modules if isinstance(m, Linear)}
        shapes = {name: tuple(module.weight.shape) for name, module in linear.items()}
        require_fit(adapter, weights, base, shapes)
        for name, pair in weights.items():
            linear[name].weight = linear[name].weight + mx.array(change(pair, adapter.scale))
        mx.eval(self._model.parameters())

    def start(self, prompts: Sequence[Sequence[int]]) -> Logits:
        import mlx.core as mx

        width = max(map(len, prompts))
        padding = [width - len(prompt) for prompt in prompts]
        self._cache = [_batched(layer, padding) for layer in self._layers()]
        ids = mx.array([[0] * n + list(p) for n, p in zip(padding, prompts, strict=True)])
        if width > 1:
            # Only what the cache holds is computed: logits of whole prompts would take gigabytes.
            self._model(ids[:, :-1], cache=self._cache)
            mx.eval([layer.state for layer in self._cache])
        return self._read(ids[:, -1:])

    def step(self, tokens: Sequence[int]) -> Logits:
        import mlx.core as mx

        return self._read(mx.array(list(tokens))[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        import mlx.core as mx

        for layer in self._cache:
            layer.filter(mx.array(list(rows)))

    def _read(self, ids: Any) -> Logits:
        import mlx.core as mx

        logits = self._model(ids, cache=self._cache)[:, -1].astype(mx.float32)
        return np.array(logits)

    def _layers(self) -> list[Any]:
        from mlx_lm.models.cache import make_prompt_cache

        return list(make_prompt_cache(self._model))


def _batched(layer: Any, padding: list[int]) -> Any:
    """The cache of one layer for rows with `padding` on the left.

    Raises:
        UsageError: the architecture keeps something else than keys and values.
    """
    from mlx_lm.models.cache import BatchKVCache, BatchRotatingKVCache, KVCache, RotatingKVCache

    if type(layer) is KVCache:
        return BatchKVCache(padding)
    if type(layer) is RotatingKVCache and not layer.keep:
        return BatchRotatingKVCache(layer.max_size, padding)
    raise UsageError(
        "the engine mlx cannot batch this architecture; set inference.engine: torch in "
        "config/models.yaml"
    )
