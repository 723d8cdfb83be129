"""What a model of mlx-lm says about the answers of rows: losses and logits.

Rows are padded on the right; a causal model never looks there, so padding needs no mask. Logits
are computed at the answers alone: over a whole chat they would take gigabytes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from secai_lib.core.adapter import EncodedRow, LossSum
from secai_lib.core.errors import TrainingError

PADDING = 0
"""Any token: nothing of it reaches a loss."""
SAME = 1e-4
"""Logits of a model and of its halves may differ by so much, relative to the largest."""


class AnswerReader:
    """A model and the rows it is asked about, by number."""

    def __init__(self, model: Any, rows: Sequence[EncodedRow]) -> None:
        """Keep both; the rows have been looked at (`require_rows`)."""
        self._model = model
        self._rows = tuple(rows)
        self._halves = bool(rows) and _falls_into_halves(model, min(rows, key=_length).tokens)

    def length(self, row: int) -> int:
        """Tokens of a row."""
        return _length(self._rows[row])

    def weight(self, row: int) -> float:
        """Weights of the answer tokens of a row, summed."""
        return sum(self._rows[row].target_weights)

    def named(self, batches: Sequence[Sequence[int]]) -> str:
        """Ids of some rows of `batches`, for a person."""
        return ", ".join(sorted({self._rows[row].id for batch in batches for row in batch})[:8])

    def loss(self, batch: Sequence[int]) -> Any:
        """Cross-entropy of the answer tokens of `batch`, each times its weight, summed."""
        import mlx.core as mx

        weights = [weight for number in batch for weight in self._rows[number].target_weights]
        return (self._token_losses(batch) * mx.array(weights, dtype=mx.float32)).sum()

    def row_losses(self, batch: Sequence[int]) -> list[LossSum]:
        """The loss of each row of `batch`."""
        losses = np.array(self._token_losses(batch), dtype=np.float64)
        ends = np.cumsum([self._rows[number].targets for number in batch])
        return [
            LossSum(float(part @ self._rows[number].target_weights), self.weight(number))
            for number, part in zip(batch, np.split(losses, ends[:-1]), strict=True)
        ]

    def last_logits(self, row: int, last: int) -> Any:
        """Logits behind the `last` positions of a row, float32, shape (last, vocabulary).

        Raises:
            TrainingError: the row is shorter than that.
        """
        tokens = self._rows[row].tokens
        if len(tokens) < last:
            raise TrainingError(f"row {self._rows[row].id} has fewer than {last} tokens")
        return np.array(self._logits([tokens], [list(range(len(tokens) - last, len(tokens)))]))

    def _token_losses(self, batch: Sequence[int]) -> Any:
        """Cross-entropy of each answer token of `batch`, row after row, float32."""
        import mlx.core as mx
        from mlx.nn.losses import cross_entropy

        rows = [self._rows[number] for number in batch]
        # The last token is a target only; each logit is read one place before its target.
        before = [list(range(row.answer_start - 1, _length(row) - 1)) for row in rows]
        logits = self._logits([row.tokens[:-1] for row in rows], before)
        targets = mx.array([token for row in rows for token in row.tokens[row.answer_start :]])
        return cross_entropy(logits, targets, reduction="none")

    def _logits(self, rows: Sequence[Sequence[int]], places: Sequence[Sequence[int]]) -> Any:
        """Logits at the `places` of each of `rows`, row after row: (places, vocabulary)."""
        import mlx.core as mx

        width = max(map(len, rows))
        ids = mx.array([[*row, *[PADDING] * (width - len(row))] for row in rows])
        flat = mx.array([n * width + place for n, row in enumerate(places) for place in row])
        inner = self._model.model(ids) if self._halves else self._model(ids)
        kept = inner.reshape(-1, inner.shape[-1])[flat]
        return (_head(self._model, kept) if self._halves else kept).astype(mx.float32)


def _length(row: EncodedRow) -> int:
    return len(row.tokens)


def _head(model: Any, hidden: Any) -> Any:
    """Logits of hidden states: from the output layer, or from the embedding that is tied to it."""
    return (
        model.lm_head(hidden) if "lm_head" in model else model.model.embed_tokens.as_linear(hidden)
    )


def _falls_into_halves(model: Any, tokens: Sequence[int]) -> bool:
    """True when inner model and head one after the other compute what `model` computes.

    Some architectures scale or cap the logits in between; those are computed whole.
    """
    import mlx.core as mx

    ids = mx.array([list(tokens)])
    try:
        halves = _head(model, model.model(ids))
    except (AttributeError, KeyError, ValueError):
        return False
    whole = model(ids)
    if halves.shape != whole.shape:
        return False
    return bool((mx.abs(halves - whole).max() <= SAME * mx.abs(whole).max()).item())
