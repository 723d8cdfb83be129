"""The model assets: recorded, reused, judged; heavy work only where the shelf is empty."""

from pathlib import Path

import dagster as dg
import pytest

from secai_assets.assets import base_model, embedding_model
from secai_assets.assets.base_model import make, read_base_model
from secai_assets.checks import base_model as base_model_checks
from secai_assets.checks import embedding_model as embedding_model_checks
from secai_assets.cli import doctor
from secai_assets.resources.house import House
from secai_assets.resources.models import model_verdicts
from secai_lib.core.errors import StorageError
from tests.fakes.tiny_models import CARD, PARAMETERS, tiny_model, write_folder

CHECKS = ("sha256", "loads", "licence")


@pytest.fixture
def house(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A project whose models are tiny folders; nothing is on its shelf yet."""
    monkeypatch.setenv("SECAI_MODELS_DIR", str(tmp_path / "shelf"))
    for name in ("BASE", "EMBEDDING"):
        folder = write_folder(tmp_path / "mine" / name.lower(), tiny_model())
        monkeypatch.setenv(f"SECAI_MODELS__{name}__URI", str(folder))
        monkeypatch.setenv(f"SECAI_MODELS__{name}__SHA256", "")
        monkeypatch.setenv(f"SECAI_MODELS__{name}__LICENCE", "")
    return House()


def run(house: House) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [
            base_model.base_model,
            embedding_model.embedding_model,
            *dg.load_asset_checks_from_modules([base_model_checks, embedding_model_checks]),
        ],
        resources={"house": house},
        raise_on_error=False,
    )


def passed(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, bool]:
    evaluations = result.get_asset_check_evaluations()
    return {e.check_name: e.passed for e in evaluations if e.asset_key.path == [asset]}


def shown(result: dg.ExecuteInProcessResult, name: str) -> object:
    (event,) = result.asset_materializations_for_node("base_model")
    return event.metadata[name].value


def test_what_is_on_the_shelf_is_recorded_then_reused(house: House) -> None:
    for source in (house.project.base_model, house.project.embedding_model):
        house.shelf.obtain(source)
    first, second = run(house), run(house)
    assert first.success and second.success
    assert (shown(first, "reused"), shown(second, "reused")) == (False, True)
    assert shown(first, "parameters") == PARAMETERS and shown(first, "licence") == "Apache-2.0"
    model = read_base_model(house)
    assert house.shelf.find(house.project.base_model) == model
    assert passed(first, "base_model") == dict.fromkeys(CHECKS, True)
    assert passed(first, "embedding_model") == dict.fromkeys(CHECKS, True)


def test_what_another_project_fetched_anew_is_recorded_as_what_it_is(
    house: House, tmp_path: Path
) -> None:
    """They share the shelf: a newer commit, or a folder that has changed, takes the same place."""
    for source in (house.project.base_model, house.project.embedding_model):
        house.shelf.obtain(source)
    run(house)
    before = read_base_model(house)
    write_folder(tmp_path / "mine" / "base", tiny_model(card=CARD + "changed\n"))
    now = house.shelf.obtain(house.project.base_model)
    result = run(house)
    assert shown(result, "reused") is False
    assert read_base_model(house) == now != before
    assert passed(result, "base_model") == dict.fromkeys(CHECKS, True)


def test_every_check_can_fail(house: House, tmp_path: Path) -> None:
    silent = CARD.replace("license: apache-2.0\n", "")
    write_folder(tmp_path / "mine" / "base", tiny_model(card=silent))
    for source in (house.project.base_model, house.project.embedding_model):
        house.shelf.obtain(source)
    result = run(house)
    assert passed(result, "base_model") == {"sha256": True, "loads": True, "licence": False}
    weights = house.shelf.root / read_base_model(house).folder / "safetensors/model.safetensors"
    data = weights.read_bytes()
    weights.unlink()
    weights.write_bytes(data[:-4])
    verdicts = {v.name: v for v in model_verdicts(house, "base_model")}
    assert not verdicts["sha256"].passed and "model.safetensors" in verdicts["sha256"].sentence
    assert not verdicts["loads"].passed and "cut off" in verdicts["loads"].sentence


def test_nothing_recorded_says_what_to_do(house: House) -> None:
    with pytest.raises(StorageError, match="materialize base_model first"):
        read_base_model(house)
    make(house, {}, lambda _line: None)
    assert read_base_model(house).parameters == PARAMETERS


def test_doctor_says_which_models_are_here(house: House) -> None:
    def states() -> dict[str, tuple[str, str]]:
        return {line.what: (line.state, line.detail) for line in doctor._models(house)}

    assert states()["base model"] == (
        "note", "base is not here yet; the first run that needs it fetches it"
    )  # fmt: skip
    house.shelf.obtain(house.project.base_model)
    state, detail = states()["base model"]
    assert state == "ok" and detail.startswith("base, Apache-2.0, ")
    assert "1 models" in states()["models folder"][1]
    assert states()["embedding model"][0] == "note"


@pytest.mark.slow
def test_a_child_fetches_what_is_missing_and_its_errors_are_sentences(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = run(house)
    assert result.success and shown(result, "reused") is False
    monkeypatch.setenv("SECAI_MODELS__BASE__SHA256", "0" * 64)
    refused = run(House())
    failure = refused.failure_data_for_node("base_model")
    assert failure and failure.user_failure_data
    said = failure.user_failure_data.description or ""
    assert "the folder base has the SHA-256" in said and str(tmp_path) not in said
    assert read_base_model(house).parameters == PARAMETERS, "what was there before stays"
