"""Training with MLX: mlx-lm's models and LoRA layers, and a step of our own.

mlx-lm's own loop (0.32) is not used: it cuts the ends of long rows, where the answers are, counts
a padding token of each row as a target, sorts by nothing, and keeps neither the best weights nor
the optimizer's state.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from secai_lib.core.adapter import EncodedRow, LossSum, LowRank, StepReport, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import StageSettings
from secai_lib.gateways.llm.mlx_engine import has_fast_blas, load_mlx, mlx_has_gpu
from secai_lib.gateways.trainer.mlx_answers import AnswerReader
from secai_lib.gateways.trainer.mlx_lora import (
    attach,
    linear_shapes,
    live_settings,
    read_weights,
    write_weights,
)
from secai_lib.gateways.trainer.start import (
    fresh_weights,
    require_fit,
    require_rows,
    select_modules,
)

BETAS = [0.9, 0.999]
EPSILON = 1e-8
"""Both as in torch's AdamW."""
CLIP_EPSILON = 1e-6
"""As in torch's `clip_grad_norm_`."""
SPARE_BYTES = 2_000_000_000
"""Freed buffers of other widths that MLX may keep between two steps."""

SLOW = (
    "MLX computes with the reference BLAS here, some 50 times slower than with OpenBLAS: install "
    "libopenblas0-pthread, or set engine to torch"
)


