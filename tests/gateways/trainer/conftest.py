"""A trainer of the tiny OLMo-2."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from tests.fakes.encoded_rows import encoded_rows

MakeTrainer = Callable[..., TorchTrainer]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On such small matrices PyTorch's threads wait for each other, on a busy machine for long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def trainer(tiny_olmo: Path) -> Iterator[MakeTrainer]:
    """Makes trainers of the tiny model; they are closed afterwards."""
    made: list[TorchTrainer] = []

    def make(own: Sequence[EncodedRow] = encoded_rows(8), **lora: float | str) -> TorchTrainer:
        shape = LoraSettings.model_validate({"rank": 4, "scale": 3.0, "layers": 1} | lora)
        made.append(TorchTrainer(tiny_olmo, own, StageSettings(lora=shape), said.append))
        return made[-1]

    said: list[str] = []
    yield make
    for one in made:
        one.close()
