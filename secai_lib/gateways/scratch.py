"""Scratch folders that no killed process leaves behind for good."""

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A fresh folder below `parent`, removed at the end.

    Its owner holds a lock on it, which the kernel frees when the process dies; folders without an
    owner are removed whenever a new one is made. `parent` holds nothing else.
    """
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / uuid.uuid4().hex
    owner = _fresh(parent, folder)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(owner)


def is_owned(folder: Path) -> bool:
    """True while the process that made the scratch `folder` lives."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _fresh(parent: Path, folder: Path) -> int:
    """The open and locked `folder`; making and sweeping exclude each other."""
    with (parent / ".lock").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        for other in parent.iterdir():
            if other.is_dir():
                _remove_if_orphaned(other)
        folder.mkdir()
        owner = os.open(folder, os.O_RDONLY)
        fcntl.flock(owner, fcntl.LOCK_EX)
    return owner


def _remove_if_orphaned(folder: Path) -> None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return  # its owner was quicker
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return  # its owner lives
    finally:
        os.close(handle)
