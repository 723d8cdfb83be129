"""A tiny OLMo-2 is trained by PyTorch through both stages, killed five times on the way."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from secai_assets.resources.house import House
from secai_assets.resources.models import make_model
from secai_assets.resources.training import ADAPTERS, DATASETS, read_training, train_stage
from secai_assets.training_views import adapter_verdicts, lineage_verdict
from secai_lib.core.adapter import Stage
from secai_lib.core.errors import TrainingError
from secai_lib.core.manifest import Origin
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.export import dataset_files
from tests.conftest import ROOT
from tests.fakes.tiny_olmo import write_tiny_olmo
from tests.fakes.training_rows import BODY, RESPONSE, make_training_row

ORIGIN = Origin(inputs={}, settings="", code_version="")
EDIT = "<<<\non: push\n===\non: push\npermissions: {}\n>>>"
SETTINGS = {
    "ENGINE": "torch", "ITERATIONS": "24", "BATCH_SIZE": "2", "LEARNING_RATE": "0.01",
    "VALIDATE_EVERY": "3", "VALIDATION_ROWS": "2", "CHECKPOINT_EVERY": "2", "PROBE_ROWS": "3",
    "MAX_TOKENS": "1024", "LORA__LAYERS": "1", "LORA__RANK": "4", "LORA__DROPOUT": "0.1",
}  # fmt: skip


def rows_of(stage: Stage) -> list[TrainingExample]:
    answer = EDIT if stage == 2 else RESPONSE
    made = [
        make_training_row(stage=stage, body=f"{BODY} {'again ' * n}{n}", response=answer)
        for n in range(14)
    ]
    parts = {12: Split.VALIDATION, 13: Split.VALIDATION}
    return [r.model_copy(update={"split": parts.get(n, Split.TRAIN)}) for n, r in enumerate(made)]


@pytest.fixture
def house(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    write_tiny_olmo(tmp_path / "tiny")
    monkeypatch.setenv("SECAI_MODELS_DIR", str(tmp_path / "shelf"))
    for name, value in {"URI": str(tmp_path / "tiny"), "SHA256": "", "LICENCE": "MIT"}.items():
        monkeypatch.setenv(f"SECAI_MODELS__BASE__{name}", value)
    for stage in (1, 2):
        for name, value in SETTINGS.items():
            monkeypatch.setenv(f"SECAI_STAGE{stage}__{name}", value)
    house = House()
    make_model(house, "base_model", lambda _line: None)
    put_rows(house, 1, rows_of(1))
    put_rows(house, 2, rows_of(2))
    return house


def put_rows(house: House, stage: Stage, rows: list[TrainingExample]) -> None:
    house.store.publish(DATASETS[stage], dataset_files(rows, stage), origin=ORIGIN, counts={})


def start(stage: Stage) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "tests.fakes.training_child", str(stage)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def kill_after(process: subprocess.Popen[str], lines: int, wait: float) -> str:
    """Kill `process` a while behind so many of its lines about steps; the last one of them."""
    assert process.stdout
    for line in process.stdout:
        lines -= line.startswith("step")
        if not lines:
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            process.wait()
            return line
    return ""


@pytest.mark.slow
def test_five_kills_at_random_steps_change_no_bit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECAI_STAGE1__ITERATIONS", "120")  # more than five kills can let pass
    house = House()
    train_stage(house, 1, lambda _line: None)
    first = house.store.require(ADAPTERS[1])
    chance = random.Random()  # another place in every run; the assertion names them
    house.store.publish(ADAPTERS[1], {"gone": b""}, origin=ORIGIN, counts={})
    places = []
    for _ in range(5):
        process = start(1)
        places.append(kill_after(process, chance.randint(1, 3), chance.random() / 50))
        assert process.returncode == -signal.SIGKILL, places
    said, _ = start(1).communicate(timeout=300)
    assert "going on behind step" in said, places
    assert house.store.require(ADAPTERS[1]).files == first.files, places


@pytest.mark.slow
def test_both_stages_are_trained_and_proven_with_the_real_tokens(house: House) -> None:
    train_stage(house, 1, lambda _line: None)
    train_stage(house, 2, lambda _line: None)
    one, two = read_training(house, 1), read_training(house, 2)
    assert two.resumed
    assert two.resumed.loss_found == pytest.approx(one.probe_after, abs=1e-5)
    verdicts = [*adapter_verdicts(house, 1), *adapter_verdicts(house, 2), lineage_verdict(house)]
    assert [v.sentence for v in verdicts if not v.passed] == []
    assert one.probe_after < 0.9 * one.probe_before  # of random weights: rank 4, one layer
    assert two.seen.replayed_rows == pytest.approx(0.25, abs=0.02)


@pytest.mark.slow
def test_a_question_that_leaves_no_answer_is_refused_before_anything_is_trained(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = make_training_row(body=BODY * 30)
    put_rows(house, 1, [*rows_of(1), long.model_copy(update={"split": Split.TRAIN})])
    said: list[str] = []
    with pytest.raises(TrainingError, match=rf"row {long.id} .*stage1\.max_tokens"):
        train_stage(house, 1, said.append)
    assert said == []
    assert not (house.store.root / ".checkpoints").exists()


@pytest.mark.slow
def test_rows_that_are_too_long_are_left_out_and_counted(house: House) -> None:
    answer = RESPONSE + " It is so." * 400
    long = make_training_row(body=f"{BODY} long", response=answer)
    put_rows(house, 1, [*rows_of(1), long.model_copy(update={"split": Split.TRAIN})])
    train_stage(house, 1, lambda _line: None)
    training = read_training(house, 1)
    assert (training.left_out, training.own_rows) == (1, 12)
    assert max(training.lengths) <= 1024
