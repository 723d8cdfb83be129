"""How far a download is, said at most once a second."""

import time

from secai_lib.gateways.models.delivery import Say

SECONDS = 1.0
"""Between two lines."""


class Progress:
    """Tells `say` the share and the size of what has arrived."""

    def __init__(self, say: Say, what: str) -> None:
        """Speak of `what`."""
        self._say, self._what = say, what
        self._next = 0.0
        self._told = -1

    def update(self, done: int, total: int) -> None:
        """`done` of `total` bytes are here; the last one is always said, none twice."""
        now = time.monotonic()
        if total <= 0 or done == self._told or (done < total and now < self._next):
            return
        self._next, self._told = now + SECONDS, done
        self._say(f"{self._what}: {100 * done // total} % of {total / 1e6:.1f} MB")
