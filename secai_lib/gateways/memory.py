"""How much memory this machine can still give."""

import subprocess
import sys
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")


def available_bytes() -> int | None:
    """Bytes that a process can still take without swapping; None where that cannot be told.

    On Linux what the kernel estimates, or what the container's limit leaves when that is less; on
    macOS, which compresses and evicts, the whole memory.
    """
    if sys.platform == "darwin":
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.memsize"], capture_output=True, text=True, check=False
        )
        return int(done.stdout) if done.stdout.strip().isdigit() else None
    found = [n for n in (_meminfo(MEMINFO), _cgroup(CGROUP)) if n is not None]
    return min(found, default=None)


def _meminfo(path: Path) -> int | None:
    try:
        lines = path.read_text("ascii").splitlines()
    except OSError:
        return None
    values = (line.split() for line in lines if line.startswith("MemAvailable:"))
    return next((int(parts[1]) * 1024 for parts in values), None)


def _cgroup(folder: Path) -> int | None:
    """What a container's limit (cgroup 2) leaves; page cache counts as used, but can be freed."""
    try:
        limit = (folder / "memory.max").read_text("ascii").strip()
        used = int((folder / "memory.current").read_text("ascii"))
        stat = dict(
            line.split() for line in (folder / "memory.stat").read_text("ascii").splitlines()
        )
    except OSError:
        return None
    if limit == "max":
        return None
    return max(0, int(limit) - used + int(stat.get("inactive_file", 0)))
