"""A causal model of `transformers` in two parts: below the first trained layer, and above.

What lies below gives the same hidden states in every epoch: it is computed once a row and kept.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from secai_lib.core.adapter import EncodedRow

SHARE = 0.25
"""Most of the free memory that hidden states may take."""
FLOAT_BYTES = 4
TOLERANCE = 1e-4
"""Between the logits of the parts and of the whole model, as a share of the largest logit."""

COMPARED = 8
"""Last positions of the longest row whose logits are compared."""


class Span(NamedTuple):
    """Positions of a row behind which logits are wanted."""

    row: int
    """Number of the row."""
    start: int
    """The first position ..."""
    stop: int
    """... and the one behind the last."""


class SplitNetwork:
    """Logits of rows, of which only those that are asked for are computed."""

    def __init__(
        self,
        model: Any,
        rows: Sequence[EncodedRow],
        first: int,
        memory: int,
        say: Callable[[str], None],
    ) -> None:
        """Split `model` in front of layer `first`, where its kind allows it.

        Args:
            model: Whose layers from `first` on are trained.
            rows: What it reads.
            first: Number of the first trained layer.
            memory: Free bytes.
            say: Is told when the model has to stay whole, which is slower.
        """
        self._model, self._rows = model, rows
        self._device = next(model.parameters()).device
        self._room = int(memory * SHARE)
        self._kept: dict[int, Any] = {}
        self._parts = _split(model, first)
        if not self._parts_agree():
            self._parts = None
            say("this kind of model cannot be split: every layer is computed in every epoch")

    @property
    def is_split(self) -> bool:
        """True when the frozen layers are computed once a row."""
        return self._parts is not None

    def logits(self, spans: Sequence[Span]) -> Any:
        """Logits behind the positions of `spans`, one after the other: (positions, vocabulary).

        Rows are padded on the right: a causal model never looks there, so no mask is needed.
        """
        import torch
        from torch.nn.utils.rnn import pad_sequence

        if self._parts is None:
            ids = [torch.tensor(self._rows[span.row].tokens) for span in spans]
            batch = pad_sequence(ids, batch_first=True).to(self._device)
            return self._take(self._model(input_ids=batch, use_cache=False).logits, spans)
        below, above = self._parts
        read = [self._below(below, span.row) for span in spans]
        states = pad_sequence(read, batch_first=True)
        done = above(inputs_embeds=states.to(self._device), use_cache=False)
        return self._model.get_output_embeddings()(self._take(done.last_hidden_state, spans))

    def _take(self, values: Any, spans: Sequence[Span]) -> Any:
        import torch

        return torch.cat([values[n, span.start : span.stop] for n, span in enumerate(spans)])

    def _below(self, below: Any, number: int) -> Any:
        """Hidden states in front of the first trained layer: (tokens, width).

        Each row is computed by itself: its bits do not depend on which rows stood beside it when
        it was first met, nor on whether it was kept.
        """
        import torch

        if number in self._kept:
            return self._kept[number]
        ids = torch.tensor([self._rows[number].tokens], device=self._device)
        with torch.no_grad():
            states = below(input_ids=ids, use_cache=False).last_hidden_state[0].cpu()
        size = states.numel() * FLOAT_BYTES
        if size <= self._room:
            self._kept[number], self._room = states, self._room - size
        return states

    def _parts_agree(self) -> bool:
        """True when both parts give the logits of the whole model at the end of the longest row.

        A layer that looks back over a window only is the same as any other on short rows.
        """
        import torch

        if self._parts is None:
            return False
        number = max(range(len(self._rows)), key=lambda n: len(self._rows[n].tokens))
        length = len(self._rows[number].tokens)
        span = Span(number, max(0, length - COMPARED), length)
        ids = torch.tensor([self._rows[number].tokens], device=self._device)
        with torch.no_grad():
            whole = self._model(input_ids=ids, use_cache=False, logits_to_keep=COMPARED).logits[0]
            try:
                parts = self.logits([span])
            except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
                return False
        return bool((whole - parts).abs().max() <= TOLERANCE * whole.abs().max())


def _split(model: Any, first: int) -> tuple[Any, Any] | None:
    """Embeddings and layers below `first`; layers from `first` on and the norm. None: unknown."""
    from torch import nn

    whole = model.base_model
    if not all(hasattr(whole, name) for name in ("layers", "norm", "embed_tokens", "config")):
        return None
    layers = list(whole.layers)
    return (
        _part(whole, {"layers": nn.ModuleList(layers[:first]), "norm": nn.Identity()}),
        _part(whole, {"layers": nn.ModuleList(layers[first:])}),
    )


def _part(whole: Any, replaced: dict[str, Any]) -> Any:
    """`whole` with some modules replaced; all others are the same objects."""
    part = copy.copy(whole)
    part._modules = {**whole._modules, **replaced}
    part.config = copy.copy(whole.config)
    part.config.num_hidden_layers = len(replaced["layers"])
    return part
