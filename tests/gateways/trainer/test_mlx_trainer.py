"""MLX's engine on a tiny random OLMo-2: mlx-lm's silent traps are avoided or refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import EncodedRow, LowRank
from secai_lib.core.errors import ModelError, TrainingError
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.llm.mlx_engine import load_mlx
from secai_lib.gateways.models.mlx_form import from_dense
from secai_lib.gateways.trainer import mlx_trainer
from secai_lib.gateways.trainer.mlx_answers import AnswerReader
from secai_lib.gateways.trainer.mlx_trainer import MlxTrainer
from tests.fakes.encoded_rows import encoded_rows
from tests.fakes.tiny_olmo import write_tiny_olmo

ROOT = Path(__file__).resolve().parents[3]
ROWS = encoded_rows(8)
BATCHES = [[0, 1, 2], [3, 4]]
LORA = LoraSettings(rank=4, scale=3.0, dropout=0.0, layers=1)
RATE = 1e-2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("tiny-olmo")
    write_tiny_olmo(made)
    return made


def open_it(folder: Path, rows: list[EncodedRow] = ROWS, **lora: Any) -> MlxTrainer:
    return MlxTrainer(folder, rows, StageSettings(lora=LORA.model_copy(update=lora)))


def trained(folder: Path, steps: int = 3, **lora: Any) -> MlxTrainer:
    engine = open_it(folder, **lora)
    for step in range(steps):
        engine.step(BATCHES, RATE, seed=step)
    return engine


def base_weights(engine: MlxTrainer) -> dict[str, Any]:
    from mlx.utils import tree_flatten

    flat: Any = tree_flatten(engine._model.parameters())
    return {name: np.array(value) for name, value in flat if ".lora_" not in name}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(one[name], other[name]) and one[name].dtype == other[name].dtype
        for name in one
    )


def by_hand(engine: MlxTrainer, number: int) -> float:
    """Loss of a row from its logits, by the formula."""
    row = ROWS[number]
    before = engine.logits([number], row.targets + 1)[0][:-1].astype(np.float64)
    chosen = before[range(row.targets), list(row.tokens[row.answer_start :])]
    first, weight = row.labels, row.weight
    weights = [weight * row.label_weight] * first + [weight] * (row.targets - first)
    return float((np.log(np.exp(before).sum(-1)) - chosen) @ weights)


def test_the_loss_is_that_of_the_answer_tokens_and_of_nothing_else(folder: Path) -> None:
    engine = trained(folder)
    numbers = list(range(len(ROWS)))
    sums = engine.losses(numbers, 8)
    assert [s.total for s in sums] == pytest.approx([by_hand(engine, n) for n in numbers], rel=1e-5)
    assert [s.weight for s in sums] == [sum(row.target_weights) for row in ROWS]
    part = engine.losses(BATCHES[0] + BATCHES[1], 8)
    mean = sum(s.total for s in part) / sum(s.weight for s in part)
    assert engine.step(BATCHES, RATE, seed=0).loss == pytest.approx(mean, rel=1e-6)


def test_the_last_token_of_the_answer_counts(folder: Path) -> None:
    row = ROWS[0]
    other = row.model_copy(update={"tokens": (*row.tokens[:-1], 7)})
    one, two = open_it(folder, [row, other]).losses([0, 1], 2)
    assert abs(one.total - two.total) > 1e-3


def test_padding_and_neighbours_do_not_reach_a_loss(folder: Path) -> None:
    engine = trained(folder)
    alone = [engine.losses([number], 1)[0].total for number in range(len(ROWS))]
    together = [s.total for s in engine.losses(range(len(ROWS)), len(ROWS))]
    backwards = [s.total for s in engine.losses(range(len(ROWS))[::-1], 3)]
    assert together == pytest.approx(alone, rel=1e-5)
    assert backwards[::-1] == pytest.approx(alone, rel=1e-5)
    assert engine.losses([2, 2], 1)[0] == engine.losses([2, 2], 1)[1]


def test_every_token_counts_alike_whatever_batch_it_is_in(folder: Path) -> None:
    split, whole, uneven = (
        open_it(folder).step(batches, RATE, seed=0)
        for batches in ([[0, 1], [2, 3]], [[0, 1, 2, 3]], [[0, 1, 2], [3]])
    )
    assert split == pytest.approx(whole, rel=1e-5)
    assert uneven == pytest.approx(whole, rel=1e-5)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_layers_are_counted_from_the_last_and_0_is_all(folder: Path, layers: int) -> None:
    names = open_it(folder, layers=layers).weights()
    found = {int(name.split(".")[2]) for name in names}
    assert found == {0: {0, 1}, 1: {1}, 2: {0, 1}}[layers]
    assert all(name.startswith("model.layers.") for name in names), "the head is no layer"


def test_rank_scale_and_dropout_are_those_of_the_live_objects(folder: Path) -> None:
    used = trained(folder, rank=3, scale=20.0, dropout=0.05).settings_in_use()
    assert used == {
        **{"rank": 3, "scale": 20.0, "dropout": 0.05, "layers": 1, "modules": 7},
        **{"trained_weights": 3 * (4 * 64 + 2 * (64 + 32) + 3 * (64 + 128)), "optimizer": "AdamW"},
        **{"learning_rate": RATE, "weight_decay": 0.01, "clip_norm": 1.0, "base_frozen": 1},
    }


def test_a_setting_that_did_not_arrive_is_seen(folder: Path) -> None:
    engine = open_it(folder)
    for module in engine._modules.values():
        module.scale = 1.0
    engine._model.lm_head.unfreeze()
    used = engine.settings_in_use()
    assert (used["scale"], used["base_frozen"]) == (1.0, 0)
    next(iter(engine._modules.values())).scale = 2.0
    with pytest.raises(TrainingError, match="differ in rank, scale or dropout"):
        engine.settings_in_use()


def test_the_scale_multiplies_the_product(folder: Path) -> None:
    weights = trained(folder).weights()
    tripled = {name: LowRank(pair.a, pair.b * 3) for name, pair in weights.items()}
    one, three = open_it(folder, scale=3.0), open_it(folder, scale=1.0)
    base = one.logits([0], 2)
    one.load(weights)
    three.load(tripled)
    assert np.abs(one.logits([0], 2) - three.logits([0], 2)).max() < 1e-5
    assert np.abs(one.logits([0], 2) - base).max() > 1e-2


@pytest.mark.parametrize("fault", ["unknown", "missing", "renamed", "rank", "turned", "nan"])
def test_an_adapter_that_does_not_fit_is_refused_and_nothing_is_loaded(
    folder: Path, fault: str
) -> None:
    weights = trained(folder).weights()
    name = "model.layers.1.self_attn.q_proj"
    pair = weights[name]
    faulty = {
        "unknown": {**weights, "model.layers.0.self_attn.q_proj": pair},
        "missing": {n: w for n, w in weights.items() if n != name},
        "renamed": {n.replace("model.", "base_model.model.model."): w for n, w in weights.items()},
        "rank": {n: LowRank(w.a[:3], w.b[:, :3]) for n, w in weights.items()},
        "turned": {**weights, name: LowRank(pair.a.T, pair.b.T)},
        "nan": {**weights, name: LowRank(pair.a, pair.b * np.float32("nan"))},
    }[fault]
    engine = open_it(folder)
    before = engine.state()
    with pytest.raises(TrainingError):
        engine.load(faulty)
    assert same(engine.state(), before)


def test_what_is_loaded_comes_back_bit_by_bit_with_a_fresh_optimizer(folder: Path) -> None:
    first, second = trained(folder), trained(folder, steps=1)
    second.load(first.weights())
    third = open_it(folder)
    third.load(first.weights())
    assert same(second.state(), third.state())
    for name, pair in first.weights().items():
        for ours, theirs in zip(pair, second.weights()[name], strict=True):
            assert np.array_equal(ours, theirs)
            assert ours.dtype == np.float32
            assert ours.flags.c_contiguous
    copied = second.weights()
    second.step(BATCHES, RATE, seed=9)
    assert not np.array_equal(copied[name].a, second.weights()[name].a), "a copy, not a view"


def test_going_on_from_a_state_is_bit_by_bit_the_same(folder: Path) -> None:
    whole, cut = trained(folder, dropout=0.1), open_it(folder, dropout=0.1)
    cut.restore(whole.state())
    for step in range(3, 6):
        assert whole.step(BATCHES, RATE, step) == cut.step(BATCHES, RATE, step)
    assert same(whole.state(), cut.state())


def test_going_on_without_the_optimizer_is_another_training(folder: Path) -> None:
    whole, cut = trained(folder), open_it(folder)
    cut.load(whole.weights())
    for engine in (whole, cut):
        engine.step(BATCHES, RATE, seed=3)
    assert not same(whole.state(), cut.state())
    name = "model.layers.1.mlp.up_proj"
    assert np.abs(whole.weights()[name].a - cut.weights()[name].a).max() > 1e-4


@pytest.mark.parametrize("fault", ["missing", "shape", "type", "nan"])
def test_a_state_that_is_not_whole_is_refused(folder: Path, fault: str) -> None:
    engine = trained(folder)
    state = engine.state()
    name = next(name for name in state if name.endswith("lora_b.m"))
    if fault == "missing":
        del state[name]
    else:
        state[name] = {
            "shape": state[name].T,
            "type": state[name].astype(np.float16),
            "nan": state[name] * np.float32("nan"),
        }[fault]
    before = engine.state()
    with pytest.raises(TrainingError, match="checkpoint"):
        engine.restore(state)
    assert same(engine.state(), before)


def test_a_loss_that_is_no_number_stops_before_the_weights_change(folder: Path) -> None:
    engine = trained(folder)
    huge = {n: LowRank(w.a, np.full_like(w.b, 1e38)) for n, w in engine.weights().items()}
    engine.load(huge)
    before = engine.state()
    with pytest.raises(TrainingError, match="row-0, row-1, row-2, row-3, row-4; lower"):
        engine.step(BATCHES, RATE, seed=0)
    assert same(engine.state(), before)


def test_the_seed_of_a_step_decides_its_dropout_and_nothing_else_does(folder: Path) -> None:
    same_seed = [trained(folder, steps=2, dropout=0.3).state() for _ in range(2)]
    assert same(*same_seed)
    engine = open_it(folder, dropout=0.3)
    engine.step(BATCHES, RATE, seed=0)
    engine.losses([0, 1], 2)
    assert engine.losses([0, 1], 2) == engine.losses([0, 1], 2), "no dropout in a validation"
    engine.step(BATCHES, RATE, seed=1)
    assert same(engine.state(), same_seed[0]), "a look in between changes nothing"
    other = open_it(folder, dropout=0.3)
    other.step(BATCHES, RATE, seed=0)
    other.step(BATCHES, RATE, seed=2)
    assert not same(other.state(), same_seed[0])


def test_the_base_keeps_its_bits_and_no_class_is_patched(folder: Path) -> None:
    from mlx_lm.models.olmo2 import TransformerBlock
    from mlx_lm.tuner.lora import LoRALinear

    calls = TransformerBlock.__call__, LoRALinear.__call__
    engine = open_it(folder)
    before = base_weights(engine)
    for step in range(3):
        engine.step(BATCHES, RATE, seed=step)
    assert len(before) == 25
    assert same(before, base_weights(engine))
    assert (TransformerBlock.__call__, LoRALinear.__call__) == calls


def test_memory_does_not_grow_with_the_steps(folder: Path) -> None:
    import mlx.core as mx

    engine = trained(folder)
    before = mx.get_active_memory()
    for step in range(10):
        engine.step(BATCHES, RATE, seed=step)
    assert mx.get_active_memory() <= before


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"answer_start": len(ROWS[0].tokens)}, "row row-0 has no token to learn"),
        ({"answer_start": 0}, "row row-0 has no token to learn"),
        ({"tokens": (5,) * 2049}, "row row-0 has 2049 tokens and the model reads 2048"),
        ({"tokens": (5, 6, 512), "answer_start": 1}, "tokens the model does not know"),
        ({"weight": 0.0}, "has the weight 0"),
    ],
    ids=["all-masked", "no-prompt", "too-long", "unknown-token", "no-weight"],
)
def test_a_row_that_cannot_be_learnt_is_refused_at_the_start(
    folder: Path, row: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(TrainingError, match=sentence):
        open_it(folder, [ROWS[0].model_copy(update=row)])


def test_a_row_shorter_than_its_last_positions_has_no_logits(folder: Path) -> None:
    with pytest.raises(TrainingError, match="row-0"):
        open_it(folder).logits([0], len(ROWS[0].tokens) + 1)


def test_a_model_that_does_more_than_its_halves_is_computed_whole(folder: Path) -> None:
    import mlx.core as mx

    model = load_mlx(folder).model

    class Capped(type(model)):  # type: ignore[misc]
        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return mx.tanh(super().__call__(*args, **kwargs))

    plain = AnswerReader(model, ROWS).last_logits(0, 3)
    model.__class__ = Capped
    capped = AnswerReader(model, ROWS).last_logits(0, 3)
    assert np.abs(capped - np.tanh(plain)).max() < 1e-5


@pytest.mark.parametrize("stored", ["four-bit", "bfloat16"])
def test_on_a_gpu_the_base_is_dense_and_float32_as_well(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: str
) -> None:
    """The way a GPU goes, gone on a CPU."""
    import mlx.core as mx

    form = tmp_path / "form"
    if stored == "four-bit":
        from_dense(folder, form, "the tiny model")
    else:
        write_tiny_olmo(form)
        weights: Any = mx.load(str(folder / "model.safetensors"))
        halved = {name: value.astype(mx.bfloat16) for name, value in weights.items()}
        mx.save_safetensors(str(form / "model.safetensors"), halved, {"format": "pt"})
    on_cpu = open_it(form).losses(range(8), 4)
    monkeypatch.setattr("secai_lib.gateways.llm.mlx_engine.mlx_has_gpu", lambda: True)
    monkeypatch.setattr(mlx_trainer, "mlx_has_gpu", lambda: True)
    engine = open_it(form)
    assert engine.identity.endswith("float32 gpu")
    linear = next(iter(engine._modules.values())).linear
    assert linear.weight.dtype == mx.float32, "as PEFT loads it"
    assert engine.losses(range(8), 4) == on_cpu
    reports = [engine.step(BATCHES, RATE, seed=step) for step in range(8)]
    assert reports[-1].loss < reports[0].loss - 0.3
    assert {array.dtype for array in engine.state().values()} == {
        np.dtype(np.float32),
        np.dtype(np.uint64),
    }


@pytest.mark.parametrize("fast", [True, False])
def test_a_slow_blas_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch, fast: bool) -> None:
    said: list[str] = []
    monkeypatch.setattr(mlx_trainer, "has_fast_blas", lambda: fast)
    MlxTrainer(folder, ROWS, StageSettings(lora=LORA), said.append)
    assert said == ([] if fast else [mlx_trainer.SLOW])


def test_a_damaged_model_is_named_without_its_path(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        open_it(tmp_path / "nothing")
    assert str(tmp_path) not in str(caught.value)


GO_ON = """
import sys
from pathlib import Path
import numpy as np
from tests.gateways.trainer.test_mlx_trainer import BATCHES, RATE, open_it
engine = open_it(Path(sys.argv[1]), dropout=0.1)
engine.restore(dict(np.load(sys.argv[2])))
for step in (3, 4, 5):
    engine.step(BATCHES, RATE, step)
np.savez(sys.argv[3], **engine.state())
"""


@pytest.mark.slow
def test_a_fresh_process_goes_on_bit_by_bit(folder: Path, tmp_path: Path) -> None:
    engine = trained(folder, dropout=0.1)
    np.savez(tmp_path / "state.npz", **engine.state())
    paths = [str(folder), str(tmp_path / "state.npz"), str(tmp_path / "end.npz")]
    subprocess.run([sys.executable, "-c", GO_ON, *paths], check=True, cwd=ROOT)
    for step in (3, 4, 5):
        engine.step(BATCHES, RATE, step)
    assert same(engine.state(), dict(np.load(tmp_path / "end.npz")))
