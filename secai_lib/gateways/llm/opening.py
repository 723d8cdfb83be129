"""Which engine answers, and how it is opened and closed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from secai_lib.core.adapter import Adapter, Weights
from secai_lib.core.errors import UsageError
from secai_lib.core.generation import TextEngine
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import InferenceSettings
from secai_lib.gateways.llm.mlx_engine import MlxEngine, mlx_has_gpu
from secai_lib.gateways.llm.server_engine import ServerEngine
from secai_lib.gateways.llm.server_http import ServerHttp
from secai_lib.gateways.llm.torch_engine import TorchEngine
from secai_lib.gateways.machine import FLOAT_BYTES, require_memory

API_KEY = "SECAI_SERVER_API_KEY"
MARGIN = 1.15
"""Beside its weights a model needs keys, values and intermediate results of a batch."""


def choose_engine(settings: InferenceSettings) -> Literal["torch", "mlx", "server"]:
    """The engine in force; `auto` is mlx where MLX has a GPU (Metal or CUDA), torch otherwise."""
    if settings.engine == "auto":
        return "mlx" if mlx_has_gpu() else "torch"
    return settings.engine


@contextmanager
def open_engine(
    settings: InferenceSettings,
    model: Model | None,
    folder_of: Callable[[Model, ModelFormat], Path],
    adapter: tuple[Adapter, Weights] | None = None,
) -> Iterator[TextEngine]:
    """The engine of `settings`, ready to answer; its memory is free again afterwards.

    Args:
        settings: Which engine and how.
        model: The model in the models folder; the engine `server` needs none.
        folder_of: Where a model lies in a form; asked for one form only.
        adapter: What is added to the model's weights in memory; a server takes none.

    Raises:
        UsageError: a setting does not fit, or the model cannot chat.
        TrainingError: the adapter does not fit the model.
        ModelTooLarge: the model does not fit into memory.
        ModelError: the model is damaged.
    """
    engine = _open(settings, model, folder_of, adapter)
    try:
        yield engine
    finally:
        engine.close()


def _open(
    settings: InferenceSettings,
    model: Model | None,
    folder_of: Callable[[Model, ModelFormat], Path],
    adapter: tuple[Adapter, Weights] | None,
) -> TorchEngine | MlxEngine | ServerEngine:
    chosen = choose_engine(settings)
    if chosen == "server":
        if adapter:
            raise UsageError(
                "a server takes no adapter from here: set inference.engine to torch or mlx in "
                "config/models.yaml, or let the server load the fused model"
            )
        http = ServerHttp(
            settings.server_url,
            api_key=os.environ.get(API_KEY, "").strip(),
            allow_public=settings.allow_public_server,
            timeout_seconds=settings.timeout_seconds,
        )
        return ServerEngine(http, settings.server_model, settings.batch_size)
    if model is None:
        raise UsageError(f"the engine {chosen} needs a model; run the asset base_model first")
    local = TorchEngine if chosen == "torch" else MlxEngine
    # Four bits are quick on MLX's GPU only; on a CPU mlx_lm reads the dense form as well, which an
    # adapter was trained on.
    packed = chosen == "mlx" and mlx_has_gpu() and not adapter
    form = ModelFormat.MLX if packed else ModelFormat.SAFETENSORS
    folder = folder_of(model, form)
    stored = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    needed = stored if packed else model.parameters * FLOAT_BYTES
    require_memory(model.name, int(needed * MARGIN))
    return local(folder, model.identity, settings.batch_size, settings.threads, adapter)
