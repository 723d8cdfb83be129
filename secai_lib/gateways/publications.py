"""Local publications: folders laid out like the Hub, each complete or as it was before."""

import ctypes
import errno
import getpass
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from secai_lib.core.errors import UsageError
from secai_lib.core.record import sha256_hex
from secai_lib.gateways.scratch import scratch_folder
from secai_lib.gateways.store import translated_errors


def write_publication(root: Path, folder: str, files: Mapping[str, bytes], *, instead: str) -> None:
    """Write `files` as `root`/`folder`, in one step for whoever reads it.

    What lay there before is gone afterwards, and so is `root`/`instead`: a release is either
    ready or a candidate.

    Raises:
        StorageError: the disk is full or not writable; what was there stays.
        UsageError: a name leads out of the folder.
    """
    with translated_errors(), scratch_folder(root / ".aside") as aside:
        fresh = aside / "fresh"
        for name, data in files.items():
            target = fresh / name
            if not target.resolve().is_relative_to(fresh.resolve()):
                raise UsageError(f"{name!r} leads out of the publication's folder")
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as handle:
                handle.write(data)
                os.fsync(handle.fileno())
        (root / folder).parent.mkdir(parents=True, exist_ok=True)
        _put(fresh, root / folder)
        if (root / instead).is_dir():
            (root / instead).rename(aside / "instead")


def this_machine() -> tuple[str, str]:
    """Who we run as, and the machine's name; empty where there is none."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number without a name
        user = ""
    return user, socket.gethostname()


def read_publication(folder: Path) -> dict[str, str]:
    """File name -> SHA-256 of every file in `folder`; a link is told as one, never followed."""
    return {
        path.relative_to(folder).as_posix(): "a link"
        if path.is_symlink()
        else sha256_hex(path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def read_files(folder: Path) -> dict[str, bytes]:
    """File name -> bytes of the plain files in `folder`."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def _put(fresh: Path, target: Path) -> None:
    if not target.exists():
        fresh.rename(target)
    elif _exchange(fresh, target):
        shutil.rmtree(fresh, ignore_errors=True)
    else:  # a file system that cannot exchange: for a moment there is nothing
        target.rename(fresh.with_name("old"))
        fresh.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step (Linux, macOS); False where that is impossible."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
        failed = library.renameat2(here, names[0], here, names[1], exchange)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, 2)  # RENAME_SWAP
    else:
        return False
    if failed and ctypes.get_errno() not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return not failed
