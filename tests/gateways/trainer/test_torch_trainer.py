"""The PyTorch engine computes what a plain PEFT loop computes, and goes on where it stopped."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from secai_lib.core.adapter import EncodedRow, LowRank, StepReport
from secai_lib.core.errors import ModelError, TrainingError
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from tests.fakes.encoded_rows import encoded_rows
from tests.gateways.trainer.conftest import MakeTrainer

ROWS = encoded_rows(8)
STEPS = [[[0, 1, 2], [3]], [[4, 5]], [[6, 7, 0], [1, 2]], [[3, 3]]]
RATE = 1e-2
FRESH = """
import sys
from pathlib import Path
import torch
from safetensors.numpy import load_file, save_file
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from tests.fakes.encoded_rows import encoded_rows

torch.set_num_threads(1)
lora = LoraSettings(rank=4, scale=3.0, layers=1, dropout=0.3)
engine = TorchTrainer(Path(sys.argv[1]), encoded_rows(8), StageSettings(lora=lora))
engine.restore(load_file(sys.argv[2]))
engine.step([[6, 7, 0], [1, 2]], 1e-2, seed=2)
engine.step([[3, 3]], 1e-2, seed=3)
save_file(engine.state(), sys.argv[3])
"""


def run(engine: TorchTrainer, steps: Any = STEPS, first: int = 0) -> list[StepReport]:
    return [engine.step(batches, RATE, first + n) for n, batches in enumerate(steps)]


def difference(one: dict[str, LowRank], other: dict[str, LowRank]) -> float:
    assert one.keys() == other.keys()
    return max(
        float(np.abs(x - y).max()) for n in one for x, y in zip(one[n], other[n], strict=True)
    )


class PlainPeft:
    """Whole rows through the whole model, labels -100 on the question: what a textbook does."""

    def __init__(self, folder: Path, weights: dict[str, LowRank], lora: LoraSettings) -> None:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        base: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        config = LoraConfig(
            r=lora.rank,
            lora_alpha=int(lora.scale * lora.rank),
            target_modules=list(weights),
        )
        self.model: Any = get_peft_model(base, config).eval()
        self.halves: dict[str, tuple[Any, Any]] = {}
        for name, module in base.named_modules():
            if name in weights:
                self.halves[name] = module.lora_A.default.weight, module.lora_B.default.weight
                with torch.no_grad():
                    for half, values in zip(self.halves[name], weights[name], strict=True):
                        half.copy_(torch.from_numpy(values))
        flat = [half for pair in self.halves.values() for half in pair]
        self.optimizer = torch.optim.AdamW(flat, lr=RATE, weight_decay=0.01)
        self.flat = flat

    def step(self, batches: list[list[int]]) -> StepReport:
        import torch
        from torch.nn.functional import cross_entropy

        numbers = [n for batch in batches for n in batch]
        total: Any = 0.0
        for number in numbers:
            row = ROWS[number]
            labels = [-100] * row.answer_start + list(row.tokens[row.answer_start :])
            logits = self.model(input_ids=torch.tensor([row.tokens])).logits[0]
            each = cross_entropy(logits[:-1], torch.tensor(labels[1:]), reduction="none")
            said = slice(row.answer_start - 1, row.answer_start - 1 + row.labels)
            total = total + row.weight * (each.sum() + (row.label_weight - 1) * each[said].sum())
        loss = total / sum(sum(ROWS[n].target_weights) for n in numbers)
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.flat, 1.0)
        self.optimizer.step()
        return StepReport(loss.item(), norm.item())

    def weights(self) -> dict[str, LowRank]:
        return {
            name: LowRank(*(half.detach().numpy().copy() for half in pair))
            for name, pair in self.halves.items()
        }


@pytest.mark.parametrize("layers", [1, 0])
@pytest.mark.parametrize("targets", ["attention", "linear"])
def test_losses_gradients_and_weights_are_those_of_plain_peft(
    tiny_olmo: Path, trainer: MakeTrainer, layers: int, targets: str
) -> None:
    engine = trainer(layers=layers, targets=targets)
    lora = LoraSettings(rank=4, scale=3.0, layers=layers)
    plain = PlainPeft(tiny_olmo, engine.weights(), lora)
    assert engine._network.is_split
    reports = run(engine)
    for ours, theirs in zip(reports, map(plain.step, STEPS), strict=True):
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
        assert ours.gradient_norm == pytest.approx(theirs.gradient_norm, rel=1e-4)
    assert max(report.gradient_norm for report in reports) > 1, "nothing was clipped"
    assert difference(engine.weights(), plain.weights()) < 1e-5
    assert sum(bool(pair.b.any()) for pair in engine.weights().values()) == len(plain.halves)


def test_training_lowers_the_loss_that_is_reported(trainer: MakeTrainer) -> None:
    engine = trainer()
    everything = list(range(len(ROWS)))
    sums = engine.losses(everything, 3)
    mean = sum(s.total for s in sums) / sum(s.weight for s in sums)
    first = engine.step([everything], RATE, seed=0)
    assert first.loss == pytest.approx(mean, rel=1e-5)
    for seed in range(12):
        engine.step([everything], RATE, seed)
    after = engine.losses(everything, 3)
    assert sum(s.total for s in after) < 0.8 * sum(s.total for s in sums)


def test_losses_are_in_the_order_asked_for_and_know_no_neighbours(trainer: MakeTrainer) -> None:
    engine = trainer(dropout=0.5)
    together = engine.losses([5, 0, 7, 0], 4)
    alone = [engine.losses([number], 1)[0] for number in (5, 0, 7, 0)]
    assert [s.total for s in together] == pytest.approx([s.total for s in alone], rel=1e-5)
    assert together[1] == together[3]
    assert [s.weight for s in together] == [sum(ROWS[n].target_weights) for n in (5, 0, 7, 0)]


def test_logits_are_those_behind_the_last_positions(tiny_olmo: Path, trainer: MakeTrainer) -> None:
    engine = trainer()
    run(engine)
    plain = PlainPeft(tiny_olmo, engine.weights(), LoraSettings(rank=4, scale=3.0, layers=1))
    import torch

    made = engine.logits([1, 4], 3)
    assert made.shape == (2, 3, 512)
    assert made.dtype == np.float32
    for row, found in zip((1, 4), made, strict=True):
        whole = plain.model(input_ids=torch.tensor([ROWS[row].tokens])).logits[0].detach().numpy()
        assert np.abs(whole[-3:] - found).max() < 1e-4
    with pytest.raises(TrainingError, match=ROWS[0].id):
        engine.logits([0], len(ROWS[0].tokens) + 1)


def test_dropout_is_the_seeds_and_only_in_steps(trainer: MakeTrainer) -> None:
    engines = [trainer(dropout=0.5) for _ in range(3)]
    trained = [run(engines[0]), run(engines[1]), run(engines[2], first=100)]
    assert trained[0] == trained[1]
    assert difference(engines[0].weights(), engines[1].weights()) == 0
    assert difference(engines[0].weights(), engines[2].weights()) > 0
    assert engines[0].losses([0], 1) == engines[0].losses([0], 1)


def test_a_kept_row_is_the_same_as_one_computed_again(
    trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = trainer()
    monkeypatch.setattr("secai_lib.gateways.trainer.torch_trainer.available_memory", lambda: 0)
    again = trainer()
    assert run(kept) == run(again)
    assert kept._network._kept and not again._network._kept
    assert difference(kept.weights(), again.weights()) == 0


def test_a_model_that_cannot_be_split_stays_whole_and_says_so(
    tiny_olmo: Path, trainer: MakeTrainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    split = trainer()
    said: list[str] = []
    monkeypatch.setattr("secai_lib.gateways.trainer.torch_network.TOLERANCE", -1.0)
    settings = StageSettings(lora=LoraSettings(rank=4, scale=3.0, layers=1))
    whole = TorchTrainer(tiny_olmo, ROWS, settings, said.append)
    assert not whole._network.is_split
    assert len(said) == 1
    for ours, theirs in zip(run(whole), run(split), strict=True):
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
    assert difference(whole.weights(), split.weights()) < 1e-5
    whole.close()


@pytest.mark.slow  # importing PyTorch again takes seconds
def test_a_fresh_process_goes_on_bit_by_bit(
    tiny_olmo: Path, trainer: MakeTrainer, tmp_path: Path
) -> None:
    engine = trainer(dropout=0.3)
    run(engine, STEPS[:2])
    save_file(engine.state(), tmp_path / "before")
    run(engine, STEPS[2:], first=2)
    files = [tmp_path / "before", tmp_path / "after"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FRESH, str(tiny_olmo), *map(str, files)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    save_file(engine.state(), tmp_path / "expected")
    assert (tmp_path / "after").read_bytes() == (tmp_path / "expected").read_bytes()


def test_a_restored_engine_goes_on_bit_by_bit(trainer: MakeTrainer) -> None:
    engine, other = trainer(dropout=0.3), trainer(dropout=0.3)
    run(engine, STEPS[:2])
    run(other, STEPS[3:])
    other.restore(engine.state())
    for one in (engine, other):
        run(one, STEPS[2:], first=2)
    after = other.state()
    assert after["steps"][0] == len(STEPS)
    assert all(np.array_equal(array, after[name]) for name, array in engine.state().items())


def test_what_is_loaded_is_what_is_there_and_the_optimizer_forgets(trainer: MakeTrainer) -> None:
    engine, other = trainer(), trainer()
    run(engine)
    other.load(engine.weights())
    assert difference(engine.weights(), other.weights()) == 0
    assert other.state()["steps"][0] == 0
    engine.load(other.weights())
    assert run(engine) == run(other), "moments were kept"


@pytest.mark.parametrize("kind", ["renamed", "rank", "no number"])
def test_an_adapter_that_does_not_fit_changes_nothing(trainer: MakeTrainer, kind: str) -> None:
    engine = trainer()
    before = engine.weights()
    weights = {name: LowRank(a + 1, b + 1) for name, (a, b) in before.items()}
    last = max(weights)
    a, b = weights.pop(last)
    weights[f"{last}x" if kind == "renamed" else last] = {
        "renamed": LowRank(a, b),
        "rank": LowRank(a[:2], b[:, :2]),
        "no number": LowRank(a * np.nan, b),
    }[kind]
    with pytest.raises(TrainingError):
        engine.load(weights)
    assert difference(engine.weights(), before) == 0


@pytest.mark.parametrize("kind", ["missing", "shape", "type", "no number"])
def test_a_checkpoint_of_another_training_is_refused(trainer: MakeTrainer, kind: str) -> None:
    engine = trainer()
    run(engine, STEPS[:1])
    before, state = engine.weights(), engine.state()
    name = next(name for name in state if name.endswith("exp_avg"))
    if kind == "missing":
        del state[name]
    else:
        state[name] = {
            "shape": state[name][:1],
            "type": state[name].astype(np.float64),
            "no number": state[name] * np.nan,
        }[kind]
    with pytest.raises(TrainingError):
        engine.restore(state)
    assert difference(engine.weights(), before) == 0


def test_a_batch_without_a_number_stops_before_the_weights_change(trainer: MakeTrainer) -> None:
    engine = trainer()
    run(engine, STEPS[:1])
    before, module = engine.state(), next(iter(engine._lora.values()))
    whole = module.base_layer.weight.data.clone()
    module.base_layer.weight.data[0, 0] = math.nan
    with pytest.raises(TrainingError, match=ROWS[1].id):
        engine.step([[0], [1]], RATE, seed=0)
    module.base_layer.weight.data.copy_(whole)
    assert all(np.array_equal(array, before[name]) for name, array in engine.state().items())
    assert all(half.grad is None for half in engine._parameters())
    engine.step([[0], [1]], RATE, seed=0)


def test_a_row_without_an_answer_is_refused_at_opening(trainer: MakeTrainer) -> None:
    masked = ROWS[3].model_copy(update={"answer_start": len(ROWS[3].tokens)})
    with pytest.raises(TrainingError, match=ROWS[3].id):
        trainer([*ROWS[:3], masked])
    with pytest.raises(TrainingError, match="does not know"):
        trainer([EncodedRow(id="row", tokens=(1, 2, 512), answer_start=1, weight=1.0)])


def test_settings_in_use_are_those_of_the_live_objects(trainer: MakeTrainer) -> None:
    engine = trainer(rank=2, scale=0.3, dropout=0.25, layers=2, targets="attention")
    engine.step([[0]], 0.004, seed=1)
    assert engine.settings_in_use() == {
        "rank": 2,
        "scale": pytest.approx(0.3),
        "dropout": 0.25,
        "layers": 2,
        "modules": 8,
        "trained_weights": sum(a.size + b.size for a, b in engine.weights().values()),
        "optimizer": "AdamW",
        "learning_rate": 0.004,
        "weight_decay": 0.01,
        "clip_norm": 1.0,
        "base_frozen": 1,
    }


def test_a_setting_that_does_not_arrive_is_seen(trainer: MakeTrainer) -> None:
    engine = trainer()
    for module in engine._lora.values():
        module.scaling["default"] = 1.0
    next(iter(engine._lora.values())).base_layer.weight.requires_grad_(True)
    engine._optimizer.param_groups[0]["weight_decay"] = 0.0
    seen = engine.settings_in_use()
    assert (seen["scale"], seen["base_frozen"], seen["weight_decay"]) == (1.0, 0, 0.0)
    next(iter(engine._lora.values())).scaling["default"] = 2.0
    with pytest.raises(TrainingError, match="differ"):
        engine.settings_in_use()


def test_a_damaged_model_is_named_without_its_place(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        TorchTrainer(tmp_path / "nowhere", ROWS, StageSettings())
    assert str(tmp_path) not in str(caught.value)


def test_the_base_model_is_as_before(tiny_olmo: Path, trainer: MakeTrainer) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    engine = trainer(layers=0)
    run(engine)
    base: Any = AutoModelForCausalLM.from_pretrained(tiny_olmo, dtype=torch.float32)
    expected = base.state_dict()
    for name, module in engine._lora.items():
        assert torch.equal(module.base_layer.weight, expected[f"{name}.weight"])
    head = engine._peft.get_output_embeddings()
    assert torch.equal(head.weight, expected["lm_head.weight"])
