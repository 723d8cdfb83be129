"""How the tests of the whole house start programs, wait for them and end them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import duckdb

from secai_assets.assets.problems import read_problems
from secai_assets.resources.house import House
from secai_assets.run import ORDER
from secai_lib.core.problem import Problem
from secai_lib.core.settings import Paths
from secai_lib.gateways.config import Project, load_project

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
PATIENCE = 900
"""Seconds for the longest thing that is waited for; machines of a CI are slow."""
PLACE = "secai-demo~nestbox@main"
DEMO = ("demo", "--until", "report")
"""The demo without its models, which take minutes; `test_learning` looks at those."""
FLOW = ORDER[: ORDER.index("report") + 1]
"""What that makes."""
LEARNED = ORDER[len(FLOW) :]
"""What the whole demo makes after it."""
MODELS = ROOT / ".secai" / "models"
"""The models folder of all tests, so that wheels are fetched once."""
T = TypeVar("T")


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user whose data lie in `home`, with nothing else of ours set."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SECAI_", "DAGSTER_"))}
    for name in ("GITHUB_TOKEN", "HF_TOKEN"):
        clean.pop(name, None)
    return clean | {
        "SECAI_HOME": str(home),
        "DAGSTER_HOME": str(home / "dagster"),
        "SECAI_TOOLS_DIR": str(ROOT / ".secai" / "tools"),
        "NO_COLOR": "1",
        "COLUMNS": "200",
        **more,
    }


def secai(home: Path, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`secai ARGUMENTS` to its end."""
    return subprocess.run(
        [str(BIN / "secai"), *map(str, arguments)],
        cwd=ROOT,
        env=environment(home, **more),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def sentence(done: subprocess.CompletedProcess[str]) -> str:
    """What a person was told; never a traceback, and no secret path of a developer."""
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return done.stderr


def wait_until(what: str, look: Callable[[], T | None], seconds: float = PATIENCE) -> T:
    """The first value of `look` that is not None, False or empty."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds} s")


def _restore_interrupt() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Started:
    """A program in a process group of its own, with its words in a file."""

    def __init__(self, argv: list[str], home: Path, log: Path, **more: str) -> None:
        self.log = log
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                argv,
                cwd=log.parent,  # a developer's .env in the checkout would win
                env=environment(home, **more),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                # a shell's background job ignores SIGINT and hands that down
                preexec_fn=_restore_interrupt,  # noqa: PLW1509
            )

    @property
    def words(self) -> str:
        return self.log.read_text("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        """Until `text` stands in the log; a program that ends before fails the test."""

        def look() -> bool:
            assert text in self.words or self.process.poll() is None, self.words[-3000:]
            return text in self.words

        wait_until(text, look)

    def end(self) -> int:
        """Its exit status."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """kill -9, the process alone: what it started is left to itself."""
        self.process.kill()
        self.process.wait(30)

    def stop(self) -> None:
        """SIGINT to the group, as Ctrl-C sends it; then SIGKILL."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


@contextmanager
def started(argv: list[str], home: Path, log: Path, **more: str) -> Iterator[Started]:
    """`argv` while the block runs."""
    program = Started(argv, home, log, **more)
    try:
        yield program
    finally:
        program.stop()


@contextmanager
def demo(home: Path, log: Path, **more: str) -> Iterator[Started]:
    """`secai demo` while the block runs."""
    with started([str(BIN / "secai"), *DEMO], home, log, **more) as program:
        yield program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def house(home: Path) -> House:
    """The doors of `home`, for reading them in this process."""
    loaded = load_project(ROOT)
    settings = loaded.settings.model_copy(update={"paths": Paths(home=str(home))})
    return House(Project(root=ROOT, settings=settings))


def problems(home: Path) -> dict[str, Problem]:
    return {problem.id: problem for problem in read_problems(house(home))}


def sql(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "data" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def report_files(home: Path) -> dict[str, bytes]:
    """The bytes of every file of the sample's report, by relative path."""
    folder = (home / "data" / "report" / PLACE / "current").resolve()
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def product_files(home: Path, *products: str) -> dict[str, bytes]:
    """The bytes of every file in force of `products`, by path below the data folder."""
    data = home / "data"
    slots = [link for product in products for link in sorted((data / product).rglob("current"))]
    return {
        (link.parent / path.relative_to(link.resolve())).relative_to(data).as_posix(): (
            path.read_bytes()
        )
        for link in slots
        for path in sorted(link.resolve().rglob("*"))
        if path.is_file()
    }


def newest(home: Path, name: str) -> Mapping[str, dg.MetadataValue]:
    """The metadata of the newest materialization of the asset `name`."""
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        (record,) = instance.fetch_materializations(dg.AssetKey(name), limit=1).records
    assert record.asset_materialization
    return record.asset_materialization.metadata


def reused(home: Path, names: Iterable[str]) -> dict[str, bool]:
    """Whether the newest materialization of each asset says that everything was kept."""
    return {name: bool(newest(home, name)["reused"].value) for name in names}


def children(process: int) -> dict[int, str]:
    """Process id -> command line of everything that `process` started and that still runs."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,command="], capture_output=True, text=True, check=True
    )
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    return {int(row[0]): row[2] for row in rows if len(row) == 3 and int(row[1]) == process}


def is_alive(process: int) -> bool:
    """Whether the process `process` runs; a zombie does not."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


def leftovers(home: Path) -> list[str]:
    """Everything below `home` that only a running step may have."""
    scratch = [home / "work", home / "data" / ".aside"]
    found = [p for place in scratch if place.is_dir() for p in place.iterdir() if p.is_dir()]
    found += [p for p in home.rglob("*.tmp*") if "dagster" not in p.parts]
    found += list(home.glob(".sample-*"))
    return sorted(str(path.relative_to(home)) for path in found)


def copied(home: Path, target: Path) -> Path:
    """A copy of the data home, links kept."""
    shutil.copytree(home, target, symlinks=True)
    return target


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -- the web server ------------------------------------------------------------------------------


class Web:
    """A Dagster web server, asked by GraphQL."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: object) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.url}/graphql", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()[:2000]) from error
        assert not found.get("errors"), found["errors"]
        return dict(found["data"])

    def loaded(self) -> bool:
        """True when the code location is there; an error of it fails the test."""
        try:
            data = self.ask(
                "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus "
                "locationOrLoadError { __typename ... on PythonError { message } } } } } }"
            )
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        entries = data["workspaceOrError"].get("locationEntries") or []
        for entry in entries:
            found = entry["locationOrLoadError"] or {}
            assert found.get("__typename") != "PythonError", found
        return [entry["name"] for entry in entries] == ["secai"] and all(
            entry["loadStatus"] == "LOADED" and entry["locationOrLoadError"] for entry in entries
        )

    def launch(
        self, job: str, *, assets: list[str], checks: list[tuple[str, str]] | None, key: str = ""
    ) -> str:
        """The id of a run of `assets` (and `checks`; None: theirs), put into the queue."""
        selector = {
            "repositoryLocationName": "secai",
            "repositoryName": "__repository__",
            "pipelineName": job,
            "assetSelection": [{"path": [name]} for name in assets],
            "assetCheckSelection": None
            if checks is None
            else [{"assetKey": {"path": [a]}, "name": name} for a, name in checks],
        }
        tags = [{"key": "dagster/partition", "value": key}] if key else []
        data = self.ask(
            "mutation ($p: ExecutionParams!) { launchPipelineExecution(executionParams: $p) {"
            " __typename ... on LaunchRunSuccess { run { runId } }"
            " ... on PythonError { message }"
            " ... on RunConfigValidationInvalid { errors { message } } } }",
            p={"selector": selector, "mode": "default", "executionMetadata": {"tags": tags}},
        )["launchPipelineExecution"]
        assert data["__typename"] == "LaunchRunSuccess", data
        return str(data["run"]["runId"])

    def ended(self, run_id: str) -> str | None:
        """The status of a run that has ended, else None."""
        run = self.ask(
            "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }", id=run_id
        )["runOrError"]
        status = str(run["status"])
        return status if status in ("SUCCESS", "FAILURE", "CANCELED") else None

    def why(self, run_id: str) -> Mapping[str, Any]:
        """The failures of a run."""
        return self.ask(
            "query ($id: ID!) { logsForRun(runId: $id) { ... on EventConnection { events {"
            " __typename ... on MessageEvent { message }"
            " ... on ExecutionStepFailureEvent { error { message } } } } } }",
            id=run_id,
        )


def dagster_argv(*words: str) -> list[str]:
    return [sys.executable, "-m", "dagster", *words]
