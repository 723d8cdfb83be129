"""Our training on a CPU against a plain PEFT loop, on the same rows in the same run.

The plain loop: whole padded batches in the order given through the whole model, labels -100 on the
questions. Rows are random tokens with the lengths of the demo's data sets (332 tokens on average,
74 of them answer); the model is the one of `bench_generation`, the adapter the demo profile's.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.trainer.torch_trainer import TorchTrainer
from secai_lib.training.plan import Batch, epoch, padding_share
from tests.bench.bench_generation import model_folder
from tests.bench.table import Row

LORA = LoraSettings(layers=10)
ROWS, SIZE, WARM_UP = 8, 4, 1
RATE = 1e-4


def drawn_rows(count: int) -> list[EncodedRow]:
    """Rows with lengths as in the demo's data sets."""
    chance = random.Random(17)
    rows = []
    for number in range(count):
        length = int(chance.triangular(227, 488, 290))
        tokens = tuple(chance.randrange(100, 40_000) for _ in range(length))
        start = length - int(chance.triangular(30, 140, 60))
        rows.append(EncodedRow(id=str(number), tokens=tokens, answer_start=start, weight=1.0))
    return rows


class PlainLoop:
    """What the examples of PEFT do."""

    def __init__(self, folder: Path, rows: Sequence[EncodedRow], modules: Sequence[str]) -> None:
        """Give the model in `folder` a fresh adapter of the same shape as ours."""
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import AutoModelForCausalLM

        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        config = LoraConfig(
            r=LORA.rank, lora_alpha=int(LORA.scale * LORA.rank), target_modules=list(modules)
        )
        self._model: Any = get_peft_model(model, config).train()
        trained = [p for p in self._model.parameters() if p.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, lr=RATE)
        self._rows = rows

    def step(self, batch: Batch) -> None:
        """One step on one batch."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        rows = [self._rows[number] for number in batch]
        ids = [torch.tensor(row.tokens) for row in rows]
        labels = [i.clone() for i in ids]
        for row, own in zip(rows, labels, strict=True):
            own[: row.answer_start] = -100
        done = self._model(
            input_ids=pad_sequence(ids, batch_first=True),
            attention_mask=pad_sequence([torch.ones_like(i) for i in ids], batch_first=True),
            labels=pad_sequence(labels, batch_first=True, padding_value=-100),
        )
        self._optimizer.zero_grad()
        done.loss.backward()
        self._optimizer.step()


def seconds(work: Callable[[], object]) -> float:
    """How long `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run() -> Iterator[Row]:
    """Tokens a second in the first epoch and after it, and padding."""
    rows = drawn_rows(ROWS + WARM_UP)
    ours = TorchTrainer(model_folder(), rows, StageSettings(lora=LORA))
    plain = PlainLoop(model_folder(), rows, list(ours.weights()))
    lengths = [len(row.tokens) for row in rows[:ROWS]]
    warm = tuple(range(ROWS, ROWS + WARM_UP))
    plain.step(warm)
    ours.step([warm], RATE, 0)
    given: list[Batch] = [tuple(range(n, n + SIZE)) for n in range(0, ROWS, SIZE)]
    tokens = sum(lengths)
    for name, seed in (("first epoch", 1), ("later epochs", 2)):
        spent = [0.0, 0.0]
        planned = epoch(lengths, SIZE, random.Random(seed))
        for number, (theirs, own) in enumerate(zip(given, planned, strict=True)):
            # One after the other, batch by batch: whatever else the machine does hits both.
            spent[0] += seconds(partial(plain.step, theirs))
            spent[1] += seconds(partial(ours.step, [own], RATE, number))
        detail = f"{tokens / spent[1]:.0f} against {tokens / spent[0]:.0f} tokens/s"
        yield Row(f"training, {name}", spent[0] / spent[1], "plain PEFT loop", detail)
    many = [len(row.tokens) for row in drawn_rows(400)]
    as_given = padding_share([tuple(range(n, n + SIZE)) for n in range(0, 400, SIZE)], many)
    by_length = padding_share(epoch(many, SIZE, random.Random(1)), many)
    detail = f"{by_length:.1%} against {as_given:.1%} of the tokens"
    yield Row("padding, batches by length", as_given / by_length, "order as given", detail)
    ours.close()
