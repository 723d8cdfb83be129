"""Two of the three ways to find a document: by its words, and by exact keys."""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TOKEN = re.compile(r"[^\W_]+(?:[-_.:/@+]+[^\W_]+)*")
_PART = re.compile(r"[^\W_]+")
_TOKENS = 4000
"""Tokens of one text; a document holds some hundreds."""


class WordLane:
    """BM25 over English stems; numbers and identifiers (`cve-2021-44228`) stay whole as well."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Index `texts`; a text is known by its position."""
        self._count = len(texts)
        self._stem = _stemmer()
        tokens = [tokens_of(text, self._stem) for text in texts]
        self._index = _bm25(tokens) if any(tokens) else None

    def scores(self, text: str) -> NDArray[np.float32]:
        """How well each indexed text answers `text`, 0 for not at all; shape `(count,)`."""
        # each word once and in order: a repeated one is no better, and sums stay the same
        words = sorted(set(tokens_of(text, self._stem)))
        known = [w for w in words if self._index is not None and w in self._index.vocab_dict]
        if not known or self._index is None:
            return np.zeros(self._count, dtype=np.float32)
        return np.asarray(self._index.get_scores(known), dtype=np.float32)


class KeyLane:
    """Documents that share exact keys; a rare key says more than one that many share."""

    def __init__(self, keys: Sequence[Iterable[str]]) -> None:
        """Index the `keys` of each document; a document is known by its position."""
        self._count = len(keys)
        rows: dict[str, list[int]] = {}
        for row, mine in enumerate(keys):
            for key in sorted(set(mine)):
                rows.setdefault(key, []).append(row)
        self._rows: Mapping[str, list[int]] = rows

    def scores(self, keys: Iterable[str]) -> NDArray[np.float32]:
        """Sum of the shared keys' inverse document frequencies; shape `(count,)`."""
        found = np.zeros(self._count, dtype=np.float32)
        for key in sorted(set(keys) & self._rows.keys()):
            rows = self._rows[key]
            found[rows] += math.log(1 + self._count / len(rows))
        return found


def tokens_of(text: str, stem: Callable[[str], str]) -> list[str]:
    """The tokens of `text`, lower case: stems of words, numbers, and compounds whole too."""
    tokens: list[str] = []
    for match in _TOKEN.finditer(text.lower()):
        parts = _PART.findall(match[0])
        tokens += [stem(part) if part.isalpha() else part for part in parts if len(part) > 1]
        if len(parts) > 1:
            tokens.append(match[0])
        if len(tokens) >= _TOKENS:
            break
    return tokens[:_TOKENS]


def _stemmer() -> Callable[[str], str]:
    import Stemmer  # type: ignore[import-not-found]

    stem: Callable[[str], str] = Stemmer.Stemmer("english").stemWord
    return stem


def _bm25(tokens: list[list[str]]) -> Any:
    import bm25s  # type: ignore[import-untyped]

    index = bm25s.BM25(k1=1.5, b=0.75, method="lucene")
    index.index(tokens, show_progress=False)
    return index
