"""Scratch folders: gone at the end, kept while their owner lives, swept when it was killed."""

import subprocess
import sys
from pathlib import Path

import pytest

from secai_lib.gateways.scratch import is_owned, scratch_folder

OWNER = """
import sys
from pathlib import Path
from secai_lib.gateways.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("written")
    print(folder.name, flush=True)
    sys.stdin.read()
"""


def folders(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir() if path.is_dir())


def test_a_folder_is_fresh_and_gone_afterwards(tmp_path: Path) -> None:
    with scratch_folder(tmp_path / "work") as one, scratch_folder(tmp_path / "work") as two:
        assert one != two
        assert not list(one.iterdir())
        assert is_owned(one) and is_owned(two)
        (one / "deep").mkdir()
    assert folders(tmp_path / "work") == []
    assert not is_owned(one)


def test_an_error_removes_it_too(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder(tmp_path):
        raise ZeroDivisionError
    assert folders(tmp_path) == []


def test_a_living_owner_keeps_it_and_a_killed_one_does_not(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    name = owner.stdout.readline().strip()
    assert is_owned(tmp_path / name)
    with scratch_folder(tmp_path):
        assert name in folders(tmp_path)
    owner.kill()
    owner.communicate(timeout=30)
    assert not is_owned(tmp_path / name)
    assert (tmp_path / name / "half").is_file()
    with scratch_folder(tmp_path) as mine:
        assert folders(tmp_path) == [mine.name]
