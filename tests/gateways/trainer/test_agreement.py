"""Both engines on one tiny random OLMo-2: the same steps lead to the same adapter."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import StepReport, TrainEngine
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.llm.mlx_engine import load_mlx
from secai_lib.gateways.models.mlx_form import from_dense
from secai_lib.gateways.trainer.mlx_trainer import MlxTrainer
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from tests.fakes.encoded_rows import encoded_rows
from tests.fakes.tiny_olmo import write_tiny_olmo

STEPS = 20
ROWS = encoded_rows(16)
OTHERS = encoded_rows(12, seed=1)
PROBE = range(6)
CLOSE = 1e-4
"""The promise is 1e-3; what was measured is below 1e-5."""


def settings(**changes: Any) -> StageSettings:
    return StageSettings(lora=LoraSettings(rank=4, scale=3.0, layers=1), clip_norm=1.8, **changes)


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-olmo")
    write_tiny_olmo(folder)
    return folder


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """On such small matrices PyTorch's threads wait for each other, on a busy machine for long."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def train(engine: TrainEngine, steps: int = STEPS, rows: int = len(ROWS)) -> list[StepReport]:
    """Steps of two batches of unequal size, with a rate that rises and then falls."""
    reports = []
    for step in range(steps):
        numbers = [(step * 5 + n) % rows for n in range(5)]
        rate = 2e-2 * min((step + 1) / 4, 0.5 + 0.5 * math.cos(math.pi * step / steps))
        reports.append(engine.step([numbers[:3], numbers[3:]], rate, seed=step))
    return reports


def largest_difference(one: TrainEngine, other: TrainEngine) -> float:
    left, right = one.weights(), other.weights()
    assert left.keys() == right.keys()
    return max(
        float(np.abs(a - b).max())
        for name in left
        for a, b in zip(left[name], right[name], strict=True)
    )


def probe_loss(engine: TrainEngine) -> float:
    sums = engine.losses(list(PROBE), 4)
    return sum(s.total for s in sums) / sum(s.weight for s in sums)


def column(reports: Sequence[StepReport], name: str) -> list[float]:
    return [getattr(report, name) for report in reports]


@pytest.mark.parametrize("layers", [0, 1], ids=["all-layers", "last-layer"])
def test_losses_gradients_and_weights_agree_over_twenty_steps(dense: Path, layers: int) -> None:
    asked = settings()
    asked = asked.model_copy(update={"lora": asked.lora.model_copy(update={"layers": layers})})
    ours, theirs = MlxTrainer(dense, ROWS, asked), TorchTrainer(dense, ROWS, asked)
    assert largest_difference(ours, theirs) == 0, "both begin with the same bits"
    mlx, torch = train(ours), train(theirs)
    assert column(mlx, "loss") == pytest.approx(column(torch, "loss"), abs=CLOSE)
    norms = column(torch, "gradient_norm")
    assert column(mlx, "gradient_norm") == pytest.approx(norms, abs=CLOSE)
    assert min(norms) < asked.clip_norm < max(norms), "some steps were clipped, and some not"
    assert mlx[-1].loss < mlx[0].loss - 0.5, "nothing was learnt"
    assert largest_difference(ours, theirs) < 1e-3
    assert probe_loss(ours) == pytest.approx(probe_loss(theirs), abs=CLOSE)
    assert np.abs(ours.logits(PROBE, 3) - theirs.logits(PROBE, 3)).max() < 1e-3


def test_both_engines_have_the_same_settings_in_use(dense: Path) -> None:
    engines = MlxTrainer(dense, ROWS, settings()), TorchTrainer(dense, ROWS, settings())
    for engine in engines:
        train(engine, 2)
    ours, theirs = (engine.settings_in_use() for engine in engines)
    assert ours == pytest.approx(theirs)


@pytest.mark.parametrize("first", [TorchTrainer, MlxTrainer], ids=["torch-mlx", "mlx-torch"])
def test_stage_2_goes_on_from_stage_1_of_the_other_engine(dense: Path, first: Any) -> None:
    second = MlxTrainer if first is TorchTrainer else TorchTrainer
    stage1 = first(dense, ROWS, settings())
    train(stage1)
    stage2, same = second(dense, OTHERS, settings()), second(dense, ROWS, settings())
    untrained = probe_loss(same)
    for engine in (stage2, same):
        engine.load(stage1.weights())
        assert largest_difference(engine, stage1) == 0
    assert probe_loss(same) == pytest.approx(probe_loss(stage1), abs=1e-5)
    assert probe_loss(same) < untrained - 0.1
    reference = first(dense, OTHERS, settings())
    reference.load(stage1.weights())
    losses = [column(train(engine, 8, len(OTHERS)), "loss") for engine in (stage2, reference)]
    assert losses[0] == pytest.approx(losses[1], abs=CLOSE)


def test_four_bit_weights_train_as_the_dense_weights_they_stand_for(
    dense: Path, tmp_path: Path
) -> None:
    import mlx.core as mx
    from mlx.utils import tree_flatten

    packed, unpacked = tmp_path / "packed", tmp_path / "unpacked"
    from_dense(dense, packed, "the tiny model")
    write_tiny_olmo(unpacked)
    weights: Any = tree_flatten(load_mlx(packed).model.parameters())
    mx.save_safetensors(str(unpacked / "model.safetensors"), dict(weights), {"format": "pt"})
    on_packed = column(train(MlxTrainer(packed, ROWS, settings())), "loss")
    on_unpacked = column(train(TorchTrainer(unpacked, ROWS, settings())), "loss")
    on_original = column(train(TorchTrainer(dense, ROWS, settings()), 1), "loss")
    assert on_packed == pytest.approx(on_unpacked, abs=CLOSE)
    assert abs(on_packed[0] - on_original[0]) > 1e-2, "four bits are another base"
