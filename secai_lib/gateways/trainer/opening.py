"""Which engine trains, and how it is opened and closed."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from secai_lib.core.adapter import EncodedRow, TrainEngine
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import StageSettings
from secai_lib.gateways.llm.mlx_engine import mlx_has_gpu
from secai_lib.gateways.machine import FLOAT_BYTES, require_memory
from secai_lib.gateways.trainer.mlx_trainer import MlxTrainer
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer

MARGIN = 1.5
"""Beside its weights a training keeps what the trained layers computed of a batch."""


def choose_trainer(engine: Literal["auto", "torch", "mlx"]) -> Literal["torch", "mlx"]:
    """The engine in force; `auto` is mlx where MLX has a GPU (Metal or CUDA), torch otherwise."""
    if engine == "auto":
        return "mlx" if mlx_has_gpu() else "torch"
    return engine


@contextmanager
def open_trainer(
    settings: StageSettings,
    model: Model,
    folder_of: Callable[[Model, ModelFormat], Path],
    rows: Sequence[EncodedRow],
    say: Callable[[str], None] = lambda _sentence: None,
) -> Iterator[TrainEngine]:
    """The engine of `settings` with a fresh adapter; its memory is free again afterwards.

    Args:
        settings: Of the stage.
        model: The base model in the models folder.
        folder_of: Where a model lies in a form; asked for one form only.
        rows: All that will be asked for, by their number.
        say: Is told what makes the training slower than it could be.

    Raises:
        TrainingError: a row cannot be learnt, or the settings do not fit the model.
        ModelTooLarge: the model does not fit into memory.
        ModelError: the model is damaged.
    """
    chosen = choose_trainer(settings.engine)
    # An adapter belongs to the weights it was trained on: both engines take the dense ones, which
    # PEFT and mlx-lm load as well, and not MLX's own four bits.
    folder = folder_of(model, ModelFormat.SAFETENSORS)
    require_memory(model.name, int(model.parameters * FLOAT_BYTES * MARGIN))
    kind = MlxTrainer if chosen == "mlx" else TorchTrainer
    trainer = kind(folder, rows, settings, say)
    try:
        yield trainer
    finally:
        trainer.close()
