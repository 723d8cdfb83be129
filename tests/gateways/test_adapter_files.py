"""Adapters survive the way to bytes and back bit by bit; what is odd is refused."""

from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load, save

from secai_lib.core.adapter import LowRank
from secai_lib.core.errors import TrainingError
from secai_lib.gateways.adapter_files import (
    facts_of,
    logits_from_bytes,
    logits_to_bytes,
    weights_from_bytes,
    weights_to_bytes,
)

Q, UP = "model.layers.2.self_attn.q_proj", "model.layers.10.mlp.up_proj"


def adapter() -> dict[str, LowRank]:
    chance = np.random.default_rng(1)

    def draw(*shape: int) -> Any:
        return chance.normal(size=shape).astype(np.float32)

    return {Q: LowRank(draw(2, 4), draw(6, 2)), UP: LowRank(draw(2, 4), draw(8, 2))}


def test_there_and_back_is_the_same_whatever_the_order_or_memory_layout() -> None:
    weights = adapter()
    data = weights_to_bytes(weights)
    back = weights_from_bytes(data)
    assert list(back) == sorted(weights)
    assert all(
        np.array_equal(x, y) for n in weights for x, y in zip(weights[n], back[n], strict=True)
    )
    turned = {
        n: LowRank(np.asfortranarray(a), np.asfortranarray(b)) for n, (a, b) in weights.items()
    }
    assert weights_to_bytes(dict(reversed(turned.items()))) == data
    assert facts_of(turned) == facts_of(back)
    assert sorted(load(data)) == sorted(f"{n}.lora_{half}" for n in weights for half in "ab")


def test_facts_tell_a_single_bit_and_a_transposed_square() -> None:
    weights = adapter()
    facts = facts_of(weights)
    assert (facts[Q].a_shape, facts[Q].b_shape) == ((2, 4), (6, 2))
    changed = weights | {Q: LowRank(np.nextafter(weights[Q].a, np.float32(9)), weights[Q].b)}
    assert facts_of(changed)[Q].sha256 != facts[Q].sha256
    square = np.arange(16, dtype=np.float32).reshape(4, 4)
    one, other = (facts_of({Q: LowRank(m, square)})[Q].sha256 for m in (square, square.T))
    assert one != other


def arrays(kind: str) -> dict[str, Any]:
    found: dict[str, Any] = load(weights_to_bytes(adapter()))
    a = f"{Q}.lora_a"
    if kind == "half missing":
        del found[a]
    elif kind == "odd name":
        found["rank"] = np.ones(1, np.float32)
    elif kind == "no module":
        found = {".lora_a": found[a], ".lora_b": found[f"{Q}.lora_b"]}
    elif kind == "type":
        found[a] = found[a].astype(np.float64)
    elif kind == "no number":
        found[a] = np.full_like(found[a], np.inf)
    elif kind == "rank":
        found[a] = found[a][:1]
    elif kind == "axes":
        found[a] = found[a].ravel()
    elif kind == "empty":
        found = {}
    return found


@pytest.mark.parametrize(
    "kind",
    ["half missing", "odd name", "no module", "type", "no number", "rank", "axes", "empty"],
)
def test_an_odd_file_is_refused(kind: str) -> None:
    with pytest.raises(TrainingError):
        weights_from_bytes(save(arrays(kind)))


def test_bytes_that_are_no_safetensors_are_refused() -> None:
    for data in (b"", b"\x00" * 20, b'{"a": 1}', weights_to_bytes(adapter())[:-3]):
        with pytest.raises(TrainingError):
            weights_from_bytes(data)


def test_a_broken_adapter_is_not_written() -> None:
    a, b = adapter()[Q]
    for pair in (LowRank(a * np.nan, b), LowRank(a, b.T), LowRank(a.astype(np.float64), b)):
        with pytest.raises(TrainingError):
            weights_to_bytes({Q: pair})


def test_logits_survive_and_odd_ones_do_not() -> None:
    logits = np.random.default_rng(2).normal(size=(2, 3, 5)).astype(np.float32)
    assert np.array_equal(logits_from_bytes(logits_to_bytes(logits)), logits)
    odd_ones: list[Any] = [logits[0], logits.astype(np.float64), logits * np.nan]
    for odd in odd_ones:
        with pytest.raises(TrainingError):
            logits_to_bytes(odd)
    with pytest.raises(TrainingError):
        logits_from_bytes(weights_to_bytes(adapter()))
