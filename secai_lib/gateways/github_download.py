"""An artifact's way from its storage into a file."""

import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx

from secai_lib.core.errors import Terminal, Unreachable
from secai_lib.gateways.github_http import GithubHttp
from secai_lib.gateways.store import translated_errors

MAX_REDIRECTS = 4


class Download:
    """One artifact's download; `run` may be called again after an `Unreachable`."""

    def __init__(
        self, http: GithubHttp, subject: str, deadline: float, max_bytes: int, digest: str
    ) -> None:
        """Give up at the monotonic time `deadline` or beyond `max_bytes`; check `digest` if any."""
        self._http, self._subject, self._deadline = http, subject, deadline
        self._max_bytes, self._digest = max_bytes, digest

    def run(self, url: httpx.URL, target: Path) -> int:
        """Bytes written to `target`, which appears whole or not at all.

        Raises:
            SecAIError: as `GithubActions.download`.
        """
        for hop in range(MAX_REDIRECTS + 1):
            # Behind the first redirect the address itself is the permission: no token there.
            with self._http.stream(
                url,
                {"Accept-Encoding": "identity"},
                deadline=self._deadline,
                subject=self._subject,
                storage=hop > 0,
            ) as answer:
                if answer.status_code == 200:
                    return self._save(answer, target)
                url = self._http.redirect_target(answer, self._subject)
        raise Terminal(f"{self._subject}: more than {MAX_REDIRECTS} redirects.")

    def _save(self, answer: httpx.Response, target: Path) -> int:
        aside = target.with_name(f".{uuid.uuid4().hex}.part")
        seen, size = hashlib.sha256(), 0
        try:
            with translated_errors():
                target.parent.mkdir(parents=True, exist_ok=True)
                with aside.open("wb") as handle:
                    for chunk in self._chunks(answer):
                        size += len(chunk)
                        seen.update(chunk)
                        handle.write(chunk)
                    self._check_whole(answer, size, seen.hexdigest())
                    handle.flush()
                    os.fsync(handle.fileno())
                aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
        return size

    def _chunks(self, answer: httpx.Response) -> Iterator[bytes]:
        """The body as sent, never unpacked: a packed bomb counts as the few bytes it is."""
        received = 0
        for chunk in answer.iter_raw():
            received += len(chunk)
            if received > self._max_bytes:
                raise Terminal(
                    f"{self._subject} is larger than {self._max_bytes} bytes; raise "
                    "limits.total_bytes in config/platform.yaml if it may be."
                )
            if self._http.clocks.monotonic() > self._deadline:
                raise Unreachable(f"{self._subject}: too slow; trying again later helps.")
            yield chunk

    def _check_whole(self, answer: httpx.Response, size: int, sha256: str) -> None:
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) != size:
            raise Unreachable(f"{self._subject}: only {size} of {announced} bytes came.")
        if self._digest.startswith("sha256:") and self._digest != f"sha256:{sha256}":
            raise Unreachable(f"{self._subject}: these are not the bytes GitHub announced.")
