"""Encoded rows, settings and kept checkpoints for the tests of training."""

import random
from collections.abc import Mapping
from typing import Any

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.training import Rows

SETTINGS = StageSettings(
    engine="torch",
    iterations=18,
    batch_size=4,
    accumulation=2,
    learning_rate=0.05,
    validate_every=5,
    validation_rows=6,
    checkpoint_every=4,
    probe_rows=5,
    lora=LoraSettings(rank=2, scale=2.0, dropout=0.1, layers=0),
)


def make_rows(stage: int, train: int = 40, validation: int = 8) -> Rows:
    """Rows in which a token decides the next one, by a rule of the stage."""
    chance = random.Random(stage)

    def row(name: str) -> EncodedRow:
        tokens = [chance.randrange(24)]
        for _ in range(chance.randrange(8, 30)):
            tokens.append((tokens[-1] * 5 + stage * 7) % 24)
        weight = chance.choice([1.0, 1.25])
        return EncodedRow(
            id=name, tokens=tuple(tokens), answer_start=3, weight=weight,
            labels=2 if stage == 1 else 0, label_weight=SETTINGS.label_weight,
        )  # fmt: skip

    return Rows(
        train=tuple(row(f"{stage}-train-{n}") for n in range(train)),
        validation=tuple(row(f"{stage}-validation-{n}") for n in range(validation)),
    )


class MemoryCheckpoints:
    """`Checkpoints` in memory."""

    def __init__(self, kept: list[tuple[int, str, Mapping[str, Any]]] | None = None) -> None:
        self.kept = kept or []

    def save(self, step: int, facts: str, arrays: Mapping[str, Any]) -> None:
        self.kept.append((step, facts, {name: array.copy() for name, array in arrays.items()}))

    def load(self) -> tuple[str, Mapping[str, Any]] | None:
        return self.kept[-1][1:] if self.kept else None
