"""From raw rows to a data set: no duplicates, capped, split by group, ordered, augmented."""

from collections.abc import Callable, Mapping, Sequence

from secai_lib.core.generation import Chat
from secai_lib.core.record import Record
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import TrainingExample


class Finished(Record):
    """A data set, and what did not come into it."""

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
) -> Finished:
    """The data set made of `rows`; the same rows in any order give the same bytes."""
    raise NotImplementedError
