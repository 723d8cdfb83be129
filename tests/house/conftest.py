"""One finished demo, which most tests of the house read or copy."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.kit import DEMO, MODELS, ROOT, copied, secai


@dataclass(frozen=True)
class Finished:
    """A home in which `secai demo` ended; nobody writes to it."""

    home: Path
    done: subprocess.CompletedProcess[str]
    seconds: float


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_the_developer() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith("SECAI_") or name in ("DAGSTER_HOME", "GITHUB_TOKEN"):
                patch.delenv(name)
        patch.setenv("SECAI_TOOLS_DIR", str(ROOT / ".secai" / "tools"))
        yield


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The first `secai demo` of an empty home."""
    home = tmp_path_factory.mktemp("finished") / "home"
    start = time.monotonic()
    done = secai(home, *DEMO)
    assert done.returncode == 0, done.stderr
    return Finished(home, done, time.monotonic() - start)


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The first whole `secai demo` of an empty home, models and data sets included: minutes."""
    home = tmp_path_factory.mktemp("learned") / "home"
    start = time.monotonic()
    done = secai(home, "demo", SECAI_MODELS_DIR=str(MODELS))
    assert done.returncode == 0, done.stderr
    return Finished(home, done, time.monotonic() - start)


@pytest.fixture
def mine(finished: Finished, tmp_path: Path) -> Callable[[], Path]:
    """Makes copies of the finished home that a test may change."""
    count = iter(range(100))
    return lambda: copied(finished.home, tmp_path / f"home{next(count)}")


@pytest.fixture
def own(learned: Finished, tmp_path: Path) -> Path:
    """A copy of the home in which the whole demo ended, for a test to change."""
    return copied(learned.home, tmp_path / "home")
