"""Which modules are trained, and from where; what does not fit is refused."""

from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import EncodedRow, LowRank
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import LoraSettings
from secai_lib.gateways.trainer.start import (
    fresh_weights,
    require_fit,
    require_rows,
    select_modules,
)

LINEAR = {
    f"model.layers.{layer}.{name}": shape
    for layer in (0, 1, 2, 10)
    for name, shape in {"self_attn.q_proj": (6, 4), "mlp.up_proj": (8, 4)}.items()
} | {"lm_head": (99, 4)}
SHAPES = {"model.layers.2.self_attn.q_proj": (6, 4), "model.layers.2.mlp.up_proj": (8, 4)}


def test_modules_are_counted_from_the_last_layer_by_number() -> None:
    chosen = select_modules(LINEAR, LoraSettings(layers=2))
    assert list(chosen) == [
        "model.layers.10.mlp.up_proj",
        "model.layers.10.self_attn.q_proj",
        "model.layers.2.mlp.up_proj",
        "model.layers.2.self_attn.q_proj",
    ]
    assert len(select_modules(LINEAR, LoraSettings(layers=0))) == 8
    attention = select_modules(LINEAR, LoraSettings(layers=1, targets="attention"))
    assert attention == {"model.layers.10.self_attn.q_proj": (6, 4)}


def test_more_layers_than_there_are_is_no_wish_to_be_guessed() -> None:
    with pytest.raises(TrainingError, match=r"5 layers and the model has 4"):
        select_modules(LINEAR, LoraSettings(layers=5))
    with pytest.raises(TrainingError, match="no linear modules"):
        select_modules({"lm_head": (99, 4)}, LoraSettings(layers=0))


def test_first_weights_are_the_seed_and_change_nothing_yet() -> None:
    made, again = fresh_weights(SHAPES, 3, seed=5), fresh_weights(SHAPES, 3, seed=5)
    other = fresh_weights(SHAPES, 3, seed=6)
    for name, (rows, columns) in SHAPES.items():
        a, b = made[name]
        assert (a.shape, a.dtype, b.shape, b.dtype) == ((3, columns), "f4", (rows, 3), "f4")
        assert np.array_equal(a, again[name].a)
        assert not np.array_equal(a, other[name].a)
        assert 0 < np.abs(a).max() <= 1 / np.sqrt(columns)
        assert not b.any()


def broken(kind: str) -> dict[str, LowRank]:
    weights: dict[str, Any] = dict(fresh_weights(SHAPES, 3, seed=5))
    name = next(iter(SHAPES))
    a, b = weights[name]
    if kind == "missing":
        del weights[name]
    elif kind == "renamed":
        weights[f"base_model.{name}"] = weights.pop(name)
    elif kind == "additional":
        weights["model.layers.9.self_attn.q_proj"] = weights[name]
    elif kind == "rank":
        weights[name] = LowRank(a[:2], b[:, :2])
    elif kind == "transposed":
        weights[name] = LowRank(a.T, b.T)
    else:
        weights[name] = LowRank(np.full_like(a, np.nan), b)
    return weights


@pytest.mark.parametrize(
    "kind", ["missing", "renamed", "additional", "rank", "transposed", "no number"]
)
def test_an_adapter_that_does_not_fit_is_refused(kind: str) -> None:
    require_fit(fresh_weights(SHAPES, 3, seed=5), SHAPES, 3)
    with pytest.raises(TrainingError):
        require_fit(broken(kind), SHAPES, 3)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer_start": 4}, "no token to learn"),
        ({"answer_start": 0}, "no token to learn"),
        ({"weight": 0.0}, "weight"),
        ({"weight": float("nan")}, "weight"),
        ({"tokens": (1, 2, 3, 50)}, "does not know"),
        ({"tokens": (1, 2, 3, -1)}, "does not know"),
        ({"tokens": (1, 2, 3, 4, 5, 6)}, "6 tokens and the model reads 5"),
    ],
)
def test_a_row_that_cannot_be_learnt_is_refused_by_its_id(
    change: dict[str, Any], reason: str
) -> None:
    row = EncodedRow(id="0123456789abcdef", tokens=(1, 2, 3, 4), answer_start=2, weight=1.0)
    require_rows([row], vocabulary=50, context=5)
    with pytest.raises(TrainingError, match=reason) as caught:
        require_rows([row, row.model_copy(update=change)], vocabulary=50, context=5)
    assert row.id in str(caught.value)
