"""Exports loaded by PEFT and mlx-lm compute what was trained; planted faults are seen.

A transposed square matrix and a wrong factor load without a word: only logits show them.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import LowRank
from secai_lib.core.errors import ModelError, TrainingError
from secai_lib.gateways.logits import largest_change, mlx_logits, peft_logits
from secai_lib.gateways.peft_files import write_adapter_folder
from secai_lib.peft_export import to_mlx, to_peft
from tests.fakes.adapters import hooked_logits, make_adapter
from tests.fakes.records import make_model
from tests.fakes.tiny_olmo import write_tiny_olmo

BASE = make_model(name="tiny", uri="local:tiny", architecture="olmo2")
ADAPTER, WEIGHTS = make_adapter(BASE.identity)
ROWS, LAST = [[5, 9, 44, 81, 7], [3, 200, 17, 399, 21, 60, 8, 90]], 3
LIMIT = 1e-4
Q0 = "model.layers.0.self_attn.q_proj"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_tiny_olmo(folder)
    return folder


@pytest.fixture(scope="module")
def trained(base: Path) -> Any:
    return np.stack([hooked_logits(base, ADAPTER, WEIGHTS, row)[-LAST:] for row in ROWS])


def export(folder: Path, layout: str, weights: Any = WEIGHTS, **other: Any) -> Path:
    if layout == "peft":
        tensors, config = to_peft(weights, ADAPTER, BASE)
    else:
        tensors, config = to_mlx(weights, ADAPTER, "tiny", 2)
    write_adapter_folder(folder / "export", layout, tensors, config | other)
    return folder / "export"


def test_both_libraries_compute_what_was_trained(base: Path, trained: Any, tmp_path: Path) -> None:
    (tmp_path / "mlx").mkdir()
    peft = peft_logits(base, export(tmp_path, "peft"), ROWS, LAST)
    mlx = mlx_logits(base, export(tmp_path / "mlx", "mlx"), ROWS, LAST)
    assert peft.modules == mlx.modules == len(WEIGHTS)
    assert largest_change(peft.logits, trained) < LIMIT
    assert largest_change(mlx.logits, trained) < LIMIT


def test_a_transposed_square_matrix_loads_and_is_seen(
    base: Path, trained: Any, tmp_path: Path
) -> None:
    """A and B of the square projections change places and are turned: every shape is right."""
    turned = dict(WEIGHTS)
    for name, (a, b) in WEIGHTS.items():
        if a.shape[1] == b.shape[0]:
            turned[name] = LowRank(np.ascontiguousarray(b.T), np.ascontiguousarray(a.T))
    assert turned.keys() == WEIGHTS.keys() and turned[Q0].a.shape == WEIGHTS[Q0].a.shape
    found = peft_logits(base, export(tmp_path, "peft", turned), ROWS, LAST)
    assert largest_change(found.logits, trained) > 100 * LIMIT


def test_alpha_that_is_the_scale_loads_and_is_seen(
    base: Path, trained: Any, tmp_path: Path
) -> None:
    found = peft_logits(base, export(tmp_path, "peft", lora_alpha=ADAPTER.scale), ROWS, LAST)
    assert largest_change(found.logits, trained) > 100 * LIMIT


def test_another_base_loads_and_is_seen(trained: Any, tmp_path: Path) -> None:
    write_tiny_olmo(tmp_path / "other", seed=1)
    found = peft_logits(tmp_path / "other", export(tmp_path, "peft"), ROWS, LAST)
    assert largest_change(found.logits, trained) > 100 * LIMIT


@pytest.mark.parametrize("odd", [{"r": 2}, {"target_modules": ["q_proj"]}, {"r": "four"}])
def test_what_peft_does_not_load_whole_is_refused(
    base: Path, tmp_path: Path, odd: dict[str, Any]
) -> None:
    with pytest.raises(TrainingError, match="PEFT"):
        peft_logits(base, export(tmp_path, "peft", **odd), ROWS, LAST)


def test_other_numbers_in_peft_than_in_the_file_are_refused(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import peft

    real = peft.get_peft_model_state_dict
    monkeypatch.setattr(
        peft,
        "get_peft_model_state_dict",
        lambda *a, **k: {name: tensor + 1e-3 for name, tensor in real(*a, **k).items()},
    )
    with pytest.raises(TrainingError, match="PEFT holds other numbers than the file"):
        peft_logits(base, export(tmp_path, "peft"), ROWS, LAST)


def test_what_mlx_does_not_load_whole_is_refused(base: Path, tmp_path: Path) -> None:
    parameters = {"rank": 2, "scale": 3.0, "dropout": 0.0, "keys": ["self_attn.q_proj"]}
    with pytest.raises(TrainingError, match="mlx-lm"):
        mlx_logits(base, export(tmp_path, "mlx", lora_parameters=parameters), ROWS, LAST)


def test_logits_that_cannot_be_compared_are_refused(tmp_path: Path) -> None:
    one = np.zeros((1, 2, 3), np.float32)
    with pytest.raises(TrainingError, match="shapes"):
        largest_change(one, one[:, :1])
    with pytest.raises(TrainingError, match="no numbers"):
        largest_change(one, np.full_like(one, np.nan))
    with pytest.raises(ModelError):
        peft_logits(tmp_path, tmp_path, ROWS, LAST)
