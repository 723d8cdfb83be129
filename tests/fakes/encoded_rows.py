"""Rows of random tokens that a tiny model can learn by heart."""

import numpy as np

from secai_lib.core.adapter import EncodedRow

WEIGHTS = (0.5, 1.0, 1.3, 2.0)


def encoded_rows(count: int, *, seed: int = 0, words: int = 400) -> list[EncodedRow]:
    """`count` rows of different lengths and weights; the answers follow a rule, the ends do not."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(count):
        prompt = random.integers(4, words, int(random.integers(3, 24)))
        answer = (prompt[:2].repeat(5) * 3 + 1) % (words - 4) + 4
        answer = answer[: int(random.integers(2, 11))]
        rows.append(
            EncodedRow(
                id=f"row-{number}",
                tokens=tuple(int(token) for token in (*prompt, *answer, 0)),
                answer_start=len(prompt),
                weight=WEIGHTS[number % len(WEIGHTS)],
                labels=number % 3,
                label_weight=2.5,
            )
        )
    return rows
