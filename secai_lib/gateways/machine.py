"""What this machine has left: memory and disk."""

import os
import shutil
import subprocess
from pathlib import Path

from secai_lib.core.errors import ModelTooLarge, StorageError

FLOAT_BYTES = 4
"""Of a weight as float32."""
_MEMINFO = Path("/proc/meminfo")
_CGROUP = Path("/sys/fs/cgroup")


def available_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int:
    """Bytes of memory a program may still take, the container's limit included.

    On macOS, which swaps and compresses, all of the memory; 0 where nobody can say.
    """
    if not meminfo.is_file():
        return _sysctl_memory()
    lines = (x for x in meminfo.read_text("ascii").splitlines() if x.startswith("MemAvailable:"))
    available = int(next(lines, "MemAvailable: 0").split()[1]) * 1024
    limit, used = _number(cgroup / "memory.max"), _number(cgroup / "memory.current")
    if limit is not None and used is not None:
        # pages of files that were read count as used, but are given back when they are needed
        available = min(available, max(0, limit - used + _file_pages(cgroup)))
    return available


def require_memory(model: str, needed: int) -> None:
    """Nothing, when `needed` bytes are free for `model`.

    Raises:
        ModelTooLarge: they are not.
    """
    available = available_memory()
    if available and needed > available:
        raise ModelTooLarge(model, needed=needed, available=available)


def require_disk(folder: Path, needed: int, what: str) -> None:
    """Nothing, when `needed` bytes for `what` are free where `folder` is or will be.

    Raises:
        StorageError: they are not.
    """
    free = free_disk(folder)
    if needed > free:
        raise StorageError(
            f"{what} needs {needed / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free in the "
            "models folder: free some space, or set SECAI_MODELS_DIR to another place"
        )


def free_disk(folder: Path) -> int:
    """Bytes free where `folder` is or will be."""
    return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text("ascii"))
    except (OSError, ValueError):  # no such file, or `max`
        return None


def _file_pages(cgroup: Path) -> int:
    try:
        lines = (cgroup / "memory.stat").read_text("ascii").splitlines()
    except OSError:
        return 0
    return sum(int(x.split()[1]) for x in lines if x.startswith(("inactive_file ", "active_file ")))


def _sysctl_memory() -> int:
    if not os.access("/usr/sbin/sysctl", os.X_OK):
        return 0
    done = subprocess.run(
        ["/usr/sbin/sysctl", "-n", "hw.memsize"], capture_output=True, text=True, check=False
    )
    return int(done.stdout) if done.stdout.strip().isdigit() else 0
