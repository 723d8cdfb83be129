"""`secai adapter` on folders of either layout: described, converted, and hostile ones refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_assets.cli.adapter import convert_adapter, print_adapter, read_source
from secai_assets.cli.export import export_adapters
from secai_lib.core.adapter import LowRank
from secai_lib.core.errors import StorageError, TrainingError, UsageError
from secai_lib.gateways.peft_files import write_adapter_folder
from secai_lib.peft_export import to_peft
from tests.fakes.adapters import make_adapter
from tests.fakes.records import make_model

BASE = make_model(name="tiny", uri="local:tiny", architecture="olmo2")


def folder(tmp_path: Path, weights: dict[str, LowRank] | None = None, **other: Any) -> str:
    adapter, drawn = make_adapter(BASE.identity)
    tensors, config = to_peft(weights or drawn, adapter, BASE)
    write_adapter_folder(tmp_path / "a", "peft", tensors, config | other)
    return str(tmp_path / "a")


def described(source: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    code = print_adapter(source, as_json=True)
    return code, json.loads(capsys.readouterr().out)


def test_a_folder_is_described(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = described(folder(tmp_path), capsys)
    assert code == 0 and not said["compared_with_base"]
    assert (said["layout"], said["base"], said["rank"], said["scale"], said["alpha"]) == (
        *("peft", "tiny", 4, 3.0, 12.0),
    )
    assert (said["modules"], said["layers"]) == (10, [0, 1])
    assert said["not_finite"] == said["all_zero"] == []
    assert print_adapter(str(tmp_path / "a"), as_json=False) == 0
    assert "3, 12" in capsys.readouterr().out


def test_there_and_back_is_the_same_adapter(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = folder(tmp_path)
    convert_adapter(source, tmp_path / "m", "mlx")
    convert_adapter(str(tmp_path / "m"), tmp_path / "p", "peft")
    assert {p.name for p in tmp_path.iterdir() if p.name != "home"} == {"a", "m", "p"}
    digests = {described(str(tmp_path / name), capsys)[1]["digest"] for name in "amp"}
    assert len(digests) == 1
    one, other = read_source(source).plain.weights, read_source(str(tmp_path / "p")).plain.weights
    assert all(np.array_equal(one[name].b, other[name].b) for name in one)
    assert sorted(p.name for p in (tmp_path / "p").iterdir()) == [
        *("adapter_config.json", "adapter_model.safetensors"),
    ]


def test_numbers_that_are_none_and_matrices_of_zeros_are_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, weights = make_adapter(BASE.identity)
    bad, idle = sorted(weights)[:2]
    weights[bad].a[0, 0] = np.inf
    weights[idle].b[:] = 0
    code, said = described(folder(tmp_path, weights), capsys)
    assert code == 1 and said["not_finite"] == [bad] and said["all_zero"] == [idle]


def test_a_pickle_is_never_read(home: Path, tmp_path: Path) -> None:
    (tmp_path / "adapter_model.bin").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    (tmp_path / "adapter_config.json").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="pickle"):
        read_source(str(tmp_path))
    assert not Path("owned").exists()


def test_a_name_cannot_steer_the_terminal(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_adapter(folder(tmp_path, base_model_name_or_path="\x1b[2J[red]x"), as_json=False)
    out = capsys.readouterr().out
    assert "\x1b" not in out and "[red]x" in out


@pytest.mark.parametrize("text", ["[]", "{", '{"peft_type": "LORA"}'])
def test_a_broken_config_is_named(home: Path, tmp_path: Path, text: str) -> None:
    source = folder(tmp_path)
    (tmp_path / "a" / "adapter_config.json").write_text(text, "utf-8")
    with pytest.raises(TrainingError):
        read_source(source)


def test_what_cannot_be_done_is_said_and_nothing_is_written(home: Path, tmp_path: Path) -> None:
    source = folder(tmp_path)
    with pytest.raises(UsageError, match="--to gguf"):
        convert_adapter(source, tmp_path / "x", "gguf")
    with pytest.raises(UsageError, match="there already"):
        convert_adapter(source, tmp_path / "a", "mlx")
    with pytest.raises(UsageError, match="no such folder"):
        read_source(str(tmp_path / "none"))
    with pytest.raises(StorageError, match="stage1_adapter"):
        read_source("1")
    with pytest.raises(UsageError, match="--stage 3"):
        export_adapters("3", as_json=True)
    assert not (tmp_path / "x").exists()
