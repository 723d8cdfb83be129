"""What the machine has left, containers included."""

from pathlib import Path

import pytest

from secai_lib.core.errors import ModelTooLarge, StorageError, exit_code_of
from secai_lib.gateways import machine


def meminfo(folder: Path, kilobytes: int) -> Path:
    (folder / "meminfo").write_text(f"MemTotal: 99 kB\nMemAvailable:   {kilobytes} kB\n")
    return folder / "meminfo"


def test_the_kernel_says_what_is_available(tmp_path: Path) -> None:
    assert machine.available_memory(meminfo(tmp_path, 2000), tmp_path / "none") == 2000 * 1024


def test_a_kernel_that_does_not_say_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 99 kB\n")
    assert machine.available_memory(tmp_path / "meminfo", tmp_path / "none") == 0


@pytest.mark.parametrize(
    ("limit", "used", "cached", "available"),
    [("900000", "500000", 0, 400_000), ("900000", "950000", 0, 0), ("900000", "900000", 7000, 7000),
     ("max", "500000", 0, 2_048_000)],
)  # fmt: skip
def test_the_limit_of_a_container_counts(
    limit: str, used: str, cached: int, available: int, tmp_path: Path
) -> None:
    (tmp_path / "memory.max").write_text(limit)
    (tmp_path / "memory.current").write_text(used)
    (tmp_path / "memory.stat").write_text(f"anon 5\nactive_file 0\ninactive_file {cached}\n")
    assert machine.available_memory(meminfo(tmp_path, 2000), tmp_path) == available


def test_what_does_not_fit_is_named_with_both_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 2 * 10**9)
    machine.require_memory("OLMo-1B", 2 * 10**9)
    with pytest.raises(ModelTooLarge, match=r"OLMo-1B needs about 5\.9 GB .* 2\.0 GB are") as large:
        machine.require_memory("OLMo-1B", 5_900_000_000)
    assert exit_code_of(large.value) == 5
    monkeypatch.setattr(machine, "available_memory", lambda: 0)
    machine.require_memory("OLMo-1B", 5_900_000_000)  # nobody can say: the try will tell


def test_disk_is_looked_at_where_the_folder_will_be(tmp_path: Path) -> None:
    machine.require_disk(tmp_path / "not" / "yet", 1, "x")
    with pytest.raises(StorageError, match=r"x needs 1000000000\.0 GB of disk"):
        machine.require_disk(tmp_path / "not" / "yet", 10**18, "x")