class MlxTrainer:
    """A `TrainEngine`: float32, on MLX's GPU where there is one; packed weights are made dense."""

    name = "mlx"

    def __init__(
        self,
        folder: Path,
        rows: Sequence[EncodedRow],
        settings: StageSettings,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Load a folder that `mlx_lm` can read and put a fresh adapter round its layers.

        Args:
            folder: Packed or dense weights.
            rows: All that will be asked for, by their number.
            settings: Of the stage; the plan in it is the caller's.
            say: Is told what makes the training slower than it could be.

        Raises:
            ModelError: a file of the model is missing or damaged.
            TrainingError: a row cannot be learnt, or there is no layer to train.
        """
        self._settings = settings
        loaded = load_mlx(folder, dense=True)
        self._model = loaded.model
        device = "gpu" if mlx_has_gpu() else "cpu"
        if device == "cpu" and not has_fast_blas():
            say(SLOW)
        versions = f"mlx {metadata.version('mlx')} mlx-lm {metadata.version('mlx-lm')}"
        self.identity = f"{versions} {loaded.precision} {device}"
        context = int(loaded.config.get("max_position_embeddings") or 0)
        require_rows(rows, int(loaded.config["vocab_size"]), context)
        self._answers = AnswerReader(self._model, rows)
        self._shapes = select_modules(linear_shapes(self._model), settings.lora)
        self._modules = attach(self._model, self._shapes, settings.lora)
        self.load(fresh_weights(self._shapes, settings.lora.rank, settings.seed))

    def step(self, batches: Sequence[Sequence[int]], learning_rate: float, seed: int) -> StepReport:
        """See `TrainEngine.step`."""
        import mlx.core as mx

        self._model.train()
        mx.random.seed(seed)
        loss, gradients = self._gradients(batches)
        norm = float(mx.sqrt(mx.stack([mx.square(g).sum() for _, g in _flat(gradients)]).sum()))
        if not np.isfinite([loss, norm]).all():
            raise TrainingError(
                f"the loss ({loss}) or its gradient ({norm}) is no number in the rows "
                f"{self._answers.named(batches)}; lower learning_rate, or look at these rows"
            )
        self._optimizer.learning_rate = learning_rate
        factor = min(1.0, self._settings.clip_norm / (norm + CLIP_EPSILON))
        self._optimizer.update(self._model, _map(lambda g: g * factor, gradients))
        # One order in memory, whatever the gradient came in: the same bits after a resume.
        self._model.update(_map(mx.contiguous, self._model.trainable_parameters()))
        mx.eval(self._model.trainable_parameters(), self._optimizer.state)
        if mx.get_cache_memory() > SPARE_BYTES:
            mx.clear_cache()
        return StepReport(loss, norm)

    def losses(self, rows: Sequence[int], batch_size: int) -> list[LossSum]:
        """See `TrainEngine.losses`; rows of like lengths share a batch."""
        self._model.eval()
        order = sorted(range(len(rows)), key=lambda place: self._answers.length(rows[place]))
        found: dict[int, LossSum] = {}
        for start in range(0, len(order), batch_size):
            places = order[start : start + batch_size]
            batch = [rows[place] for place in places]
            found |= zip(places, self._answers.row_losses(batch), strict=True)
        return [found[place] for place in range(len(rows))]

    def logits(self, rows: Sequence[int], last: int) -> Any:
        """See `TrainEngine.logits`."""
        self._model.eval()
        return np.stack([self._answers.last_logits(row, last) for row in rows])

    def weights(self) -> dict[str, LowRank]:
        """See `TrainEngine.weights`."""
        return read_weights(self._modules)

    def load(self, weights: Weights) -> None:
        """See `TrainEngine.load`."""
        from mlx.optimizers import AdamW

        require_fit(weights, self._shapes, self._settings.lora.rank)
        write_weights(self._modules, weights)
        # MLX leaves the correction of the first steps' moments out unless it is asked for.
        self._optimizer: Any = AdamW(
            0.0, BETAS, EPSILON, self._settings.weight_decay, bias_correction=True
        )
        self._optimizer.init(self._model.trainable_parameters())

    def state(self) -> dict[str, Any]:
        """See `TrainEngine.state`; chance is no part of it: every step brings its own seed."""
        parts = {"adapter": self._model.trainable_parameters(), "adamw": self._optimizer.state}
        return {name: np.array(value, order="C") for name, value in _flat(parts)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """See `TrainEngine.restore`."""
        import mlx.core as mx
        from mlx.utils import tree_unflatten

        here = {name: (value.shape, value.dtype) for name, value in self.state().items()}
        there = {name: (value.shape, value.dtype) for name, value in state.items()}
        if here != there:
            odd = sorted(n for n in {*here, *there} if here.get(n) != there.get(n))
            raise TrainingError(
                f"the checkpoint does not fit this training, first at {odd[0][:80]!r}; start anew"
            )
        if not all(np.isfinite(value).all() for value in state.values()):
            raise TrainingError("the checkpoint holds what is no number; start anew")
        parts = tree_unflatten([(name, mx.array(value)) for name, value in sorted(state.items())])
        self._model.update(parts["adapter"])
        self._optimizer.state = parts["adamw"]
        mx.eval(self._model.trainable_parameters(), self._optimizer.state)

    def settings_in_use(self) -> dict[str, float | int | str]:
        """See `TrainEngine.settings_in_use`."""
        trained = dict(_flat(self._model.trainable_parameters()))
        ours = {f"{name}.lora_{half}" for name in self._modules for half in "ab"}
        return {
            **live_settings(self._modules),
            "trained_weights": sum(value.size for value in trained.values()),
            "optimizer": type(self._optimizer).__name__,
            "learning_rate": float(str(np.float32(self._optimizer.learning_rate.item()))),
            "weight_decay": float(self._optimizer.weight_decay),
            "clip_norm": self._settings.clip_norm,
            "base_frozen": int(trained.keys() == ours),
        }

    def close(self) -> None:
        """Give the memory back, that of the GPU too."""
        import mlx.core as mx

        del self._model, self._modules, self._optimizer, self._answers
        mx.clear_cache()

    def _gradients(self, batches: Sequence[Sequence[int]]) -> tuple[float, Any]:
        """Mean loss of the answer tokens of all `batches`, and its gradient."""
        import mlx.core as mx
        from mlx.nn.utils import value_and_grad

        total, gradients = 0.0, None
        weight = sum(self._answers.weight(row) for batch in batches for row in batch)
        run = value_and_grad(self._model, lambda batch: self._answers.loss(batch) / weight)
        for batch in batches:
            loss, new = run(batch)
            gradients = _sum(gradients, new)
            mx.eval(loss, gradients)  # or the graphs of all batches are kept until the end
            total += float(loss)
        return total, gradients


def _flat(tree: Any) -> list[tuple[str, Any]]:
    from mlx.utils import tree_flatten

    flat: Any = tree_flatten(tree)
    return list(flat)


def _map(change: Any, tree: Any) -> Any:
    from mlx.utils import tree_map

    return tree_map(change, tree)


def _sum(one: Any, other: Any) -> Any:
    from mlx.utils import tree_map

    return other if one is None else tree_map(lambda a, b: a + b, one, other)
