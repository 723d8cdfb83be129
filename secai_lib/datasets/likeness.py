"""Which rows say nearly the same."""

from collections.abc import Iterable, Sequence

from secai_lib.core.shingles import compared, jaccard, shingles
from secai_lib.core.training import Split, TrainingExample

BANDS, ROWS = 42, 3
"""MinHash bands: two rows that share 0.7 of their shingles are missed once in 10^7."""


class Union:
    """Things that belong together, joined pair by pair (union-find)."""

    def __init__(self, size: int) -> None:
        """Begin with `size` things, each alone."""
        self._parent = list(range(size))

    def root(self, at: int) -> int:
        """The smallest number of everything that `at` belongs to."""
        while self._parent[at] != at:
            self._parent[at] = at = self._parent[self._parent[at]]
        return at

    def join(self, one: int, other: int) -> None:
        """Let both belong together from now on."""
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low


def shingles_of(row: TrainingExample) -> frozenset[str]:
    """What a row is compared by."""
    return shingles(compared(row))


def clusters(rows: Sequence[TrainingExample], threshold: float) -> list[int]:
    """For each row the number of its cluster: chains of rows at least `threshold` alike.

    Candidates come from MinHash, each is verified by the exact Jaccard similarity.
    """
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-untyped]

    index = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS))
    sets = [shingles_of(row) for row in rows]
    union = Union(len(rows))
    for at, own in enumerate(sets):
        signature = MinHash(num_perm=BANDS * ROWS, seed=1)
        signature.update_batch([shingle.encode() for shingle in sorted(own)])
        for other in index.query(signature):
            if union.root(at) != union.root(other) and jaccard(own, sets[other]) >= threshold:
                union.join(at, other)
        index.insert(at, signature)
    return [union.root(at) for at in range(len(rows))]


def components(links: Iterable[Sequence[str]]) -> dict[str, str]:
    """Name -> the name that stands for its component; each of `links` holds names in one."""
    chains = [list(chain) for chain in links]
    names = sorted({name for chain in chains for name in chain})
    number = {name: at for at, name in enumerate(names)}
    union = Union(len(names))
    for chain in chains:
        for name in chain[1:]:
            union.join(number[chain[0]], number[name])
    return {name: names[union.root(at)] for name, at in number.items()}


def highest_across_splits(rows: Sequence[TrainingExample]) -> float:
    """The highest similarity of two rows in different splits; 0 when there is one split."""
    by_split = {split: [shingles_of(row) for row in rows if row.split is split] for split in Split}
    pairs = ((Split.TEST, Split.TRAIN), (Split.VALIDATION, Split.TRAIN),
             (Split.TEST, Split.VALIDATION))  # fmt: skip
    return max(
        (jaccard(own, other) for a, b in pairs for own in by_split[a] for other in by_split[b]),
        default=0.0,
    )
