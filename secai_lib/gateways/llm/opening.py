"""Which engine answers, and how it is opened and closed."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from secai_lib.core.errors import UsageError
from secai_lib.core.generation import TextEngine
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import InferenceSettings
from secai_lib.gateways.llm.mlx_engine import MlxEngine, mlx_has_gpu
from secai_lib.gateways.llm.server_engine import ServerEngine
from secai_lib.gateways.llm.server_http import ServerHttp
from secai_lib.gateways.llm.torch_engine import TorchEngine

API_KEY = "SECAI_SERVER_API_KEY"


def choose_engine(settings: InferenceSettings) -> Literal["torch", "mlx", "server"]:
    """The engine in force; `auto` is mlx where MLX has a GPU (Metal or CUDA), torch otherwise."""
    if settings.engine == "auto":
        return "mlx" if mlx_has_gpu() else "torch"
    return settings.engine


@contextmanager
def open_engine(
    settings: InferenceSettings, model: Model | None, folder_of: Callable[[ModelFormat], Path]
) -> Iterator[TextEngine]:
    """The engine of `settings`, ready to answer; its memory is free again afterwards.

    Args:
        settings: Which engine and how.
        model: The model in the models folder; the engine `server` needs none.
        folder_of: Where the model lies in a form; asked for one form only.

    Raises:
        UsageError: a setting does not fit, or the model does not fit into memory.
        StorageError: the model is damaged.
        MissingTool: the packages of the engine are not installed.
    """
    engine = _open(settings, model, folder_of)
    try:
        yield engine
    finally:
        engine.close()


def _open(
    settings: InferenceSettings, model: Model | None, folder_of: Callable[[ModelFormat], Path]
) -> TorchEngine | MlxEngine | ServerEngine:
    chosen = choose_engine(settings)
    if chosen == "server":
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
    form = ModelFormat.SAFETENSORS if chosen == "torch" else ModelFormat.MLX
    return local(folder_of(form), model.identity, settings.batch_size, settings.threads)
