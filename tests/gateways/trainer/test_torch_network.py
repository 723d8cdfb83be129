"""A model in two parts computes what it computes whole, or it is not split."""

from typing import Any

import pytest

from secai_lib.core.adapter import EncodedRow
from secai_lib.gateways.trainer.torch_network import Span, SplitNetwork

LENGTHS = (4, 40)
WINDOW = 8
"""Tokens that half of the layers look back over: fewer than the longer row has."""


def windowed(window: int) -> Any:
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config(
        vocab_size=512, hidden_size=32, intermediate_size=64, num_hidden_layers=4,
        num_attention_heads=2, num_key_value_heads=2, initializer_range=0.3,
        use_sliding_window=True, sliding_window=window, max_window_layers=2,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = Qwen2ForCausalLM(config)
    return model.eval()


@pytest.mark.parametrize(("window", "split"), [(WINDOW, False), (64, True)])
def test_layers_that_look_back_over_a_window_are_not_taken_for_others(
    window: int, split: bool
) -> None:
    import torch

    rows = [
        EncodedRow(
            id=str(length),
            tokens=tuple((n * 37 + 5) % 512 for n in range(length)),
            answer_start=1,
            weight=1.0,
        )
        for length in LENGTHS
    ]
    model, said = windowed(window), list[str]()
    network = SplitNetwork(model, rows, 2, 10**9, said.append)
    assert network.is_split is split and bool(said) is not split
    with torch.no_grad():
        whole = model(input_ids=torch.tensor([rows[1].tokens])).logits[0]
        found = network.logits([Span(1, 0, LENGTHS[1])])
    assert float((whole - found).abs().max()) < 1e-4 * float(whole.abs().max())
