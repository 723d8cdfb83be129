"""Which rows each step reads: made of lengths, settings and seed alone, so the same in any engine.

Batches hold rows of about the same length, and every row is in one batch an epoch. Replayed rows
come as whole steps of Stage 1 between the stage's own: a batch of both would have to be padded
from the short rows of one to the long ones of the other. The steps are spread evenly, so that
no long run of own steps lets Stage 1 fade: at a share of a quarter every fourth step is one, and
AdamW's averages, which reach over some ten steps, see the mix. They come on top of the own steps.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import islice

from secai_lib.core.record import Record, content_hash
from secai_lib.core.settings import StageSettings

JITTER = 0.03
"""How far a length is varied before rows are sorted by it: neighbours change with the epoch."""
Batch = tuple[int, ...]
"""Numbers of rows."""


class Step(Record):
    """What one optimizer step reads."""

    batches: tuple[Batch, ...]
    """Batches whose gradients are accumulated."""
    replayed: bool = False
    """True when the rows are Stage 1's in a training of Stage 2."""

    @property
    def rows(self) -> list[int]:
        """All its row numbers, in order."""
        return [row for batch in self.batches for row in batch]


class Plan(Record):
    """The steps of a whole training."""

    steps: tuple[Step, ...]
    """In the order to do them."""

    @property
    def digest(self) -> str:
        """Hash over every step: equal digests train on the same rows in the same order."""
        return content_hash(self)


def make_plan(own: Sequence[int], replay: Sequence[int], settings: StageSettings) -> Plan:
    """The plan for rows of the lengths `own` (tokens), numbered from 0.

    `replay` are the lengths of Stage 1's rows, whose numbers go on behind the own ones; without
    any, or with a share of 0, nothing is replayed. The last epoch is cut where the steps end.
    """
    iterations = settings.iterations
    extra = replay_steps(settings) if replay else 0
    ours = _steps(_stream(own, 0, settings, "own"), settings, replayed=False)
    theirs = _steps(_stream(replay, len(own), settings, "replay"), settings, replayed=True)
    total = iterations + extra
    # Error diffusion: step k is a replay where the running share passes a whole number.
    turns = ((k + 1) * extra // total > k * extra // total for k in range(total))
    return Plan(steps=tuple(next(theirs if turn else ours) for turn in turns))


def replay_steps(settings: StageSettings) -> int:
    """Steps of Stage 1 beside the own ones, so that they are the share `replay` of all."""
    return round(settings.iterations * settings.replay / (1 - settings.replay))


def padding_share(batches: Sequence[Batch], lengths: Sequence[int]) -> float:
    """Share of the tokens of `batches`, each as wide as its longest row, that are padding."""
    wide = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)
    real = sum(lengths[row] for batch in batches for row in batch)
    return 1 - real / wide if wide else 0.0


def epoch(lengths: Sequence[int], size: int, chance: random.Random) -> list[Batch]:
    """Batches of at most `size` that hold every row once, alike in length, in random order.

    Where the rows do not divide evenly, one batch, at a random place by length, is smaller.
    """
    keys = {row: length * (1 + JITTER * chance.random()) for row, length in enumerate(lengths)}
    order = sorted(keys, key=lambda row: (keys[row], row))
    sizes = [size] * (len(order) // size)
    if rest := len(order) % size:
        sizes.insert(chance.randint(0, len(sizes)), rest)
    rows = iter(order)
    batches = [tuple(islice(rows, width)) for width in sizes]
    chance.shuffle(batches)
    return batches


def _stream(
    lengths: Sequence[int], first: int, settings: StageSettings, name: str
) -> Iterator[Batch]:
    """Batches of one epoch after the other, without end; rows are numbered from `first`."""
    number = 0
    while lengths:
        chance = random.Random(f"{settings.seed} {name} {number}")  # noqa: S311 - no secret
        for batch in epoch(lengths, settings.batch_size, chance):
            yield tuple(first + row for row in batch)
        number += 1


def _steps(batches: Iterator[Batch], settings: StageSettings, *, replayed: bool) -> Iterator[Step]:
    while taken := tuple(islice(batches, settings.accumulation)):
        yield Step(batches=taken, replayed=replayed)
