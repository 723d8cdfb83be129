"""Which engine is chosen, and that it is closed again."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.errors import ModelError, ModelTooLarge, UsageError
from secai_lib.core.generation import Decoding, Message
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import InferenceSettings, ModelSource
from secai_lib.gateways.llm import choose_engine, mlx_engine, open_engine
from secai_lib.gateways.llm import opening as module
from secai_lib.gateways.llm.local import LocalEngine
from secai_lib.gateways.models import ModelShelf
from tests.fakes.model_server import ModelServer, completion
from tests.fakes.records import make_model

CHAT = (Message(role="user", content="hi"),)
MODEL = make_model(name="tiny", uri="local:tiny", architecture="olmo2")


@pytest.mark.parametrize(("gpu", "expected"), [(True, "mlx"), (False, "torch")])
def test_auto_is_mlx_where_it_has_a_gpu(
    monkeypatch: pytest.MonkeyPatch, gpu: bool, expected: str
) -> None:
    monkeypatch.setattr(module, "mlx_has_gpu", lambda: gpu)
    assert choose_engine(InferenceSettings()) == expected
    assert choose_engine(InferenceSettings(engine="server")) == "server"


@pytest.mark.parametrize("engine", ["torch", "mlx"])
def test_on_a_cpu_an_engine_reads_the_dense_form_and_is_closed_again(
    tiny_olmo: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "mlx_has_gpu", lambda: False)
    asked: list[ModelFormat] = []

    def folder_of(_: Model, wanted: ModelFormat) -> Path:
        asked.append(wanted)
        return tiny_olmo

    settings = InferenceSettings.model_validate({"engine": engine, "batch_size": 2})
    with open_engine(settings, MODEL, folder_of) as opened:
        assert opened.name == engine
        assert opened.identity.startswith(MODEL.identity)
        assert opened.generate([CHAT], Decoding(max_tokens=3))
    assert asked == [ModelFormat.SAFETENSORS]
    with pytest.raises(UsageError, match="closed"):
        opened.generate([CHAT], Decoding(max_tokens=3))


def test_a_server_needs_no_model_and_gets_the_key_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECAI_SERVER_API_KEY", " k3y\n")

    def never(*_: object) -> Path:
        raise AssertionError

    with ModelServer(lambda _: completion("x"), ["m"]).running() as server:
        settings = InferenceSettings(engine="server", server_url=server.url)
        with open_engine(settings, None, never) as opened:
            assert opened.generate([CHAT], Decoding(max_tokens=3))[0].text == "x"
    assert {asked.headers["Authorization"] for asked in server.asked} == {"Bearer k3y"}


def test_a_local_engine_without_a_model_is_a_usage_error() -> None:
    with (
        pytest.raises(UsageError, match="base_model"),
        open_engine(InferenceSettings(engine="torch"), None, lambda *_: Path()),
    ):
        pass


@pytest.mark.parametrize("engine", ["torch", "mlx"])
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("config.json", lambda data: b'{"model_type": "no-such-model"}'),
        ("config.json", lambda data: data[: len(data) // 2]),
        ("config.json", None),
        ("model.safetensors", lambda data: data[: len(data) // 2]),
        ("model.safetensors", lambda data: b"\xff" * 8 + data[8:]),
        ("model.safetensors", None),
        ("tokenizer.json", lambda data: data[: len(data) // 2]),
    ],
)
def test_a_damaged_model_is_named_without_its_path(
    tmp_path: Path,
    tiny_olmo: Path,
    engine: str,
    name: str,
    damage: Callable[[bytes], bytes] | None,
) -> None:
    for file in tiny_olmo.iterdir():
        if file.name != name:
            (tmp_path / file.name).write_bytes(file.read_bytes())
        elif damage is not None:
            (tmp_path / file.name).write_bytes(damage(file.read_bytes()))
    settings = InferenceSettings.model_validate({"engine": engine})
    with (
        pytest.raises(ModelError, match="cannot be loaded") as caught,
        open_engine(settings, MODEL, lambda *_: tmp_path),
    ):
        pass
    assert str(tmp_path.parent) not in str(caught.value)


@pytest.mark.parametrize("engine", ["torch", "mlx"])
def test_a_model_too_large_is_refused_before_it_is_loaded(tmp_path: Path, engine: str) -> None:
    """The folder is empty: reading it would be another error."""
    settings = InferenceSettings.model_validate({"engine": engine})
    giant = MODEL.model_copy(update={"parameters": 10**13})
    with (
        pytest.raises(ModelTooLarge, match="smaller model"),
        open_engine(settings, giant, lambda *_: tmp_path),
    ):
        pass


def test_the_way_of_an_apple_machine_from_a_folder_to_an_answer(
    tiny_olmo: Path, tmp_path: Path, torch_engine: LocalEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 4-bit form is made, keeps template, ends and rope base, and answers; on the CPU here."""
    monkeypatch.setattr(module, "mlx_has_gpu", lambda: True)
    monkeypatch.setattr(mlx_engine, "mlx_has_gpu", lambda: True)
    shelf = ModelShelf(tmp_path / "shelf")
    model = shelf.obtain(ModelSource(uri=str(tiny_olmo)))
    with open_engine(InferenceSettings(), model, shelf.folder) as opened:
        assert isinstance(opened, mlx_engine.MlxEngine) and "as stored" in opened.identity
        network: Any = opened._network
        assert network._model.args.rope_theta == 500_000
        assert hasattr(network._model.model.layers[0].mlp.up_proj, "scales"), "quantised"
        assert opened._prompter.encode_chat(CHAT) == torch_engine._prompter.encode_chat(CHAT)
        assert opened._ends == torch_engine._ends
        held = Decoding(max_tokens=20, json_schema='{"enum": ["a", "b"]}')
        answers = opened.generate([CHAT, (*CHAT, *CHAT)], held)
        assert {answer.text for answer in answers} <= {'"a"', '"b"'}
    found = shelf.find(ModelSource(uri=str(tiny_olmo)))
    assert found and found.identity == model.identity
    shelf.verify(found)


def test_mlx_with_a_gpu_reads_its_own_form_and_the_stored_size_counts(
    tiny_olmo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needed: list[int] = []
    monkeypatch.setattr(module, "mlx_has_gpu", lambda: True)
    monkeypatch.setattr(module, "require_memory", lambda _name, size: needed.append(size))
    forms: list[ModelFormat] = []

    def folder_of(_: Model, form: ModelFormat) -> Path:
        forms.append(form)
        return tiny_olmo

    with open_engine(InferenceSettings(), MODEL, folder_of) as opened:
        assert opened.name == "mlx"
    assert forms == [ModelFormat.MLX]
    assert needed == [int((tiny_olmo / "model.safetensors").stat().st_size * 1.15)]
