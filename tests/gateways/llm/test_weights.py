"""What is known of weights before they are loaded."""

from pathlib import Path

import pytest

from secai_lib.core.errors import StorageError, UsageError
from secai_lib.gateways.llm import weights
from secai_lib.gateways.llm.torch_engine import TorchEngine


def test_the_size_is_that_of_all_weights(tiny_olmo: Path) -> None:
    from safetensors import safe_open

    with safe_open(tiny_olmo / "model.safetensors", framework="np") as file:
        numbers = sum(file.get_tensor(name).size for name in file.keys())  # noqa: SIM118
    assert weights.float32_bytes(tiny_olmo) == numbers * 4


def test_a_model_too_large_is_refused_before_it_is_loaded(
    tiny_olmo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "available_bytes", lambda: 100_000)
    with pytest.raises(UsageError, match="choose a smaller model"):
        TorchEngine(tiny_olmo, "tiny")
    monkeypatch.setattr(weights, "available_bytes", lambda: None)
    weights.check_memory(tiny_olmo)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:4],
        lambda data: b"",
        lambda data: b"\xff" * 8 + data[8:],
        lambda data: data[:8] + b"[" + data[9:],
        lambda data: b"\x02" + b"\x00" * 7 + b"[]",
        lambda data: b"\x02" + b"\x00" * 7 + b"{}",
    ],
)
def test_damage_is_seen(tiny_olmo: Path, tmp_path: Path, damage: object) -> None:
    assert callable(damage)
    data = (tiny_olmo / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(damage(data))
    with pytest.raises(StorageError, match=r"model\.safetensors of the model is damaged"):
        weights.check_memory(tmp_path)


def test_an_empty_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="holds no"):
        weights.check_memory(tmp_path)
