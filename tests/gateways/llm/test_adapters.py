"""Engines with an adapter compute what the adapter says, and refuse one that does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import LowRank
from secai_lib.core.errors import ModelTooLarge, TrainingError, UsageError
from secai_lib.core.generation import Decoding, Message
from secai_lib.core.model import ModelFormat
from secai_lib.core.settings import InferenceSettings
from secai_lib.gateways.llm import open_engine
from secai_lib.gateways.llm import opening as module
from secai_lib.gateways.llm.local import LocalEngine
from secai_lib.gateways.llm.mlx_engine import MlxEngine
from secai_lib.gateways.llm.torch_engine import TorchEngine
from tests.fakes.adapters import TINY_OLMO, hooked_logits, make_adapter
from tests.fakes.records import make_model

MODEL = make_model(name="tiny", uri="local:tiny", architecture="olmo2")
CHAT = (Message(role="user", content="Read this finding: USER root"),)
ENGINES = pytest.mark.parametrize("engine", [TorchEngine, MlxEngine])


def logits(engine: LocalEngine) -> Any:
    network: Any = engine._network
    return network.start([engine._prompter.encode_chat(CHAT)])[0]


@ENGINES
def test_an_engine_computes_what_the_adapter_says(engine: Any, tiny_olmo: Path) -> None:
    adapter, weights = make_adapter()
    plain, opened = engine(tiny_olmo, "tiny"), engine(tiny_olmo, "tiny", adapter=(adapter, weights))
    expected = hooked_logits(tiny_olmo, adapter, weights, opened._prompter.encode_chat(CHAT))[-1]
    assert np.abs(logits(opened) - expected).max() < 1e-4
    assert np.abs(logits(plain) - expected).max() > 0.1, "the adapter changes nothing"
    assert adapter.digest in opened.identity and adapter.digest not in plain.identity
    assert opened.generate([CHAT], Decoding(max_tokens=5))


@ENGINES
@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("base", "belongs to other"),
        ("rank", "shapes"),
        ("transposed", "shapes"),
        ("unknown", "has no module"),
        ("missing", "not in both"),
        ("nan", "no number"),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(
    engine: Any, tiny_olmo: Path, planted: str, said: str
) -> None:
    adapter, weights = make_adapter("other" if planted == "base" else "tiny")
    name = "model.layers.1.mlp.up_proj"
    pair = weights[name]
    if planted == "rank":
        weights[name] = LowRank(pair.a[:2], pair.b[:, :2])
    elif planted == "transposed":
        weights[name] = LowRank(pair.b.T, pair.a.T)
    elif planted == "missing":
        del weights[name]
    elif planted == "nan":
        pair.b[3, 1] = np.nan
    elif planted == "unknown":
        adapter, weights = make_adapter(shapes={**TINY_OLMO, "model.layers.2.mlp.up_proj": (9, 9)})
    with pytest.raises(TrainingError, match=said):
        engine(tiny_olmo, "tiny", adapter=(adapter, weights))


def test_a_server_takes_no_adapter() -> None:
    settings = InferenceSettings(engine="server", server_url="http://127.0.0.1:9")
    with (
        pytest.raises(UsageError, match="server takes no adapter"),
        open_engine(settings, None, lambda *_: Path(), make_adapter()),
    ):
        pass


def test_with_an_adapter_mlx_takes_the_dense_form_and_memory_is_asked_for_that(
    tiny_olmo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "mlx_has_gpu", lambda: True)
    monkeypatch.setattr("secai_lib.gateways.llm.mlx_engine.mlx_has_gpu", lambda: True)
    adapter = make_adapter(MODEL.identity)

    def folder_of(_: object, form: ModelFormat) -> Path:
        assert form is ModelFormat.SAFETENSORS
        return tiny_olmo

    settings = InferenceSettings(engine="mlx")
    with open_engine(settings, MODEL, folder_of, adapter) as opened:
        assert "float32" in opened.identity
        network: Any = opened
        assert not hasattr(network._network._model.model.layers[0].mlp.up_proj, "scales")
    giant = MODEL.model_copy(update={"parameters": 10**13})
    with pytest.raises(ModelTooLarge), open_engine(settings, giant, folder_of, adapter):
        pass
