"""Rows as token ids, drawn with a seed; lengths and weights differ."""

import random

from secai_lib.core.adapter import EncodedRow
from tests.fakes.tiny_olmo import WORDS


def encoded_rows(count: int, *, seed: int = 3) -> list[EncodedRow]:
    chance = random.Random(seed)
    made = []
    for number in range(count):
        length = chance.randint(9, 24)
        made.append(
            EncodedRow(
                id=f"{number:016x}",
                tokens=tuple(chance.randrange(4, WORDS) for _ in range(length)),
                answer_start=chance.randint(3, length - 3),
                weight=chance.choice((0.5, 1.0, 1.3)),
            )
        )
    return made
