"""From raw rows to a data set: no duplicates, capped, split by group, ordered, augmented."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from secai_lib.core.adapter import Stage
from secai_lib.core.generation import Chat
from secai_lib.core.record import Record
from secai_lib.core.secret_shapes import secret_in
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import ANSWER_PREFIX, Split, TrainingExample
from secai_lib.datasets.likeness import highest_across_splits
from secai_lib.datasets.rows import labels_only, reworded
from secai_lib.datasets.splits import split_rows
from secai_lib.datasets.thinning import (
    Rows,
    capped,
    in_turn,
    linked,
    shuffled,
    without_near_repeats,
    without_repeats,
)
from secai_lib.datasets.wording import TASKS

STAGES: tuple[Stage, ...] = (1, 2)
_CONTROL = re.compile(r"<\|[\w ./-]{1,40}\|>|\[/?INST\]|</?s>")
"""Marks of chat templates: a scanned text that holds one must not be trained on."""


class Finished(Record):
    """The data set of one stage, and what did not come into it."""

    rows: tuple[TrainingExample, ...]
    """Every row, training part first, in the order to train in."""
    left_out: Mapping[str, int]
    """Reason -> rows: `duplicate`, `near_duplicate`, `cap`, `too_long`, `secret`, ..."""
    tokens: Mapping[str, int]
    """Row id -> tokens of the rendered chat."""
    max_similarity: float
    """Highest Jaccard similarity of two rows in different splits."""


def finish(
    rows: Sequence[TrainingExample],
    settings: DatasetSettings,
    count_tokens: Callable[[Chat], int],
) -> dict[Stage, Finished]:
    """The data sets of both stages, made of their `rows` together.

    They are split together, so that what one stage is tested on, the other has not seen. The same
    rows in any order give the same bytes.
    """
    left_out: dict[Stage, dict[str, int]] = {stage: {} for stage in STAGES}

    def keep(made: Rows, reason: str, before: Sequence[TrainingExample]) -> Rows:
        kept, had = (Counter(row.stage for row in own) for own in (made, before))
        for stage in STAGES:
            left_out[stage][reason] = had[stage] - kept[stage]
        return made

    kept = keep(without_repeats(rows), "duplicate", rows)
    kept = keep([r for r in kept if not _has_secret(r)], "secret", kept)
    kept = keep([r for r in kept if not _has_control(r)], "control_token", kept)
    kept = keep([r for r in kept if not _category_stated(r)], "category_stated", kept)
    tokens = {row.id: count_tokens(row.messages) for row in kept}
    kept = keep([r for r in kept if tokens[r.id] <= settings.max_tokens], "too_long", kept)
    kept = linked(kept)
    kept = keep(without_near_repeats(kept, settings), "near_duplicate", kept)
    kept = keep(capped(kept, settings), "cap", kept)
    kept = keep(split_rows(kept, settings), "held_out", kept)
    return {
        stage: _finished([r for r in kept if r.stage == stage], left_out[stage], settings,
                         count_tokens)
        for stage in STAGES
    }  # fmt: skip


def _finished(
    rows: Rows,
    left_out: Mapping[str, int],
    settings: DatasetSettings,
    count_tokens: Callable[[Chat], int],
) -> Finished:
    made = _augmented(rows, settings)
    tokens = {row.id: count_tokens(row.messages) for row in made}
    made = [row for row in made if tokens[row.id] <= settings.max_tokens]
    return Finished(
        rows=tuple(row for split in Split for row in made if row.split is split),
        left_out=left_out,
        tokens={row.id: tokens[row.id] for row in made},
        max_similarity=highest_across_splits(made),
    )


def _augmented(rows: Rows, settings: DatasetSettings) -> Rows:
    """`rows` by seed, and `augmentation` times as many training rows, the rarest kinds first.

    Of Stage 1 some stand there once more with the labels alone as their answer: they are a fifth
    of an answer's tokens, and would be learnt last.
    """
    ordered = shuffled(rows, settings.seed)
    train = [row for row in ordered if row.split is Split.TRAIN]
    wanted = round((settings.augmentation - 1) * len(train))
    turns = in_turn(train, lambda row: row.metadata.vulnerability_type)
    copies = [
        reworded(row, 1 + (at // len(turns) + int(row.id, 16)) % (len(TASKS[row.stage]) - 1))
        for at, row in zip(range(wanted), turns * 2, strict=False)
    ]
    copies += [labels_only(row) for row in turns[: settings.label_rows] if row.stage == 1]
    return shuffled([*ordered, *copies], settings.seed)


def _has_secret(row: TrainingExample) -> bool:
    return bool(secret_in(row.instruction) or secret_in(row.response))


def _has_control(row: TrainingExample) -> bool:
    return bool(_CONTROL.search(row.instruction) or _CONTROL.search(row.response))


def _category_stated(row: TrainingExample) -> bool:
    """Whether a prompt states the category (`kind: Container` in its code is enough).

    Its answer would begin with another label, or have none, and every answer is made to begin with
    the category.
    """
    labels = row.response.startswith("{")
    return row.stage == 1 and labels and not row.response.startswith(ANSWER_PREFIX[1])
