"""A knowledge base that is open: three lanes, one ranking, never the problem itself."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.knowledge import Document, DocumentKind, Embedder, Hit, Query
from secai_lib.rag.fusion import fuse, ranks_of
from secai_lib.rag.lanes import KeyLane, WordLane
from secai_lib.rag.text import plain

DEPTH = 50
"""Ranks of a lane that count; beyond, reciprocal ranks hardly differ."""
QUERY_TEXT = 4000
"""Characters of a query that are read."""


class VectorIndex(Protocol):
    """Nearest neighbours by inner product; a document is known by its row."""

    def search(
        self,
        vector: NDArray[np.float32],
        limit: int,
        allowed: "NDArray[np.bool_] | None" = None,
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Rows and scores of the `limit` nearest of the `allowed` rows (None: all)."""
        ...


class KnowledgeBase:
    """Implements `core.knowledge.Retriever`."""

    def __init__(
        self,
        version: str,
        documents: Sequence[Document],
        index: VectorIndex,
        embedder: Embedder,
        *,
        constant: int,
    ) -> None:
        """Search `documents`, of which `index` holds a vector each in the same order.

        `constant` is that of reciprocal rank fusion.
        """
        self.documents = tuple(documents)
        self._version = version
        self._index = index
        self._embedder = embedder
        self._constant = constant
        self._words = WordLane([document.text for document in documents])
        self._keys = KeyLane([document.keys for document in documents])
        self._groups: dict[str, list[int]] = {}
        self._seen: dict[tuple[str, str], set[str]] = {}
        for row, document in enumerate(documents):
            self._groups.setdefault(document.group, []).append(row)
            for fingerprint in document.metadata.get("fingerprints", "").split():
                self._seen.setdefault((document.repository, fingerprint), set()).add(document.group)

    @property
    def version(self) -> str:
        """Content hash of the version that answers."""
        return self._version

    def search(
        self, queries: Sequence[Query], limit: int, kind: DocumentKind | None = None
    ) -> list[list[Hit]]:
        """For each query at most `limit` documents of other groups (and of `kind`), best first.

        Raises:
            StorageError: the model's vectors do not fit those of the index.
        """
        if not queries or not self.documents or limit < 1:
            return [[] for _ in queries]
        texts = [plain(query.text, QUERY_TEXT) for query in queries]
        vectors = self._embedder.encode(texts)
        return [
            self._search(query, text, vector, limit, kind)
            for query, text, vector in zip(queries, texts, vectors, strict=True)
        ]

    def group(self, name: str) -> list[Document]:
        """The documents of one problem, sorted by id."""
        return [self.documents[row] for row in self._groups.get(name, ())]

    def _search(
        self,
        query: Query,
        text: str,
        vector: NDArray[np.float32],
        limit: int,
        kind: DocumentKind | None,
    ) -> list[Hit]:
        allowed = self._allowed(query.exclude, kind)
        rows = np.flatnonzero(allowed)
        depth = max(DEPTH, limit)
        lanes = {}
        if text:
            near, similarity = self._index.search(
                vector, depth, None if len(rows) == len(allowed) else allowed
            )
            lanes["vector"] = ranks_of(near, similarity, depth)
        for lane, scores in (
            ("bm25", self._words.scores(text)),
            ("exact", self._keys.scores(query.keys)),
        ):
            matching = rows[scores[rows] > 0]
            lanes[lane] = ranks_of(matching, scores[matching], depth)
        return [
            Hit(document=self.documents[found.row], score=found.score, lanes=found.lanes)
            for found in fuse(lanes, self._constant)[:limit]
        ]

    def _allowed(self, exclude: str, kind: DocumentKind | None) -> NDArray[np.bool_]:
        """Which documents may answer: of `kind`, and not of `exclude` or its twins.

        The same finding on another branch is a problem of its own with the same fingerprint;
        to answer with it would be to answer with the problem itself.
        """
        allowed = np.ones(len(self.documents), dtype=np.bool_)
        if kind is not None:
            allowed[[row for row, d in enumerate(self.documents) if d.kind is not kind]] = False
        for document in self.group(exclude):
            for fingerprint in document.metadata.get("fingerprints", "").split():
                for twin in self._seen[(document.repository, fingerprint)]:
                    allowed[self._groups[twin]] = False
        allowed[self._groups.get(exclude, [])] = False
        return allowed


def self_recall(knowledge: KnowledgeBase, sample: int) -> tuple[int, int]:
    """How many of at most `sample` documents their own text finds first, and how many were asked.

    A document with the same text in its place counts: nothing could tell the two apart.
    """
    everything = knowledge.documents
    step = -(-len(everything) // sample) if everything else 1
    asked = everything[::step]
    answers = knowledge.search([Query(text=d.text, keys=d.keys) for d in asked], 1)
    found = sum(
        bool(hits) and hits[0].document.text == document.text
        for document, hits in zip(asked, answers, strict=True)
    )
    return found, len(asked)
