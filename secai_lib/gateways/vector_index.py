"""Nearest neighbours with FAISS: exact (flat) while that is quick, a graph (HNSW) beyond."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from secai_lib.core.errors import StorageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINKS = 32
"""Links of a node of the graph (M)."""
BUILD_WIDTH = 100
"""Candidates looked at for each link (efConstruction)."""
SEARCH_WIDTH = 256
"""Candidates looked at for each query (efSearch)."""
_DAMAGED = "the vector index is damaged ({}); materialize knowledge_base again"


class FaissIndex:
    """Vectors of length 1, found by inner product; a vector is known by its row."""

    def __init__(self, index: Any) -> None:
        """Use a FAISS `index`; see `build` and `load`."""
        self._index = index

    @classmethod
    def build(cls, vectors: "NDArray[np.float32]", *, flat_up_to: int) -> "FaissIndex":
        """An index of `vectors` (shape `(count, dimension)`), the same for the same vectors."""
        faiss = _faiss()
        count, dimension = vectors.shape
        if count <= flat_up_to:
            index = faiss.IndexFlatIP(dimension)
        else:
            index = faiss.IndexHNSWFlat(dimension, LINKS, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = BUILD_WIDTH
            index.hnsw.efSearch = SEARCH_WIDTH
        with _one_thread():
            index.add(vectors)
        return cls(index)

    @classmethod
    def load(cls, data: bytes, *, dimension: int, count: int) -> "FaissIndex":
        """The index of `to_bytes`, which must hold `count` vectors of `dimension` numbers.

        Raises:
            StorageError: the bytes are damaged or hold something else.
        """
        import numpy as np

        faiss = _faiss()
        try:
            index = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        except (RuntimeError, MemoryError, ValueError, AssertionError) as error:
            raise StorageError(_DAMAGED.format("it cannot be read")) from error
        if not isinstance(index, faiss.IndexFlat | faiss.IndexHNSWFlat):
            raise StorageError(_DAMAGED.format("it is of another kind"))
        if (index.d, index.ntotal) != (dimension, count):
            raise StorageError(
                _DAMAGED.format(
                    f"{index.ntotal} vectors of {index.d} numbers instead of {count} of {dimension}"
                )
            )
        return cls(index)

    def to_bytes(self) -> bytes:
        """The index as FAISS writes it to a file."""
        return bytes(_faiss().serialize_index(self._index).tobytes())

    @property
    def kind(self) -> str:
        """`flat` (exact) or `hnsw` (a graph, approximate)."""
        return "hnsw" if hasattr(self._index, "hnsw") else "flat"

    @property
    def count(self) -> int:
        """Number of vectors."""
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return int(self._index.d)

    def search(
        self,
        vector: "NDArray[np.float32]",
        limit: int,
        allowed: "NDArray[np.bool_] | None" = None,
    ) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
        """Rows and scores of the `limit` nearest of the `allowed` rows (None: all), best first.

        There are fewer only when fewer are allowed.

        Raises:
            StorageError: `vector` has another length than those of the index.
        """
        import numpy as np

        if vector.shape != (self.dimension,):
            raise StorageError(_DAMAGED.format(f"it is asked for vectors of {vector.shape[-1]}"))
        wanted = min(limit, self.count if allowed is None else int(allowed.sum()))
        if not wanted:
            return np.empty(0, np.int64), np.empty(0, np.float32)
        rows, scores = self._ask(self._index, vector, wanted, allowed)
        if (rows < 0).any():  # a walk through the graph may end early: look at every vector
            rows, scores = self._ask(self._index.storage, vector, wanted, allowed)
        return rows, scores

    def _ask(
        self,
        index: Any,
        vector: "NDArray[np.float32]",
        limit: int,
        allowed: "NDArray[np.bool_] | None",
    ) -> "tuple[NDArray[np.int64], NDArray[np.float32]]":
        import numpy as np

        faiss = _faiss()
        options: dict[str, object] = {}
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")  # FAISS keeps a bare pointer to it
            options["sel"] = faiss.IDSelectorBitmap(bits)
        if hasattr(index, "hnsw"):
            width = max(SEARCH_WIDTH, 2 * limit)
            parameters = faiss.SearchParametersHNSW(efSearch=width, **options)
        else:
            parameters = faiss.SearchParameters(**options)
        scores, rows = index.search(vector.reshape(1, -1), limit, params=parameters)
        return rows[0], scores[0]


def _faiss() -> Any:
    if sys.platform == "darwin":
        # both bring an OpenMP, and the second one aborts the process unless torch was first
        import torch  # noqa: F401
    import faiss  # its own types are wrong in places

    return faiss


@contextmanager
def _one_thread() -> Iterator[None]:
    """A graph grows in the order of its threads, so it gets one.

    FAISS and torch share OpenMP: without putting the number back, torch would be left with one.
    """
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
