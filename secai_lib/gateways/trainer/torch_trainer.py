"""Training of an adapter by PyTorch and PEFT."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.adapter import EncodedRow, LossSum, LowRank, StepReport, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.llm.local import AS_IT_LIES, loading_errors
from secai_lib.gateways.machine import available_memory
from secai_lib.gateways.trainer.start import (
    fresh_weights,
    layer_of,
    require_fit,
    require_rows,
    select_modules,
)
from secai_lib.gateways.trainer.torch_network import Span, SplitNetwork

ADAPTER = "default"
"""PEFT's name of the one adapter."""
MOMENTS = ("exp_avg", "exp_avg_sq")
"""What AdamW remembers of every weight."""


class TorchTrainer:
    """A `TrainEngine`: float32, on CUDA where that is there."""

    name = "torch"

    def __init__(
        self,
        folder: Path,
        rows: Sequence[EncodedRow],
        settings: StageSettings,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """Load the dense model in `folder` and give it a fresh adapter.

        Args:
            folder: As `transformers` wrote it.
            rows: All that will be asked for, by their number.
            settings: Of the stage; the plan in it is the caller's.
            say: Is told what makes the training slower than it could be.

        Raises:
            TrainingError: a row cannot be learnt, or the settings do not fit the model.
            ModelError: a file is missing or damaged.
        """
        import torch

        model = _load(folder)
        require_rows(
            rows,
            int(model.get_output_embeddings().weight.shape[0]),
            int(getattr(model.config, "max_position_embeddings", 0) or 0),
        )
        linear = {
            name: (int(module.out_features), int(module.in_features))
            for name, module in model.named_modules()
            if isinstance(module, torch.nn.Linear)
        }
        self._shapes = select_modules(linear, settings.lora)
        self._peft: Any = _with_adapter(model, sorted(self._shapes), settings.lora)
        self._lora = _adapted(model, self._shapes)
        self._rank, self._clip_norm = settings.lora.rank, settings.clip_norm
        self._weight_decay = settings.weight_decay
        self._rows = list(rows)
        self.identity = f"torch {torch.__version__.split('+')[0]} float32 {model.device.type}"
        self.load(fresh_weights(self._shapes, self._rank, settings.seed))
        first = min(map(layer_of, self._shapes))
        self._network = SplitNetwork(model, self._rows, first, available_memory(), say)

    def close(self) -> None:
        """Give the memory back; nothing can be trained any more."""
        import torch

        del self._network, self._peft, self._lora, self._optimizer
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def step(self, batches: Sequence[Sequence[int]], learning_rate: float, seed: int) -> StepReport:
        """One step of AdamW; see `TrainEngine.step`."""
        import torch

        numbers = [number for batch in batches for number in batch]
        weight = sum(sum(self._rows[number].target_weights) for number in numbers)
        self._optimizer.zero_grad(set_to_none=True)
        total = 0.0
        with _reproducible(seed), self._training():
            for batch in batches:
                loss: Any = torch.cat(self._token_losses(batch)).sum() / weight
                loss.backward()
                total += loss.item()
        norm = float(torch.nn.utils.clip_grad_norm_(self._parameters(), self._clip_norm))
        if not np.isfinite([total, norm]).all():
            self._optimizer.zero_grad(set_to_none=True)
            named = ", ".join(sorted({self._rows[number].id for number in numbers})[:8])
            raise TrainingError(
                f"loss ({total}) or gradient ({norm}) of the rows {named} is no number; lower the "
                "learning rate, or look at these rows"
            )
        self._optimizer.param_groups[0]["lr"] = learning_rate
        self._optimizer.step()
        return StepReport(total, norm)

    def losses(self, rows: Sequence[int], batch_size: int) -> list[LossSum]:
        """The loss of each of `rows`; see `TrainEngine.losses`."""
        import torch

        # By length, so that little is padding; the answers are in the order of the question.
        order = sorted(set(rows), key=lambda number: (len(self._rows[number].tokens), number))
        done: dict[int, LossSum] = {}
        with torch.no_grad():
            for first in range(0, len(order), batch_size):
                batch = order[first : first + batch_size]
                for number, loss in zip(batch, self._token_losses(batch), strict=True):
                    weight = sum(self._rows[number].target_weights)
                    done[number] = LossSum(float(loss.sum()), weight)
        return [done[number] for number in rows]

    def logits(self, rows: Sequence[int], last: int) -> NDArray[np.float32]:
        """Logits behind the `last` positions of `rows`; see `TrainEngine.logits`.

        Raises:
            TrainingError: a row has fewer positions.
        """
        import torch

        made = []
        for number in rows:
            length = len(self._rows[number].tokens)
            if not 0 < last <= length:
                raise TrainingError(f"row {self._rows[number].id} has no {last} last positions")
            with torch.no_grad():
                made.append(self._network.logits([Span(number, length - last, length)]))
        stacked: NDArray[np.float32] = torch.stack(made).cpu().numpy()
        return stacked

    def weights(self) -> dict[str, LowRank]:
        """A copy of the adapter."""
        return {
            name: LowRank(*(half.detach().cpu().numpy().copy() for half in self._halves(name)))
            for name in self._shapes
        }

    def load(self, weights: Weights) -> None:
        """Go on from `weights` with a fresh optimizer; see `TrainEngine.load`."""
        import torch

        require_fit(weights, self._shapes, self._rank)
        with torch.no_grad():
            for name in self._shapes:
                for half, values in zip(self._halves(name), weights[name], strict=True):
                    half.copy_(torch.from_numpy(np.array(values, np.float32)))
        self._optimizer = torch.optim.AdamW(
            self._parameters(), lr=0.0, weight_decay=self._weight_decay
        )

    def state(self) -> dict[str, NDArray[Any]]:
        """A copy of weights and optimizer: arrays by name."""
        rate = self._optimizer.param_groups[0]["lr"]
        steps = [int(s["step"]) for s in self._optimizer.state.values()]
        arrays: dict[str, NDArray[Any]] = {
            "steps": np.array([max(steps, default=0)], np.int64),
            "learning_rate": np.array([rate], np.float64),
        }
        for name, half in self._named_halves():
            arrays[name] = half.detach().cpu().numpy().copy()
            for moment in MOMENTS:
                kept = self._optimizer.state.get(half, {}).get(moment)
                empty = np.zeros_like(arrays[name])
                arrays[f"{name}.{moment}"] = empty if kept is None else kept.cpu().numpy().copy()
        return arrays

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state`; see `TrainEngine.restore`."""
        import torch

        expected = self.state()
        if state.keys() != expected.keys() or any(
            (state[k].shape, state[k].dtype) != (expected[k].shape, expected[k].dtype)
            for k in expected
        ):
            raise TrainingError(
                "the checkpoint is of another adapter or engine; remove it and begin the training "
                "anew"
            )
        if not all(np.isfinite(array).all() for array in state.values()):
            raise TrainingError("the checkpoint holds numbers that are none; begin anew")
        halves = dict(self._named_halves())
        self.load({n: LowRank(state[f"{n}.lora_a"], state[f"{n}.lora_b"]) for n in self._shapes})
        self._optimizer.param_groups[0]["lr"] = float(state["learning_rate"][0])
        for name, half in halves.items():
            self._optimizer.state[half] = {
                "step": torch.tensor(float(state["steps"][0])),
                **{m: torch.tensor(state[f"{name}.{m}"], device=half.device) for m in MOMENTS},
            }

    def settings_in_use(self) -> dict[str, float | int | str]:
        """What the live objects say; see `TrainEngine.settings_in_use`."""
        group = self._optimizer.param_groups[0]
        trained = [p for p in self._peft.parameters() if p.requires_grad]
        own = {id(half) for half in self._parameters()}
        return {
            "rank": _only({module.r[ADAPTER] for module in self._lora.values()}),
            "scale": _only({module.scaling[ADAPTER] for module in self._lora.values()}),
            "dropout": _only({_dropout_of(module) for module in self._lora.values()}),
            "layers": len({layer_of(name) for name in self._lora}),
            "modules": len(self._lora),
            "trained_weights": sum(p.numel() for p in trained),
            "optimizer": type(self._optimizer).__name__,
            "learning_rate": group["lr"],
            "weight_decay": group["weight_decay"],
            "clip_norm": self._clip_norm,
            "base_frozen": int(own == {id(p) for p in trained}),
        }

    def _token_losses(self, batch: Sequence[int]) -> list[Any]:
        """Of each row of `batch`: cross-entropy of its answer tokens, times their weights."""
        import torch
        from torch.nn.functional import cross_entropy

        rows = [self._rows[number] for number in batch]
        spans = [
            Span(number, row.answer_start - 1, len(row.tokens) - 1)
            for number, row in zip(batch, rows, strict=True)
        ]
        logits = self._network.logits(spans)
        targets = [token for row in rows for token in row.tokens[row.answer_start :]]
        losses: Any = cross_entropy(
            logits, torch.tensor(targets, device=logits.device), reduction="none"
        )
        weights = [weight for row in rows for weight in row.target_weights]
        weighted: Any = losses * torch.tensor(weights, device=losses.device)
        return list(weighted.split([row.targets for row in rows]))

    def _halves(self, name: str) -> tuple[Any, Any]:
        module = self._lora[name]
        return module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight

    def _named_halves(self) -> Iterator[tuple[str, Any]]:
        for name in self._shapes:
            yield from zip((f"{name}.lora_a", f"{name}.lora_b"), self._halves(name), strict=True)

    def _parameters(self) -> list[Any]:
        return [half for _name, half in self._named_halves()]

    @contextmanager
    def _training(self) -> Iterator[None]:
        """The adapter's dropout is on inside; the base model has none in any case."""
        dropouts = [module.lora_dropout for module in self._lora.values()]
        for dropout in dropouts:
            dropout.train()
        try:
            yield
        finally:
            for dropout in dropouts:
                dropout.eval()


def _load(folder: Path) -> Any:
    """The frozen model in `folder`."""
    import torch
    from transformers import AutoModelForCausalLM

    with loading_errors():
        model: Any = AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, **AS_IT_LIES
        )
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _with_adapter(model: Any, modules: list[str], lora: LoraSettings) -> Any:
    """`model` as PEFT wraps it; the modules inside are replaced in place."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.scale * lora.rank,  # type: ignore[arg-type]  # a float as well
        lora_dropout=lora.dropout,
        target_modules=modules,
    )
    return get_peft_model(model, config, adapter_name=ADAPTER).eval()


def _adapted(model: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Module name -> PEFT's layer, sorted.

    Raises:
        TrainingError: PEFT adapted others than `wanted`.
    """
    from peft.tuners.lora import LoraLayer

    found = {name: m for name, m in model.named_modules() if isinstance(m, LoraLayer)}
    if found.keys() != wanted.keys():
        raise TrainingError(
            f"PEFT adapted {len(found)} modules and {len(wanted)} were asked for; set lora.targets "
            "to attention"
        )
    return {name: found[name] for name in sorted(found)}


def _dropout_of(module: Any) -> float:
    return float(getattr(module.lora_dropout[ADAPTER], "p", 0.0))


def _only(values: set[Any]) -> Any:
    """The one value all modules share.

    Raises:
        TrainingError: they differ.
    """
    if len(values) != 1:
        raise TrainingError(f"the modules of the adapter differ: {sorted(values)}; begin anew")
    return next(iter(values))


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """Chance is `seed`'s inside, and sums are added in one order where PyTorch can do that."""
    import torch

    before = torch.are_deterministic_algorithms_enabled()
    warned = torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)
