"""Fixtures that several rooms share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
REAL_SCANS = ROOT.parent / "shared" / "data" / "scans"


@pytest.fixture(scope="session")
def real_scans() -> Path:
    """The artifacts of a real workflow run; absent outside the workplace."""
    if not REAL_SCANS.is_dir():
        if os.environ.get("SECAI_REQUIRE_REAL_SCANS"):
            pytest.fail("the real scans are required here and are not there")
        pytest.skip("../shared/data/scans is absent: no real scans to read")
    return REAL_SCANS


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A fresh data home for commands and assets; the scanners stay those that are installed."""
    monkeypatch.setenv("SECAI_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SECAI_TOOLS_DIR", str(ROOT / ".secai" / "tools"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home" / "dagster"))
    for name in ("SECAI_PROFILE", "SECAI_ROOT", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path / "home"
