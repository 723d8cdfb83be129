"""An embedder without a model: words are hashed into a vector, so like texts are near."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class HashingEmbedder:
    """Counts words in `dimension` buckets; `asked` holds every text it was given."""

    def __init__(self, dimension: int = 64, identity: str = "hashing") -> None:
        self.dimension = dimension
        self.identity = identity
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked += texts
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            for word in re.findall(r"\w+", text.lower()):
                digest = hashlib.sha256(word.encode()).digest()
                rows[row, int.from_bytes(digest[:4]) % self.dimension] += 1
            rows[row, 0] += 1e-3  # a text without a word has a direction too
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows
