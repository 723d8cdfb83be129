"""What is left of an adapter in a fused model, for a small and for a strong one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_lib.core.errors import TrainingError
from secai_lib.gateways import fusing
from secai_lib.gateways.fusing import Survival, choose, fuse, stored, survival
from secai_lib.gateways.logits import largest_change, mlx_logits, overflows
from tests.fakes.adapters import hooked_logits, make_adapter
from tests.fakes.tiny_olmo import write_tiny_olmo

ROWS, LAST = [[5, 9, 44, 81, 7], [3, 200, 17, 399, 21, 60, 8, 90]], 3
SMALL = make_adapter(size=0.01, scale=1.0)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    write_tiny_olmo(folder)
    return folder


def by_precision(found: list[Survival]) -> dict[str, Survival]:
    return {one.precision: one for one in found}


def test_four_bits_lose_a_small_adapter_and_float_keeps_it(base: Path) -> None:
    found = by_precision(survival(base, *SMALL, "tiny"))
    assert found["4-bit"].overall < 0.3, "quantised again, hardly anything is left"
    assert found["float32"].worst > 0.9999
    assert found["float16"].worst > found["bfloat16"].worst > found["4-bit"].worst
    one = found["float16"]
    assert one.worst == min(one.modules.values()) == one.modules[one.worst_module]


def test_a_strong_adapter_survives_four_bits(base: Path) -> None:
    strong = make_adapter(size=1.0, scale=10.0)
    assert by_precision(survival(base, *strong, "tiny"))["4-bit"].overall > 0.9


def test_the_smallest_precision_that_keeps_the_adapter_is_taken_first() -> None:
    def one(precision: str, worst: float) -> Survival:
        return Survival(precision=precision, overall=1, worst=worst, worst_module="m", modules={})

    found = [one("float16", 0.98), one("bfloat16", 0.8), one("float32", 1.0), one("4-bit", 1.0)]
    assert choose(found, 0.9) == ["float16", "float32"]
    assert choose(found, 0.99) == ["float32"]
    assert choose([one("float16", 0.1)], 0.99) == ["float32"]


def test_an_adapter_that_changes_nothing_has_nothing_to_survive(base: Path) -> None:
    adapter, weights = make_adapter(size=0.0)
    with pytest.raises(TrainingError, match="changes nothing"):
        survival(base, adapter, weights, "tiny")


@pytest.mark.parametrize("shard", [10**9, 100_000])
@pytest.mark.parametrize(("precision", "limit"), [("float32", 1e-4), ("float16", 0.05)])
def test_mlx_loads_the_fused_model_and_computes_the_adapter(
    base: Path,
    tmp_path: Path,
    precision: str,
    limit: float,
    shard: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fusing, "SHARD_BYTES", shard)
    adapter, weights = make_adapter()
    folder = tmp_path / "fused"
    fuse(base, folder, adapter, weights, "tiny", precision)
    expected = np.stack([hooked_logits(base, adapter, weights, row)[-LAST:] for row in ROWS])
    found = mlx_logits(folder, None, ROWS, LAST)
    assert largest_change(found.logits, expected) < limit
    assert not overflows(folder, ROWS[0], precision)
    planned = by_precision(survival(base, adapter, weights, "tiny"))[precision]
    kept = stored(base, folder, adapter, weights, precision)
    assert kept.modules == pytest.approx(planned.modules, abs=1e-6)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    assert config["rope_theta"] == 500_000 and config["torch_dtype"] == precision
    assert (folder / "model.safetensors").exists() == (shard == 10**9)
    assert (folder / "tokenizer.json").read_bytes() == (base / "tokenizer.json").read_bytes()


def test_all_but_the_adapters_modules_is_kept(base: Path, tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    adapter, weights = make_adapter()
    fuse(base, tmp_path / "fused", adapter, weights, "tiny", "float32")
    old: dict[str, Any] = load_file(base / "model.safetensors")
    new: dict[str, Any] = load_file(tmp_path / "fused" / "model.safetensors")
    assert old.keys() == new.keys() and "lm_head.weight" in old
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert changed == {f"{name}.weight" for name in weights}


def test_an_overflow_in_half_precision_is_seen(base: Path, tmp_path: Path) -> None:
    adapter, weights = make_adapter(scale=1e8)
    fuse(base, tmp_path / "fused", adapter, weights, "tiny", "float32")
    assert overflows(tmp_path / "fused", ROWS[0], "float16")
    assert not overflows(tmp_path / "fused", ROWS[0], "float32")


def test_another_base_is_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="belongs to"):
        fuse(base, tmp_path / "fused", *make_adapter("other"), "tiny", "float32")
    with pytest.raises(TrainingError, match="belongs to"):
        survival(base, *make_adapter("other"), "tiny")
