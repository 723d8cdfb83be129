"""kill -9 in the middle of an ingest, at seeded moments from the first question to the end.

`SECAI_KILLS=50 pytest -m slow tests/house/test_killed_ingest.py` kills at fifty moments; each of
them is a home of its own, killed once and then run to its end.
"""

import logging
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from secai_assets.partitions import scan_run
from secai_assets.run import CHAIN
from tests.fakes.github_server import GithubServer, StorageServer
from tests.fakes.local_server import Reply
from tests.house.kit import (
    BIN,
    house,
    leftovers,
    product_files,
    secai,
    sql,
    started,
    wait_until,
)
from tests.house.test_github_run import github

pytestmark = pytest.mark.slow
KILLS = int(os.environ.get("SECAI_KILLS", "3"))
LOG = logging.getLogger(__name__)
INGEST = ("run", "--until", "problems")
KEYS = {"octo~app~101~1", "octo~app~102~2", "octo~app~103~1"}


class SlowStorage(StorageServer):
    """A storage that takes its time, so that moments fall into the downloads too."""

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        time.sleep(0.4)
        return super().answer(path, query, headers)


def state(home: Path) -> dict[str, Any]:
    """Everything an ingest leaves: files, rows, partitions and what Dagster wrote down."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        partitions = instance.get_dynamic_partitions(str(scan_run.name))
        noted = {name: instance.get_materialized_partitions(dg.AssetKey(name)) for name in CHAIN}
    tables = sql(home, "select table_name from information_schema.tables order by 1")
    return {
        "files": product_files(home, *CHAIN),
        "rows": {name: sql(home, f'select count(*) from "{name}"')[0] for (name,) in tables},
        "keys": sorted(house(home).store.keys("raw_scans")),
        "partitions": sorted(partitions),
        "noted": noted,
    }


def ingest_killed(
    home: Path, log: Path, server: GithubServer, seconds: float, settings: Mapping[str, str]
) -> bool:
    """True when the ingest was still running `seconds` after its first question to GitHub."""
    asked = len(server.seen)
    with started([str(BIN / "secai"), *INGEST], home, log, **settings) as program:
        wait_until(
            "first question",
            lambda: len(server.seen) > asked or program.process.poll() is not None,
        )
        time.sleep(seconds)
        alive = program.process.poll() is None
        program.kill()
    return alive


def test_an_ingest_killed_at_any_moment_is_completed_by_the_next(tmp_path: Path) -> None:
    with github(SlowStorage) as (server, _, settings):
        whole = tmp_path / "whole"
        begun = time.monotonic()
        with started([str(BIN / "secai"), *INGEST], whole, tmp_path / "log", **settings) as program:
            wait_until("first question", lambda: server.seen)
            begun = time.monotonic()
            assert program.end() == 0, program.words
        lasted = time.monotonic() - begun
        expected = state(whole)
        assert set(expected["keys"]) == set(expected["partitions"]) == KEYS
        assert all(found == KEYS for found in expected["noted"].values())

        chance, hit, troubles = random.Random(5), 0, []
        moments = [(number + chance.random()) / KILLS * lasted for number in range(KILLS)]
        chance.shuffle(moments)
        for number, moment in enumerate(moments):
            home = tmp_path / f"home{number}"
            hit += ingest_killed(home, tmp_path / "log", server, moment, settings)
            done = secai(home, *INGEST, **settings)
            place = f"killed after {moment:.2f} of {lasted:.2f} s"
            trouble = _trouble(home, expected) if done.returncode == 0 else done.stderr[-2000:]
            LOG.info("%d: %s: %s", number + 1, place, trouble or "complete")
            if trouble:
                troubles.append(f"{place}: {trouble}")
    assert not troubles, "\n".join(troubles)
    assert hit >= KILLS * 2 // 3, "most moments must fall into the ingest"


def _trouble(home: Path, expected: Mapping[str, Any]) -> str:
    """What of `home` is not as an ingest that nobody disturbed leaves it; empty if nothing."""
    found = state(home)
    wrong = [part for part in expected if found[part] != expected[part]] + leftovers(home)
    return ", ".join(wrong)
