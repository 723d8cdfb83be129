"""Mean losses of fixed rows."""

import math
from collections.abc import Sequence

from secai_lib.core.adapter import TrainEngine


def mean_loss(engine: TrainEngine, rows: Sequence[int], batch_size: int) -> float:
    """Mean cross-entropy (nats) of the answer tokens of `rows`; NaN without rows."""
    sums = engine.losses(rows, batch_size) if rows else []
    weight = sum(loss.weight for loss in sums)
    return sum(loss.total for loss in sums) / weight if weight else math.nan
