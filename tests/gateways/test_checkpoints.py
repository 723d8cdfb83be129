"""Checkpoints are whole or not there; a damaged one gives way to the one before it."""

from pathlib import Path

import numpy as np
import pytest

from secai_lib.gateways.checkpoints import CheckpointFolder
from secai_lib.gateways.store import write_synced


def make(root: Path, identity: str = "a") -> CheckpointFolder:
    return CheckpointFolder(root, "stage1_adapter", identity)


def put(keep: CheckpointFolder, step: int) -> None:
    arrays = {"x": np.full((2, 3), step, np.float32), "count": np.array(step), "t": np.eye(3).T}
    keep.save(step, f'{{"step":{step}}}', arrays)


def step_of(keep: CheckpointFolder) -> int:
    kept = keep.load()
    return int(kept[1]["count"]) if kept else 0


def test_the_newest_comes_back_as_it_was(tmp_path: Path) -> None:
    keep = make(tmp_path)
    assert keep.load() is None
    for step in (9, 10, 100):
        put(keep, step)
    kept = make(tmp_path).load()
    assert kept
    assert kept[0] == '{"step":100}'
    assert kept[1]["x"].tolist() == [[100] * 3] * 2
    assert (kept[1]["x"].dtype, kept[1]["count"].shape) == (np.float32, ())
    assert sorted(p.name for p in (tmp_path / "stage1_adapter-a").iterdir()) == [
        "00000010",
        "00000100",
    ]
    put(keep, 100)  # the same step once more, by a process that went on from the one before
    assert step_of(keep) == 100


@pytest.mark.parametrize("name", ["arrays.safetensors", "facts.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "flip", "gone"])
def test_a_damaged_one_is_left_for_the_one_before(tmp_path: Path, name: str, damage: str) -> None:
    keep = make(tmp_path)
    put(keep, 4)
    put(keep, 8)
    file = tmp_path / "stage1_adapter-a" / "00000008" / name
    data = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-5] if damage == "cut" else data[:-3] + b"!" + data[-2:])
    assert step_of(keep) == 4
    put(keep, 8)
    assert step_of(keep) == 8


def test_a_kill_while_it_is_written_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = make(tmp_path)
    put(keep, 4)
    for written in range(3):
        left = written

        def some(path: Path, data: bytes) -> None:
            nonlocal left
            if not left:
                raise KeyboardInterrupt
            left -= 1
            write_synced(path, data)

        monkeypatch.setattr("secai_lib.gateways.checkpoints.write_synced", some)
        with pytest.raises(KeyboardInterrupt):
            put(keep, 8)
        assert step_of(keep) == 4


def test_other_trainings_are_others_and_all_of_a_stage_are_forgotten_together(
    tmp_path: Path,
) -> None:
    one, other = make(tmp_path), make(tmp_path, "b")
    put(one, 4)
    assert other.load() is None
    put(other, 5)
    second = CheckpointFolder(tmp_path, "stage2_adapter", "a")
    put(second, 6)
    other.remove()
    assert (step_of(one), step_of(other), step_of(second)) == (0, 0, 6)
