"""`dagster dev` as a person meets it: everything can be done from the UI, on an empty home too."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import pytest

from secai_assets.definitions import build
from secai_assets.gate import judge
from secai_assets.instance import prepare_home
from secai_lib.gateways.config import load_project
from tests.house.conftest import Finished
from tests.house.kit import (
    BIN,
    FLOW,
    ROOT,
    Web,
    dagster_argv,
    environment,
    free_port,
    house,
    leftovers,
    problems,
    report_files,
    started,
    wait_until,
)

pytestmark = pytest.mark.slow
GATE = ("parity", "quarantine_ratio", "triaged")
"""The blocking checks of the problems."""
SELECTOR = {
    "repositoryLocationName": "secai",
    "repositoryName": "__repository__",
    "sensorName": "local_repositories",
}


class Dev(NamedTuple):
    """A running `dagster dev`."""

    web: Web
    home: Path
    seconds: float
    """Until the code location was there."""


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    """`secai up`, which becomes `dagster dev`, on a home in which nothing ever ran."""
    folder = tmp_path_factory.mktemp("dev")
    home, port = folder / "home", free_port()
    argv = [str(BIN / "secai"), "up", "--port", str(port)]
    more = {"SECAI_SENSORS__INTERVAL_SECONDS": "30"}
    with started(argv, home, folder / "dev.log", **more) as program:
        web = Web(port)
        begin = time.monotonic()

        def loaded() -> bool:
            assert program.process.poll() is None, program.words
            return web.loaded()

        wait_until("the code location", loaded)
        yield Dev(web, home, time.monotonic() - begin)
    assert program.process.returncode is not None


def ticks(dev: Dev) -> list[dict[str, Any]]:
    data = dev.web.ask(
        "query ($s: SensorSelector!) { sensorOrError(sensorSelector: $s) { ... on Sensor {"
        " sensorState { ticks(limit: 20) { status skipReason runIds error { message } } } } } }",
        s=SELECTOR,
    )
    return list(data["sensorOrError"]["sensorState"]["ticks"])


def all_end(dev: Dev, runs: dict[str, str]) -> None:
    """Wait for every run (name -> id) and assert that each succeeded."""
    wait_until("the runs", lambda: all(dev.web.ended(run) for run in runs.values()))
    bad = {name: dev.web.why(run) for name, run in runs.items() if dev.web.ended(run) != "SUCCESS"}
    assert not bad, bad


def test_a_new_user_switches_the_sensor_on_and_gets_proven_fixes(
    dev: Dev, finished: Finished
) -> None:
    answer = dev.web.ask(
        "mutation ($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }",
        s=SELECTOR,
    )
    assert answer["startSensor"]["__typename"] == "Sensor"
    first = wait_until("a tick with a run", lambda: [t for t in ticks(dev) if t["runIds"]])
    assert len(first[0]["runIds"]) == 1
    all_end(dev, {"sensor": first[0]["runIds"][0]})
    assert problems(dev.home).keys() == problems(finished.home).keys()
    assert report_files(dev.home) == report_files(finished.home)
    assert not leftovers(dev.home)

    skipped = wait_until(
        "a tick that skips", lambda: [t for t in ticks(dev) if t["status"] == "SKIPPED"]
    )
    assert "is scanned already" in str(skipped[0]["skipReason"])
    assert not [t for t in ticks(dev) if t["error"]]
    assert len([t for t in ticks(dev) if t["runIds"]]) == 1, "each commit is asked for once"


def test_every_asset_the_whole_job_and_the_checks_alone_from_the_ui(
    dev: Dev, finished: Finished
) -> None:
    """All of it is put into the queue at once: two runs at a time, on one home."""
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        (key,) = instance.get_dynamic_partitions("scan_run")
    web = dev.web
    runs = {"job": web.launch("ingest_and_fix", assets=list(FLOW), checks=None, key=key)}
    for name in FLOW:
        runs[name] = web.launch(
            "__ASSET_JOB", assets=[name], checks=None, key=key if name in FLOW[:4] else ""
        )
    runs["corpus"] = web.launch("corpus", assets=list(FLOW[4:]), checks=None)
    runs["checks"] = web.launch(
        "__ASSET_JOB", assets=[], checks=[("problems", name) for name in GATE]
    )
    names = ("accounted", "unique_ids", "readable", "severity_known", "expected_tools")
    runs["partition checks"] = web.launch(
        "__ASSET_JOB", assets=[], checks=[("findings", name) for name in names], key=key
    )
    all_end(dev, runs)
    assert report_files(dev.home) == report_files(finished.home)
    # with nothing else running, the checks alone open the gate
    alone = [("problems", name) for name in GATE]
    alone += [("fixes", name) for name in ("proven", "no_new_findings", "abstention")]
    alone += [("report", "sarif_valid"), ("report", "size")]
    all_end(dev, {"gate": web.launch("__ASSET_JOB", assets=[], checks=alone)})
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        own = house(dev.home)
        refused = [line for line in judge(instance, build(own), FLOW, own) if not line.passed]
    assert not refused


def test_the_location_is_valid_and_says_how_long_it_takes(
    dev: Dev, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "home" / "dagster").mkdir(parents=True)
    start = time.monotonic()
    done = subprocess.run(
        dagster_argv("definitions", "validate", "-w", str(ROOT / "workspace.yaml")),
        cwd=tmp_path,  # a developer's .env would win
        env=environment(tmp_path / "home"),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    seconds = time.monotonic() - start
    with capsys.disabled():
        sys.stdout.write(
            f"\n`dagster definitions validate`: {seconds:.1f} s (meant: 8), "
            f"`secai up` to a loaded location: {dev.seconds:.1f} s\n"
        )
    assert done.returncode == 0, done.stderr


def test_plain_dagster_dev_finds_the_instance_that_secai_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`.env` of a fresh project names its instance, and Dagster's own reader reads it."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config").symlink_to(ROOT / "config")
    for name in ("SECAI_HOME", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECAI_ROOT", str(tmp_path / "project"))
    home = prepare_home(load_project())
    monkeypatch.delenv("DAGSTER_HOME")
    seen = subprocess.run(
        dagster_argv("instance", "info"),
        cwd=tmp_path / "project",
        env={k: v for k, v in environment(tmp_path).items() if k != "DAGSTER_HOME"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert str(home) in seen.stdout, seen.stdout + seen.stderr
