"""Rows of the tiny OLMo-2, and a trainer of it."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from tests.fakes.encoded_rows import encoded_rows

LORA = LoraSettings(rank=4, scale=3.0, layers=1)
MakeTrainer = Callable[..., TorchTrainer]


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """As many threads as tests may share."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def rows() -> list[EncodedRow]:
    return encoded_rows(8)


@pytest.fixture
def trainer(tiny_olmo: Path, rows: list[EncodedRow]) -> Iterator[MakeTrainer]:
    """Makes trainers of the tiny model; they are closed afterwards."""
    made: list[TorchTrainer] = []

    def make(lora: LoraSettings = LORA, own: Sequence[EncodedRow] = rows) -> TorchTrainer:
        made.append(TorchTrainer(tiny_olmo, own, StageSettings(lora=lora)))
        return made[-1]

    yield make
    for one in made:
        one.close()
