"""The house opens the engine of its settings with a model of its shelf."""

import json
from pathlib import Path

import pytest

from secai_assets.resources.house import House
from secai_lib.core.generation import Decoding, Message
from secai_lib.core.settings import InferenceSettings, ModelSource
from tests.fakes.tiny_olmo import write_tiny_olmo

CHAT = (Message(role="user", content="hi"),)


@pytest.mark.parametrize("engine", ["torch", "mlx"])
def test_a_model_of_the_shelf_answers(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setenv("SECAI_MODELS_DIR", str(tmp_path / "models"))
    write_tiny_olmo(tmp_path / "tiny")
    house = House()
    model = house.shelf.obtain(
        ModelSource(uri=str(tmp_path / "tiny"), licence="Apache-2.0"), lambda _: None
    )
    inference = InferenceSettings.model_validate({"engine": engine})
    with house.open_engine(model, inference) as opened:
        (answer,) = opened.generate([CHAT], Decoding(max_tokens=4))
    assert opened.name == engine
    assert model.identity in opened.identity
    assert str(tmp_path) not in json.dumps([opened.identity, answer.text])
    assert answer.answer_tokens == 4
