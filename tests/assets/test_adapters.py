"""Both adapters in the store: trained by a small real engine, shown, judged, and shown to fail."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from secai_assets.assets.stage1_adapter import make as make_stage1
from secai_assets.assets.stage1_adapter import stage1_adapter
from secai_assets.assets.stage2_adapter import make as make_stage2
from secai_assets.assets.stage2_adapter import stage2_adapter
from secai_assets.checks.stage1_adapter import stage1_adapter_checks
from secai_assets.checks.stage2_adapter import stage2_adapter_checks
from secai_assets.resources.adapters import read_adapter
from secai_assets.resources.house import House
from secai_assets.resources.training import (
    ADAPTERS,
    DATASETS,
    adapter_origin,
    read_speed,
    read_training,
    train_stage,
)
from secai_assets.training_views import adapter_verdicts, lineage_verdict
from secai_lib.core.adapter import EncodedRow, Stage, TrainEngine
from secai_lib.core.errors import TrainingError
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import Model
from secai_lib.core.record import Record, canonical_json
from secai_lib.core.settings import StageSettings
from secai_lib.core.training import TrainingExample
from secai_lib.datasets.export import dataset_files
from secai_lib.training import Rows
from tests.fakes.records import make_model
from tests.fakes.train_engine import NumpyTrainEngine
from tests.fakes.training_rows import make_training_row
from tests.fakes.training_work import make_rows

STAGES: tuple[Stage, ...] = (1, 2)
ORIGIN = Origin(inputs={}, settings="", code_version="")
SMALL = {
    "ITERATIONS": "18", "VALIDATE_EVERY": "5", "CHECKPOINT_EVERY": "4", "LEARNING_RATE": "0.05",
    "LORA__RANK": "2", "LORA__LAYERS": "0", "PROBE_ROWS": "5", "MAX_TOKENS": "64",
}  # fmt: skip


def encode(_house: House, rows: Sequence[TrainingExample], _settings: StageSettings) -> Rows:
    return make_rows(rows[0].stage)


def opening(**faults: Any) -> Callable[..., AbstractContextManager[TrainEngine]]:
    @contextmanager
    def open_engine(
        _model: Model, rows: Sequence[EncodedRow], settings: StageSettings, _say: object
    ) -> Iterator[TrainEngine]:
        yield NumpyTrainEngine(rows, settings, **faults)

    return open_engine


def made(house: House, stage: Stage, say: Callable[[str], None] = print, **faults: Any) -> Manifest:
    ticks = iter(range(10_000))
    return train_stage(
        house, stage, say, encode=encode, open_engine=opening(**faults),
        clock=lambda: float(next(ticks)),
    )  # fmt: skip


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    for stage in (1, 2):
        for name, value in SMALL.items():
            monkeypatch.setenv(f"SECAI_STAGE{stage}__{name}", value)
    house = House()
    model = {"model.json": canonical_json(make_model()).encode()}
    house.store.publish("base_model", model, origin=ORIGIN, counts={})
    for stage in STAGES:
        files = dataset_files([make_training_row(stage=stage)], stage)
        house.store.publish(DATASETS[stage], files, origin=ORIGIN, counts={})
    return house


@pytest.fixture
def trained(house: House) -> House:
    made(house, 1)
    made(house, 2)
    return house


def failed(house: House, stage: Stage) -> set[str]:
    verdicts = [*adapter_verdicts(house, stage)]
    verdicts += [lineage_verdict(house)] if stage == 2 else []
    return {verdict.name for verdict in verdicts if not verdict.passed}


def put(house: House, stage: Stage, name: str, data: bytes) -> None:
    """Publish the adapter of `stage` with another file of that name."""
    product = ADAPTERS[stage]
    manifest = house.store.require(product)
    files = {key: house.store.read(product, key) for key in manifest.files} | {name: data}
    house.store.publish(product, files, origin=manifest.origin, counts=manifest.counts)


def change(house: House, stage: Stage, record: Record, name: str, **update: Any) -> None:
    put(house, stage, name, canonical_json(record.model_copy(update=update)).encode())


def test_both_stages_pass_their_checks_and_stage_2_goes_on_from_stage_1(trained: House) -> None:
    assert failed(trained, 1) - {"padding"} == failed(trained, 2) - {"padding"} == set()
    one, two = read_training(trained, 1), read_training(trained, 2)
    assert two.resumed
    assert two.resumed.loss_said == one.probe_after
    assert len(two.steps) == 24
    assert not (trained.store.root / ".checkpoints").exists() or not list(
        (trained.store.root / ".checkpoints").glob("stage*")
    )
    (speed,) = read_speed(trained, 1)
    assert speed.tokens == one.seen.tokens
    assert speed.tokens_per_second > 0


def test_dagster_keeps_what_is_unchanged_and_runs_the_checks(trained: House) -> None:
    result = dg.materialize(
        [stage1_adapter, stage2_adapter, stage1_adapter_checks, stage2_adapter_checks],
        resources={"house": trained},
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert result.success
    assert len(result.get_asset_check_evaluations()) == 9
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        assert metadata["reused"].value is True
        assert "█" in str(metadata["loss"].value)
        texts = [m.value for m in metadata.values() if isinstance(m, dg.MarkdownMetadataValue)]
        assert all(len(text or "") < 1000 for text in texts)


def test_the_same_inputs_give_the_same_bytes_and_say_where_they_are(house: House) -> None:
    said: list[str] = []
    first = made(house, 1, said.append)
    assert made(house, 1).files == first.files
    assert house.store.reusable(ADAPTERS[1], origin=adapter_origin(house, 1)) == first
    assert any("step 8 of 18: loss" in line and "tokens/s" in line for line in said)
    assert str(house.store.root) not in house.store.read(ADAPTERS[1], "training.json").decode()


def test_a_process_that_waited_for_another_does_not_train_again(trained: House) -> None:
    """Both saw that nothing was there; the second finds it made (opening the fake base raises)."""
    first = [trained.store.require(ADAPTERS[stage]) for stage in (1, 2)]
    make_stage1(trained, {}, print)
    make_stage2(trained, {}, print)
    assert [trained.store.require(ADAPTERS[stage]) for stage in (1, 2)] == first


def test_a_killed_training_goes_on_in_the_next_process(house: House) -> None:
    def die(line: str) -> None:
        if line.startswith("step 10"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(house, 1, die)
    said: list[str] = []
    resumed = made(house, 1, said.append)
    assert "going on behind step 10, where the last run was ended" in said
    training = house.store.read(ADAPTERS[1], "training.json")
    assert made(house, 1).files == resumed.files
    assert house.store.read(ADAPTERS[1], "training.json") == training


def test_other_settings_or_rows_do_not_go_on_from_a_checkpoint(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(line: str) -> None:
        if line.startswith("step 10"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(house, 1, die)
    monkeypatch.setenv("SECAI_STAGE1__WEIGHT_DECAY", "0.02")
    said: list[str] = []
    made(House(), 1, said.append)
    assert not any("going on" in line for line in said)


def killed(house: House, stage: Stage) -> None:
    """Train until a checkpoint lies there, and die."""

    def die(line: str) -> None:
        if line.startswith("step 10"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made(house, stage, die)


def test_stage_2_does_not_go_on_from_a_checkpoint_on_another_stage_1(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(house, 1)
    killed(house, 2)
    monkeypatch.setenv("SECAI_STAGE1__WEIGHT_DECAY", "0.02")
    said: list[str] = []
    made(House(), 1)
    made(House(), 2, said.append)
    assert not any("going on" in line for line in said)
    assert "resumed_from_stage1" not in failed(House(), 2)


def test_another_engine_does_not_go_on_from_a_checkpoint(house: House) -> None:
    killed(house, 1)
    said: list[str] = []
    made(house, 1, said.append, base=1)
    assert not any("going on" in line for line in said)


def test_an_adapter_is_made_anew_when_what_it_is_made_of_is_another(
    trained: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kept(house: House) -> list[bool]:
        return [house.store.reusable(ADAPTERS[s], origin=adapter_origin(house, s)) is not None
                for s in STAGES]  # fmt: skip

    def put_rows(stage: Stage, row: TrainingExample) -> None:
        files = dataset_files([row], stage)
        trained.store.publish(DATASETS[stage], files, origin=ORIGIN, counts={})

    rows = {stage: make_training_row(stage=stage) for stage in STAGES}
    other = {stage: rows[stage].model_copy(update={"id": "0" * 16}) for stage in STAGES}
    assert kept(trained) == [True, True]
    for stage in STAGES:
        monkeypatch.setenv(f"SECAI_STAGE{stage}__EARLY_STOP", "4")
        assert kept(House())[stage - 1] is False
        monkeypatch.delenv(f"SECAI_STAGE{stage}__EARLY_STOP")
    put_rows(2, other[2])
    assert kept(trained) == [True, False]
    put_rows(2, rows[2])
    put_rows(1, other[1])
    assert kept(trained) == [False, False]
    put_rows(1, rows[1])
    assert kept(trained) == [True, True]
    adapter, _weights = read_adapter(trained, ADAPTERS[1])
    change(trained, 1, adapter, "adapter.json", dropout=0.5)
    assert kept(trained) == [True, False]
    change(trained, 1, adapter, "adapter.json")
    model = {"model.json": canonical_json(make_model(uri="pypi://another==1")).encode()}
    trained.store.publish("base_model", model, origin=ORIGIN, counts={})
    assert kept(trained) == [False, False]


@pytest.mark.parametrize("name", ["weight_decay", "clip_norm", "scale"])
def test_a_setting_that_does_not_arrive_fails_a_check(house: House, name: str) -> None:
    made(house, 1, ignores=frozenset({name}))
    assert failed(house, 1) - {"padding"} == {"settings_reached"}


def test_settings_that_changed_since_fail_a_check(
    trained: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECAI_STAGE1__SEED", "18")
    assert "settings_reached" in failed(House(), 1)
    assert "settings_reached" not in failed(House(), 2)


def test_an_adapter_that_learnt_nothing_or_holds_no_numbers_fails_a_check(trained: House) -> None:
    training = read_training(trained, 1)
    change(trained, 1, training, "training.json", probe_after=training.probe_before)
    assert "loss_down" in failed(trained, 1)
    data = trained.store.read(ADAPTERS[1], "adapter.safetensors")
    put(trained, 1, "adapter.safetensors", data[:-4] + b"\x00\x00\xc0\x7f")  # the last is NaN
    assert "finite" in failed(trained, 1)


def test_matrices_that_are_not_the_recorded_ones_fail_a_check(trained: House) -> None:
    data = trained.store.read(ADAPTERS[2], "adapter.safetensors")
    put(trained, 2, "adapter.safetensors", data[:-4] + b"\x00\x00\x80\x3f")
    assert failed(trained, 2) - {"padding"} == {"finite"}


def test_stage_2_is_refused_when_another_stage_1_lies_there_now(
    trained: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECAI_STAGE1__SEED", "99")
    made(House(), 1)
    assert failed(trained, 2) - {"padding"} == {"resumed_from_stage1"}


PROOFS: dict[str, dict[str, Any]] = {
    "other parent": {"parent": "0" * 16},
    "other base said": {"base": "another"},
    "fewer modules": {"modules": 1},
    "fewer probe rows": {"probe_rows": 1},
}
"""Fault -> what the proof in `training.json` says then."""


@pytest.mark.parametrize(
    "fault",
    ["unproven", "other base", "other loss", "other rank", "other scale", "other modules",
     "other parent of the adapter", *PROOFS],
)  # fmt: skip
def test_a_beginning_that_is_not_stage_1_fails_a_check(trained: House, fault: str) -> None:
    training, (adapter, _weights) = read_training(trained, 2), read_adapter(trained, ADAPTERS[2])
    proof = training.resumed
    assert proof
    if fault == "unproven":
        change(trained, 2, training, "training.json", resumed=None)
    elif fault == "other base":
        change(trained, 2, adapter, "adapter.json", base="another")
    elif fault == "other loss":
        off = proof.model_copy(update={"loss_found": proof.loss_found + 0.01})
        change(trained, 2, training, "training.json", resumed=off)
    elif fault in PROOFS:
        said = proof.model_copy(update=PROOFS[fault])
        change(trained, 2, training, "training.json", resumed=said)
    else:
        some = dict(list(adapter.modules.items())[:1])
        other: dict[str, dict[str, Any]] = {
            "other rank": {"rank": 3},
            "other scale": {"scale": 9.0},
            "other modules": {"modules": some},
            "other parent of the adapter": {"parent": "0" * 16},
        }
        change(trained, 2, adapter, "adapter.json", **other[fault])
    assert not lineage_verdict(trained).passed


def test_faults_stop_the_training_and_leave_the_adapter_before_in_force(house: House) -> None:
    first = made(house, 1)
    with pytest.raises(TrainingError, match="other numbers"):
        made(house, 2, deaf_load=True)
    with pytest.raises(TrainingError, match="probe rows was"):
        made(house, 2, base=1)
    with pytest.raises(TrainingError, match="of Stage 1 failed"):
        made(house, 1, poison=frozenset({"1-train-3"}))
    assert house.store.manifest(ADAPTERS[1]) == first
    assert house.store.manifest(ADAPTERS[2]) is None
