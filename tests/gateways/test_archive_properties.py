"""Any bytes as a zip: files that cannot escape, or a typed refusal before the first one."""

from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutate_zip import mutate_zip, seeds
from tests.fuzz.oracles import examine_archive

QUIET = settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


@QUIET
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "scans.zip"
    path.write_bytes(b"PK\x03\x04" + data)
    examine_archive(path)


@QUIET
@given(st.sampled_from(seeds()), st.integers(0, 2**32), st.integers(1, 4))
def test_changed_archives(tmp_path: Path, data: bytes, seed: int, rounds: int) -> None:
    rng = Random(seed)
    for _ in range(rounds):
        data = mutate_zip(data, rng)
    path = tmp_path / "scans.zip"
    path.write_bytes(data)
    examine_archive(path)


def test_the_honest_ones_are_read(tmp_path: Path) -> None:
    path = tmp_path / "scans.zip"
    read = []
    for data in seeds()[:-1]:
        path.write_bytes(data)
        files = examine_archive(path)
        assert files is not None
        read.append(sorted(files))
    assert read == [
        ["r.sarif"],
        ["a.json", "b/c.json"],
        ["d/a.json"],
        ["semgrep.zip/r.sarif", "x.json"],
        ["a.json", "b/c.json"],
        [],
    ]
