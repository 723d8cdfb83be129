"""Texts become vectors: a sentence-transformers model of this machine, and a memory of vectors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from secai_lib.core.errors import StorageError
from secai_lib.core.knowledge import Embedder
from secai_lib.core.record import sha256_hex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORM = "st1"
"""How vectors are made (one text at a time, float32, length 1); a change of it changes them all."""
SAY_EVERY = 100
"""Texts between two lines of progress."""


class SentenceEmbedder:
    """A sentence-transformers model in a folder, on the CPU, loaded when it is first used."""

    def __init__(
        self,
        folder: Path,
        identity: str,
        *,
        threads: int = 0,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Use the model in `folder`, which is known as `identity`; 0 `threads` are all cores.

        `say` is told how far it got.
        """
        self._folder = folder
        self._identity = f"{identity}/{FORM}"
        self._threads = threads
        self._say = say

    @property
    def identity(self) -> str:
        """Model and form of its vectors."""
        return self._identity

    @property
    def dimension(self) -> int:
        """Length of a vector.

        Raises:
            StorageError: the model cannot be loaded.
        """
        return int(self._model.get_embedding_dimension())

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row of length 1 for each of `texts`, whose beginnings (256 word pieces) are read.

        A text always gets the same vector, bit for bit: each is encoded alone and by one thread,
        because the sums depend on what else is in a batch. It costs nothing on a CPU: a batch of
        8 is 4 % quicker than one by one (measured), and the cores work on different texts.

        Raises:
            StorageError: the model cannot be loaded.
        """
        import numpy as np

        made = np.empty((len(texts), self.dimension), dtype=np.float32)
        # tokenizers are not safe among threads, the model is
        features = [self._model.preprocess([text]) for text in texts]
        with _threads_of_one(self._threads) as pool:
            for row, vector in enumerate(pool.map(self._vector, features)):
                made[row] = vector
                if (row + 1) % SAY_EVERY == 0:
                    self._say(f"{row + 1} of {len(texts)} texts embedded")
        return made

    def _vector(self, features: Any) -> "NDArray[np.float32]":
        import torch

        with torch.inference_mode():
            vector = self._model(features)["sentence_embedding"][0]
            unit: NDArray[np.float32] = torch.nn.functional.normalize(vector, dim=0).numpy()
        return unit

    @cached_property
    def _model(self) -> Any:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar

        # 90 MB are there at once, and the terminal is the user's
        disable_progress_bar()  # type: ignore[no-untyped-call]
        try:
            folder = str(self._folder)
            return SentenceTransformer(
                folder, device="cpu", local_files_only=True, trust_remote_code=False
            ).eval()
        except Exception as error:
            # transformers raises a dozen kinds for missing, damaged and unknown files
            raise StorageError(
                "the embedding model cannot be loaded; materialize embedding_model again"
            ) from error


class RememberingEmbedder:
    """An embedder that never makes the vector of the same text twice."""

    def __init__(
        self, embedder: Embedder, known: "Mapping[str, NDArray[np.float32]] | None" = None
    ) -> None:
        """Ask `embedder` for what is not in `known` (hash of the text -> its vector)."""
        self._embedder = embedder
        self._known = dict(known or {})
        self.made = 0
        """Texts that had to be embedded."""

    @property
    def identity(self) -> str:
        """That of the embedder behind."""
        return self._embedder.identity

    @property
    def dimension(self) -> int:
        """That of the embedder behind."""
        return self._embedder.dimension

    def encode(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """One row for each of `texts`; those that are new are embedded, the longest last."""
        import numpy as np

        hashes = [text_hash(text) for text in texts]
        new = {h: t for h, t in zip(hashes, texts, strict=True) if h not in self._known}
        order = sorted(new, key=lambda h: (len(new[h]), h))
        if order:
            rows = self._embedder.encode([new[h] for h in order])
            self._known.update(zip(order, rows, strict=True))
            self.made += len(order)
        if not texts:
            return np.empty((0, self.dimension), dtype=np.float32)
        return np.stack([self._known[h] for h in hashes])


@contextmanager
def _threads_of_one(threads: int) -> Iterator[Executor]:
    """A pool whose threads do their sums alone; torch has its own number back afterwards."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(threads or before) as pool:
            yield pool
    finally:
        torch.set_num_threads(before)


def text_hash(text: str) -> str:
    """What a vector is remembered by: 32 hex digits of SHA-256."""
    return sha256_hex(text.encode("utf-8", "surrogatepass"))[:32]
