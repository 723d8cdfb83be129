"""A data set as the files that `datasets.load_dataset` reads."""

from collections.abc import Sequence
from typing import Literal

from secai_lib.core.training import TrainingExample


def dataset_files(rows: Sequence[TrainingExample], stage: Literal[1, 2]) -> dict[str, bytes]:
    """File name -> bytes: one JSON Lines file a split, all rows in one, and `dataset_info.json`."""
    raise NotImplementedError
