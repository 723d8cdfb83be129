"""mlx-lm's own `load(adapter_path=...)` reads our export and computes what the trainer did."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.llm.mlx_engine import load_fast_blas
from secai_lib.gateways.models.card import ROPE, spell_rope_for_mlx
from secai_lib.gateways.trainer.mlx_trainer import MlxTrainer
from secai_lib.peft_export import to_mlx
from tests.fakes.adapters import record_of
from tests.fakes.encoded_rows import encoded_rows
from tests.fakes.tiny_olmo import write_tiny_olmo

ROWS = encoded_rows(6)
LAYERS = 2
SAME = 1e-4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny-olmo")
    write_tiny_olmo(made)
    return made


def logits_of_mlx_lm(folder: Path, adapter: Path, tokens: Sequence[int]) -> Any:
    """What mlx-lm computes behind every token, with the adapter it finds in `adapter`."""
    load_fast_blas()
    import mlx.core as mx
    from mlx_lm import load

    config = spell_rope_for_mlx(json.loads((folder / "config.json").read_bytes()))
    rope = {name: config[name] for name in config if name in ROPE}
    model: Any = load(str(folder), adapter_path=str(adapter), model_config=rope)[0]
    return np.array(model(mx.array([list(tokens)]))[0])


@pytest.mark.parametrize(
    "lora",
    [
        LoraSettings(rank=4, scale=3.0, layers=1),
        LoraSettings(rank=8, scale=20.0, layers=0, dropout=0.05, targets="attention"),
    ],
    ids=["last-layer", "attention"],
)
def test_mlx_lm_computes_the_trainers_logits(
    folder: Path, tmp_path: Path, lora: LoraSettings
) -> None:
    engine = MlxTrainer(folder, ROWS, StageSettings(lora=lora))
    fresh = engine.logits([0], 4)
    for step in range(4):
        engine.step([[0, 1, 2], [3, 4]], 1e-2, seed=step)
    trained = engine.logits([0], 4)
    adapter = record_of(engine.weights(), base="tiny", rank=lora.rank, scale=lora.scale)
    tensors, config = to_mlx(engine.weights(), adapter, "tiny", LAYERS)
    save_file(tensors, tmp_path / "adapters.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    loaded = logits_of_mlx_lm(folder, tmp_path, ROWS[0].tokens)[-4:]
    assert np.abs(loaded - trained).max() <= SAME
    assert np.abs(fresh - trained).max() > 100 * SAME, "the adapter changes too little to tell"
