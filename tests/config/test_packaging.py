"""A built wheel holds everything that an installation needs, to the byte."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pygit2
import pytest

from secai_lib.gateways.sample import create_sample

HOUSE = Path(__file__).resolve().parents[2]
PACKAGES = ("secai_lib", "secai_assets")
LEFT_BEHIND = ("__pycache__", ".mypy_cache", ".ruff_cache", ".DS_Store")
BUILD = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that an installer would make of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    house = folder / "house"
    ignored = shutil.ignore_patterns(*LEFT_BEHIND)
    for name in PACKAGES:
        shutil.copytree(HOUSE / name, house / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, house / name)
    dropping = house / "secai_lib" / "demo" / "repository" / "services" / "__pycache__" / "a.pyc"
    dropping.parent.mkdir(parents=True)
    dropping.write_bytes(b"no part of the sample")
    argv = [sys.executable, "-W", "ignore", "-c", BUILD, str(folder)]
    subprocess.run(argv, cwd=house, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_every_file_and_nothing_else(installed: Path) -> None:
    def files(root: Path) -> dict[str, bytes]:
        return {
            path.relative_to(root).as_posix(): path.read_bytes()
            for name in PACKAGES
            for path in (root / name).rglob("*")
            if path.is_file() and not set(LEFT_BEHIND) & set(path.parts)
        }

    assert files(installed) == files(installed.parent / "house")
    assert not list(installed.rglob("__pycache__"))


def test_the_installed_sample_is_the_same_commit(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from secai_lib.gateways import sample; "
        "assert Path(sample.__file__).is_relative_to(sys.argv[1]), sample.__file__; "
        "sample.create_sample(Path(sys.argv[2])); assert any(sample.sample_reports().iterdir())"
    )
    argv = [sys.executable, "-c", code, str(installed), str(tmp_path / "there")]
    subprocess.run(argv, cwd=installed, check=True, env={"PYTHONPATH": str(installed)})
    heads = [
        str(pygit2.Repository(str(folder)).head.target)
        for folder in (tmp_path / "there", create_sample(tmp_path / "here"))
    ]
    assert heads[0] == heads[1]
