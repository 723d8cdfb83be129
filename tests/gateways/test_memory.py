"""Free memory, from what the kernel and a container say."""

from pathlib import Path

import pytest

from secai_lib.gateways import memory


def test_this_machine_says_something_sensible() -> None:
    free = memory.available_bytes()
    assert free is None or 10_000_000 < free < 2**50


def test_a_containers_limit_counts_when_it_leaves_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9000 kB\nMemAvailable:    5000 kB\n")
    monkeypatch.setattr(memory, "MEMINFO", meminfo)
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    monkeypatch.setattr("sys.platform", "linux")
    assert memory.available_bytes() == 5000 * 1024
    (tmp_path / "memory.max").write_text("3000000\n")
    (tmp_path / "memory.current").write_text("1000000\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 200000\n")
    assert memory.available_bytes() == 2_200_000
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_bytes() == 5000 * 1024
    meminfo.unlink()
    assert memory.available_bytes() is None
