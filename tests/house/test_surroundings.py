"""Bad surroundings: a sentence, the documented exit code, and nothing half written."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secai_assets.assets.fixes import Place, read_fixes
from tests.house.conftest import Finished
from tests.house.kit import (
    DEMO,
    PLACE,
    ROOT,
    copied,
    house,
    leftovers,
    problems,
    report_files,
    secai,
    sentence,
    sql,
)

pytestmark = pytest.mark.slow
NESTBOX = Place("secai-demo/nestbox", "main")
REPORT = ROOT / "tests" / "samples" / "gitleaks" / "gitleaks.json"
INGEST = ("ingest", REPORT, "--repository", "octo/app")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The last thing said, which begins with our name."""
    return next(
        line for line in reversed(sentence(done).splitlines()) if line.startswith("secai: ")
    )


def test_a_missing_scanner_is_absent_and_proves_nothing(
    mine: Callable[[], Path], tmp_path: Path
) -> None:
    home = mine()
    before = problems(home)
    (tmp_path / "none").mkdir()
    done = secai(home, *DEMO, SECAI_TOOLS_DIR=str(tmp_path / "none"))
    assert done.returncode == 0, sentence(done)
    assert "which is not the same as clean" in done.stdout
    statuses = dict(sql(home, "select tool, status from tool_runs"))
    assert statuses["checkov"] == statuses["semgrep"] == "absent"
    assert statuses["bandit"] == "ran"
    offered = read_fixes(house(home), NESTBOX)
    assert offered, "the other scanners still prove theirs"
    assert not {f.certificate.finding.tool for f in offered} & {"checkov", "semgrep"}
    for fix in offered:
        ran = {run.tool for run in fix.certificate.scanners if run.status == "ran"}
        assert not ran & {"checkov", "semgrep"}
    after = problems(home)
    fixed = [p for p in after.values() if p.state == "fixed"]
    assert not [p for p in fixed if {"checkov", "semgrep"} & set(p.tools)], "absent is not clean"
    assert set(after) < set(before)


@pytest.fixture
def small_disk(finished: Finished, tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB of its own, with a finished home."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64m", "none", str(place)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine allows no mount: {done.stderr.strip()}")
    try:
        copied(finished.home, place / "home")
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path, *, leave: int) -> Path:
    filler = place / "filler"
    disk = os.statvfs(place)
    with filler.open("wb") as handle:
        left = disk.f_bavail * disk.f_frsize - leave
        while left > 0:
            left -= handle.write(b"\0" * min(left, 2**20))
    return filler


@pytest.mark.parametrize("leave", [0, 300_000], ids=["full", "full in the middle"])
def test_a_full_disk_loses_nothing(small_disk: Path, finished: Finished, leave: int) -> None:
    home = small_disk / "home"
    filler = fill(small_disk, leave=leave)
    done = secai(home, *INGEST)
    assert done.returncode == 5, sentence(done)
    assert "free some space" in one_line(done)
    assert report_files(home) == report_files(finished.home)
    assert problems(home) == problems(finished.home)
    filler.unlink()
    assert not leftovers(home)
    done = secai(home, *INGEST)
    assert done.returncode == 0, sentence(done)
    assert sql(home, "select count(distinct repository) from problems") == [(2,)]


def test_a_read_only_home(small_disk: Path, finished: Finished) -> None:
    home = small_disk / "home"
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = secai(home, *INGEST)
    assert done.returncode == 5
    assert "read-only" in one_line(done)
    done = secai(home, *DEMO)
    assert done.returncode == 5
    assert "ead-only" in one_line(done)
    assert report_files(home) == report_files(finished.home)


def test_damaged_products_are_noticed_and_made_again(
    finished: Finished, mine: Callable[[], Path]
) -> None:
    home = mine()
    data = home / "data"
    for folder, product in (("fixes/" + PLACE, "fixes"), ("problems", "problems")):
        table = data / folder / "current" / f"{product}.parquet"
        table.write_bytes(table.read_bytes()[:-100])
    done = secai(home, "verify")
    assert done.returncode == 5
    assert "damaged; materialize fixes again" in one_line(done)

    (key,) = house(home).store.keys("findings")
    (data / "findings" / key / "current" / "manifest.json").write_text('{"product": "find')
    certificate = next((data / "fixes" / PLACE / "current" / "certificates").iterdir())
    (data / "report" / PLACE / "current" / "report.html").write_text("tampered")
    (data / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
    assert certificate.is_file()
    done = secai(home, *DEMO)
    assert done.returncode == 0, sentence(done)
    assert report_files(home) == report_files(finished.home)
    assert problems(home) == problems(finished.home)
    query = "select count(*) from problems"
    assert sql(home, query) == sql(finished.home, query)
    assert secai(home, "gate").returncode == 0
    assert not leftovers(home)


@pytest.mark.parametrize("text", ["telemetry: {enabled: [", "nonsense: {a: 1}\n"])
def test_a_wrong_dagster_yaml_is_named(tmp_path: Path, text: str) -> None:
    home = tmp_path / "home"
    (home / "dagster").mkdir(parents=True)
    (home / "dagster" / "dagster.yaml").write_text(text)
    done = secai(home, *INGEST)
    assert done.returncode == 2
    assert "dagster.yaml" in one_line(done)
    assert not (home / "data" / "findings").exists()
    (home / "dagster" / "dagster.yaml").unlink()
    assert secai(home, "gate").returncode == 7, "a fresh one is written"


def test_a_damaged_instance_is_named(mine: Callable[[], Path]) -> None:
    home = mine()
    (home / "dagster" / "history" / "runs.db").write_bytes(b"not a database" * 1000)
    done = secai(home, *INGEST)
    assert done.returncode == 5
    assert "Dagster's instance" in one_line(done)
