"""Several processes on one home, and processes that are killed."""

import threading
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from tests.house.conftest import Finished
from tests.house.kit import (
    BIN,
    DEMO,
    ROOT,
    Started,
    Web,
    demo,
    free_port,
    leftovers,
    problems,
    report_files,
    secai,
    sql,
    started,
    wait_until,
)

pytestmark = pytest.mark.slow


class Reader(threading.Thread):
    """Somebody with a SQL client, all the time."""

    def __init__(self, warehouse: Path) -> None:
        super().__init__(daemon=True)
        self.warehouse, self.ended = warehouse, threading.Event()
        self.seen: set[tuple[int, int]] = set()
        self.wrong: list[str] = []
        self.looks = 0

    def run(self) -> None:
        query = "select (select count(*) from findings), (select count(*) from problems)"
        while not self.ended.wait(0.02):
            if not self.warehouse.is_file():
                continue
            self.looks += 1
            try:
                with duckdb.connect(str(self.warehouse), read_only=True) as connection:
                    rows = connection.execute(query).fetchall()
                self.seen.add((int(rows[0][0]), int(rows[0][1])))
            except duckdb.Error as error:
                self.wrong.append(str(error))


def test_two_demos_a_reader_and_the_web_server_on_one_home(
    finished: Finished, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    port = free_port()
    reader = Reader(home / "data" / "warehouse.duckdb")
    reader.start()
    try:
        with demo(home, tmp_path / "one.log") as one, demo(home, tmp_path / "two.log") as two:
            one.wait_for("raw_scans")
            workspace = str(ROOT / "workspace.yaml")
            argv = [str(BIN / "dagster-webserver"), "-w", workspace, "-p", str(port)]
            with started(argv, home, tmp_path / "web.log") as server:
                web = Web(port)
                wait_until("the web server", web.loaded)

                def both_ended() -> bool:
                    runs = web.ask("{ runsOrError { ... on Runs { results { status } } } }")
                    assert len(runs["runsOrError"]["results"]) <= 2
                    return one.process.poll() is not None and two.process.poll() is not None

                wait_until("both demos", both_ended)
                final = web.ask("{ runsOrError { ... on Runs { results { status } } } }")
                assert [r["status"] for r in final["runsOrError"]["results"]] == ["SUCCESS"] * 2
                assert "locked" not in server.words
            for program in (one, two):
                assert program.end() == 0, program.words
                assert "locked" not in program.words
                assert "Traceback" not in program.words
    finally:
        reader.ended.set()
        reader.join(10)
    assert not reader.wrong
    assert reader.looks > 10
    expected = sql(
        finished.home,
        "select (select count(*) from findings), (select count(*) from problems)",
    )
    assert reader.seen == {expected[0]}
    assert report_files(home) == report_files(finished.home)
    assert not leftovers(home)


def killed_when(home: Path, log: Path, moment: Callable[[Started], object]) -> None:
    """Start a demo, wait for the `moment`, kill -9."""
    with demo(home, log) as program:
        moment(program)
        assert program.process.poll() is None, program.words
        program.kill()


def statuses(home: Path) -> list[str]:
    """Of all runs, oldest first."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        return [run.status.value for run in reversed(instance.get_runs())]


def test_a_demo_that_is_killed_three_times_ends_as_if_nothing_had_happened(
    finished: Finished, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    lock = home / "data" / ".warehouse.lock"

    def in_raw_scans(program: Started) -> None:
        wait_until("a scan", lambda: leftovers(home))
        program.wait_for("detect-secrets: ran")

    killed_when(home, tmp_path / "raw_scans.log", in_raw_scans)
    assert statuses(home) == ["STARTED"]
    assert leftovers(home)
    assert not (home / "data" / "raw_scans").exists(), "nothing half taken"

    # the lock file appears when the warehouse is begun
    killed_when(home, tmp_path / "problems.log", lambda _: wait_until("problems", lock.is_file))
    assert not (home / "data" / "problems" / "current").exists()

    killed_when(
        home, tmp_path / "fixes.log", lambda program: program.wait_for("scanning the proposals")
    )
    assert problems(home) == problems(finished.home)
    assert not (home / "data" / "fixes").exists()

    done = secai(home, *DEMO)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("unchanged, kept") >= 4, "what was finished is kept"
    assert statuses(home) == ["FAILURE", "FAILURE", "FAILURE", "SUCCESS"]
    assert report_files(home) == report_files(finished.home)
    assert not leftovers(home)
    assert secai(home, "gate").returncode == 0
