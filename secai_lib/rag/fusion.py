"""Several rankings become one (reciprocal rank fusion, Cormack et al., SIGIR 2009)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ranks = Mapping[int, int]
"""Row of a document -> its rank in a lane, from 1; equally good documents share a rank."""


class Fused(NamedTuple):
    """A document with what all lanes together say of it."""

    row: int
    """Its row."""
    score: float
    """Sum of 1 / (constant + rank) over the lanes that know it."""
    lanes: dict[str, int]
    """Lane -> rank."""


def ranks_of(rows: NDArray[np.int64], scores: NDArray[np.float32], depth: int) -> Ranks:
    """The ranks up to `depth` of the documents `rows` by their `scores`, higher is better.

    Documents with the same score share the rank of the first of them, so that a lane never
    prefers one of two equals by chance; all that share a rank within `depth` are there.
    """
    order = np.lexsort((rows, -scores))
    sorted_scores = -scores[order]
    ranks = np.searchsorted(sorted_scores, sorted_scores, side="left") + 1
    kept = int(np.searchsorted(ranks, depth, side="right"))
    return {int(row): int(rank) for row, rank in zip(rows[order[:kept]], ranks[:kept], strict=True)}


def fuse(lanes: Mapping[str, Ranks], constant: int) -> list[Fused]:
    """All documents of `lanes`, best first; of equals the lower row comes first."""
    scores: dict[int, dict[str, int]] = {}
    for lane in sorted(lanes):
        for row, rank in lanes[lane].items():
            scores.setdefault(row, {})[lane] = rank
    fused = [
        Fused(row, sum(1 / (constant + rank) for rank in sorted(ranks.values())), ranks)
        for row, ranks in scores.items()
    ]
    return sorted(fused, key=lambda found: (-found.score, found.row))
