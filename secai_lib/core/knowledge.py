"""What the knowledge base remembers, and what it answers."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from secai_lib.core.record import Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class DocumentKind(StrEnum):
    """What a document is."""

    FINDING = "finding"
    ANALYSIS = "analysis"
    CODE = "code"
    FIX = "fix"
    """A proven one."""


class Document(Record):
    """One thing that can be found again."""

    id: str
    """16 hex digits, the content hash of kind, group and text."""
    kind: DocumentKind
    """What it is."""
    group: str
    """The problem it belongs to: a search for a problem leaves its own group out."""
    repository: str
    """Where it is from."""
    title: str
    """One line."""
    text: str
    """What is embedded and searched."""
    keys: tuple[str, ...]
    """Exact keys, lower case and sorted: rule ids, advisories, CWEs, packages, paths."""
    metadata: Mapping[str, str]
    """Severity, category, tools, path, fix kind: what a person or a filter wants to see."""


class Hit(Record):
    """A document that was found."""

    document: Document
    """What."""
    score: float
    """Fused score, higher is nearer."""
    lanes: Mapping[str, int]
    """Lane (`vector`, `bm25`, `exact`) -> rank in it, from 1."""


class Query(Record):
    """What is looked for."""

    text: str
    """Compared by meaning and by words."""
    keys: tuple[str, ...] = ()
    """Exact keys, lower case, as in `Document.keys`."""
    exclude: str = ""
    """The group to leave out (the problem itself); empty for none."""


class Retriever(Protocol):
    """A knowledge base that is open."""

    @property
    def version(self) -> str:
        """Content hash of the version that answers."""
        ...

    def search(self, queries: Sequence[Query], limit: int) -> list[list[Hit]]:
        """For each query at most `limit` documents of other groups, best first."""
        ...


class Embedder(Protocol):
    """A model that turns texts into vectors."""

    @property
    def identity(self) -> str:
        """Model and version; vectors of different identities cannot be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row of length 1 (float32, shape `(len(texts), dimension)`) for each text."""
        ...
