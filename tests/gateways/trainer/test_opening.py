"""The engine of the settings is opened on the form it trains on, and closed afterwards."""

from pathlib import Path

import pytest

from secai_lib.core.errors import ModelTooLarge
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer import choose_trainer, open_trainer, opening
from tests.fakes.encoded_rows import encoded_rows
from tests.fakes.records import make_model

SETTINGS = StageSettings(engine="torch", lora=LoraSettings(rank=4, layers=1))


@pytest.mark.parametrize("gpu", [True, False])
def test_auto_is_mlx_where_mlx_has_a_gpu(gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "mlx_has_gpu", lambda: gpu)
    assert choose_trainer("auto") == ("mlx" if gpu else "torch")
    assert (choose_trainer("torch"), choose_trainer("mlx")) == ("torch", "mlx")


def test_the_engine_trains_the_dense_form_and_its_memory_is_free_afterwards(
    tiny_olmo: Path,
) -> None:
    asked: list[ModelFormat] = []

    def folder_of(_model: Model, form: ModelFormat) -> Path:
        asked.append(form)
        return tiny_olmo

    with open_trainer(SETTINGS, make_model(), folder_of, encoded_rows(4)) as engine:
        assert (engine.name, asked) == ("torch", [ModelFormat.SAFETENSORS])
        assert engine.settings_in_use()["rank"] == 4
    with pytest.raises(AttributeError):
        engine.weights()


def test_a_model_that_does_not_fit_is_not_loaded(tiny_olmo: Path) -> None:
    model = make_model().model_copy(update={"parameters": 10**13})
    with (
        pytest.raises(ModelTooLarge),
        open_trainer(SETTINGS, model, lambda _m, _f: tiny_olmo, encoded_rows(4)),
    ):
        pass
