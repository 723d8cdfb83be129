"""A small language model in NumPy that is really trained: two low-rank modules, AdamW, dropout.

It reads one token and predicts the next: `h = E[token]`, `g = h + M1 h`, `logits = M2 g`, where
each `M` is a frozen matrix plus `scale * B @ A`. Base and first weights follow from the seeds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from secai_lib.core.adapter import EncodedRow, LossSum, LowRank, StepReport, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import StageSettings

VOCABULARY, WIDTH = 24, 8
MODULES = {"model.layers.0.self_attn.q_proj": WIDTH, "model.layers.0.mlp.up_proj": VOCABULARY}
"""Name -> rows of its matrix; both read WIDTH numbers."""
BETAS, EPSILON = (0.9, 0.999), 1e-8
Arrays = dict[str, Any]


class NumpyTrainEngine:
    """A `TrainEngine`; what goes wrong with it is said in the constructor."""

    name = "torch"

    def __init__(
        self,
        rows: Sequence[EncodedRow],
        settings: StageSettings,
        *,
        base: int = 0,
        rename: str = "",
        ignores: frozenset[str] = frozenset(),
        deaf_load: bool = False,
        poison: frozenset[str] = frozenset(),
    ) -> None:
        """Train on `rows`.

        Args:
            rows: What is read.
            settings: How.
            base: Seed of the frozen matrices: another one is another base model.
            rename: Prefix of the module names.
            ignores: Settings that do not arrive: `rank`, `weight_decay`, `clip_norm`, `scale`.
            deaf_load: `load` takes nothing over and says nothing.
            poison: Ids of rows whose gradient is no number.
        """
        self.identity = f"numpy base {base}"
        self._rows, self._ignores, self._poison = rows, ignores, poison
        self._deaf = deaf_load
        lora = settings.lora
        self._rank = 3 if "rank" in ignores else lora.rank
        self._scale = 1.0 if "scale" in ignores else lora.scale
        self._dropout = lora.dropout
        self._decay = 0.5 if "weight_decay" in ignores else settings.weight_decay
        self._clip = 1e9 if "clip_norm" in ignores else settings.clip_norm
        chance = np.random.default_rng(base)
        self._embedding = chance.normal(size=(VOCABULARY, WIDTH)).astype(np.float32)
        self._frozen = {
            rename + name: (chance.normal(size=(size, WIDTH)) / 4).astype(np.float32)
            for name, size in MODULES.items()
        }
        first = np.random.default_rng(settings.seed)
        self._arrays: Arrays = {}
        for name, matrix in self._frozen.items():
            a = first.uniform(-0.35, 0.35, (self._rank, WIDTH)).astype(np.float32)
            self._arrays |= {f"a/{name}": a, f"b/{name}": np.zeros((len(matrix), self._rank), "f4")}
        self._forget()

    def step(self, batches: Sequence[Sequence[int]], learning_rate: float, seed: int) -> StepReport:
        chance = np.random.default_rng(seed)
        gradients = {name: np.zeros_like(array) for name, array in self._arrays.items()}
        total = weight = 0.0
        for batch in batches:
            for number in batch:
                loss = self._row(number, gradients, chance)
                total, weight = total + loss.total, weight + loss.weight
        gradients = {name: gradient / np.float32(weight) for name, gradient in gradients.items()}
        norm = float(np.sqrt(sum(float((g * g).sum()) for g in gradients.values())))
        if not np.isfinite(norm):
            raise TrainingError("the gradient is no number")
        factor = np.float32(min(1.0, self._clip / (norm + 1e-6)))
        self._descend({n: g * factor for n, g in gradients.items()}, learning_rate)
        return StepReport(total / weight, norm)

    def _descend(self, gradients: Arrays, rate: float) -> None:
        self._count += 1
        self._rate = rate
        one, two = (1 - beta**self._count for beta in BETAS)
        for name, gradient in gradients.items():
            moment, square = self._moments[name], self._squares[name]
            moment += (1 - BETAS[0]) * (gradient - moment)
            square += (1 - BETAS[1]) * (gradient * gradient - square)
            change = (moment / one) / (np.sqrt(square / two) + EPSILON)
            array = self._arrays[name]
            array -= np.float32(rate) * (change + np.float32(self._decay) * array)

    def _row(
        self, number: int, gradients: Arrays | None, chance: np.random.Generator | None
    ) -> LossSum:
        row = self._rows[number]
        tokens = np.array(row.tokens)
        read, wanted = tokens[row.answer_start - 1 : -1], tokens[row.answer_start :]
        one, two = self._frozen
        h = self._embedding[read]
        g, kept_one = self._module(one, h, chance)
        g = h + g
        logits, kept_two = self._module(two, g, chance)
        top = logits.max(axis=1, keepdims=True)
        log_sum = top + np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
        places = np.arange(len(wanted))
        losses = (log_sum[:, 0] - logits[places, wanted]) * np.float32(row.weight)
        loss = LossSum(float(losses.sum()), row.weight * len(wanted))
        if gradients is not None:
            slope = np.exp(logits - log_sum)
            slope[places, wanted] -= 1
            slope *= np.float32(row.weight)
            if row.id in self._poison:
                slope *= np.float32(np.nan)
            below = self._back(two, slope, kept_two, gradients)
            self._back(one, below, kept_one, gradients)
        return loss

    def _module(self, name: str, x: Any, chance: np.random.Generator | None) -> tuple[Any, Any]:
        mask = np.ones_like(x)
        if chance is not None and self._dropout:
            mask = (chance.random(x.shape) >= self._dropout) / (1 - self._dropout)
            mask = mask.astype(np.float32)
        inner = x * mask
        a, b = self._arrays[f"a/{name}"], self._arrays[f"b/{name}"]
        out = x @ self._frozen[name].T + np.float32(self._scale) * ((inner @ a.T) @ b.T)
        return out, (inner, mask)

    def _back(self, name: str, slope: Any, kept: tuple[Any, Any], gradients: Arrays) -> Any:
        (inner, mask), scale = kept, np.float32(self._scale)
        a, b = self._arrays[f"a/{name}"], self._arrays[f"b/{name}"]
        gradients[f"b/{name}"] += scale * (slope.T @ (inner @ a.T))
        gradients[f"a/{name}"] += scale * ((slope @ b).T @ inner)
        return slope @ self._frozen[name] + scale * ((slope @ b) @ a) * mask

    def losses(self, rows: Sequence[int], batch_size: int) -> list[LossSum]:
        return [self._row(number, None, None) for number in rows]

    def logits(self, rows: Sequence[int], last: int) -> Any:
        one, two = self._frozen
        made = []
        for number in rows:
            h = self._embedding[np.array(self._rows[number].tokens)[-last:]]
            g = h + self._module(one, h, None)[0]
            made.append(self._module(two, g, None)[0])
        return np.stack(made)

    def weights(self) -> dict[str, LowRank]:
        return {
            name: LowRank(self._arrays[f"a/{name}"].copy(), self._arrays[f"b/{name}"].copy())
            for name in self._frozen
        }

    def load(self, weights: Weights) -> None:
        mine = self.weights()
        for name in sorted({*mine, *weights}):
            if name not in mine or name not in weights:
                raise TrainingError(f"{name} is not in both")
            if [m.shape for m in mine[name]] != [m.shape for m in weights[name]]:
                raise TrainingError(f"{name} has another shape")
        self._forget()
        for name, pair in weights.items() if not self._deaf else ():
            self._arrays |= {f"a/{name}": pair.a.copy(), f"b/{name}": pair.b.copy()}

    def _forget(self) -> None:
        self._moments = {name: np.zeros_like(array) for name, array in self._arrays.items()}
        self._squares = {name: np.zeros_like(array) for name, array in self._arrays.items()}
        self._count = 0
        self._rate = 0.0

    def state(self) -> dict[str, Any]:
        parts = {"w": self._arrays, "m": self._moments, "v": self._squares}
        state = {f"{k}/{n}": x.copy() for k, part in parts.items() for n, x in part.items()}
        return state | {"count": np.array(self._count), "rate": np.array(self._rate)}

    def restore(self, state: Mapping[str, Any]) -> None:
        if set(state) != set(self.state()):
            raise TrainingError("the state is that of another engine")
        for kind, part in (("w", self._arrays), ("m", self._moments), ("v", self._squares)):
            part |= {name: state[f"{kind}/{name}"].copy() for name in part}
        self._count, self._rate = int(state["count"]), float(state["rate"])

    def settings_in_use(self) -> dict[str, float | int | str]:
        return {
            "rank": self._rank,
            "scale": self._scale,
            "dropout": self._dropout,
            "layers": 1,
            "modules": len(self._frozen),
            "trained_weights": sum(array.size for array in self._arrays.values()),
            "optimizer": "AdamW",
            "learning_rate": self._rate,
            "weight_decay": self._decay,
            "clip_norm": self._clip,
            "base_frozen": 1,
        }
