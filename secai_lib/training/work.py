"""All rows of one training in one list, as an engine gets them, and which are for what."""

from collections.abc import Sequence
from typing import Literal

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.errors import TrainingError
from secai_lib.core.record import Record, content_hash
from secai_lib.core.settings import StageSettings
from secai_lib.training.plan import Plan, make_plan


class Rows(Record):
    """Encoded rows of one data set that fit into `max_tokens`."""

    train: tuple[EncodedRow, ...] = ()
    """To train on."""
    validation: tuple[EncodedRow, ...] = ()
    """To look at."""
    left_out: int = 0
    """Longer ones."""


class Work(Record):
    """What is to be done; numbers are places in `rows`."""

    stage: Literal[1, 2]
    """Which stage."""
    base: str
    """Identity of the base model."""
    settings: StageSettings
    """How."""
    rows: tuple[EncodedRow, ...]
    """Own training rows, replayed ones, then those that are only looked at."""
    own: int
    """How many of them are own training rows."""
    replay: int
    """How many, behind those, may be replayed."""
    validation: tuple[int, ...]
    """Own rows of the validation part."""
    replay_validation: tuple[int, ...]
    """Stage 1's rows of its validation part."""
    probe: tuple[int, ...]
    """Own training rows whose loss is compared before and after."""
    parent_probe: tuple[int, ...]
    """Stage 1's probe rows."""
    left_out: int
    """Rows that were too long."""
    plan: Plan
    """The steps."""

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each of `rows`."""
        return tuple(len(row.tokens) for row in self.rows)


def make_work(
    stage: Literal[1, 2],
    base: str,
    settings: StageSettings,
    own: Rows,
    replay: Rows | None = None,
    parent_probe: Sequence[EncodedRow] = (),
) -> Work:
    """The work of one stage: rows in one list, fixed rows chosen, steps planned.

    `replay` are Stage 1's rows; a share `settings.replay` of 0 leaves them out.

    Raises:
        TrainingError: there is no row to train on, or a row without an answer, or there is none
            to replay where a share is asked for: without it Stage 1 would be forgotten.
    """
    if not own.train:
        raise TrainingError(
            f"no row of Stage {stage} can be trained on: {own.left_out} are longer than "
            f"stage{stage}.max_tokens ({settings.max_tokens}); raise it, or add scans"
        )
    theirs = replay if replay and settings.replay else Rows()
    if stage == 2 and settings.replay and not theirs.train:
        raise TrainingError(
            f"no row of Stage 1 can be replayed: {theirs.left_out} are longer than "
            f"stage2.max_tokens ({settings.max_tokens}); raise it, or set stage2.replay to 0"
        )
    looked = _some(own.validation, settings.validation_rows, settings)
    replayed = _some(theirs.validation, settings.validation_rows, settings)
    parts = (own.train, theirs.train, looked, replayed, parent_probe)
    rows = tuple(row for part in parts for row in part)
    for row in rows:
        if row.targets < 1:
            raise TrainingError(
                f"row {row.id} has no token of an answer to learn from: raise "
                f"stage{stage}.max_tokens above {settings.max_tokens}, or leave the row out"
            )
    ends = [0]
    for part in parts:
        ends.append(ends[-1] + len(part))
    place = {row.id: number for number, row in enumerate(own.train)}
    lengths = [len(row.tokens) for row in rows]
    return Work(
        stage=stage,
        base=base,
        settings=settings,
        rows=rows,
        own=ends[1],
        replay=len(theirs.train),
        validation=tuple(range(ends[2], ends[3])),
        replay_validation=tuple(range(ends[3], ends[4])),
        probe=tuple(place[row.id] for row in _some(own.train, settings.probe_rows, settings)),
        parent_probe=tuple(range(ends[4], ends[5])),
        left_out=own.left_out + theirs.left_out,
        plan=make_plan(lengths[: ends[1]], lengths[ends[1] : ends[2]], settings),
    )


def _some(rows: Sequence[EncodedRow], most: int, settings: StageSettings) -> tuple[EncodedRow, ...]:
    """`most` of `rows`, the same ones whatever their order: those with the smallest hash."""
    return tuple(sorted(rows, key=lambda row: content_hash(settings.seed, row.id))[:most])
