"""One conversation with GitHub's REST API: what may be asked, and what its refusals mean."""

import ipaddress
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import httpx

from secai_lib.core.errors import SecAIError, Terminal, Unreachable, UsageError
from secai_lib.gateways.github_refusals import api_refusal, storage_refusal

API_VERSION = "2022-11-28"
MAX_ANSWER_BYTES = 32 * 2**20
"""A page of 100 runs is below 2 MB; more than this is not GitHub."""

# At INFO httpx logs every URL, and the URL of a download is itself a secret for some minutes.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class Clocks(NamedTuple):
    """The three uses of time, so that a test holds them."""

    wall: Callable[[], float] = time.time
    """Seconds since 1970."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds for measuring."""
    sleep: Callable[[float], None] = time.sleep
    """Waits that many seconds."""


class GithubHttp:
    """Asks one API address; only this address ever sees the token."""

    def __init__(
        self, api_url: str, token: str | None, timeout: tuple[float, float], clocks: Clocks
    ) -> None:
        """Use `api_url`, with `timeout` for connecting and for each read, in seconds.

        Raises:
            UsageError: the address or the token cannot be used.
        """
        self.base = _checked_api_url(api_url)
        self.has_token = bool(token and token.strip())
        self.clocks = clocks
        self._timeout = timeout
        # A proxy from the environment is wanted for GitHub, never for this machine.
        self._client = httpx.Client(trust_env=not is_loopback(self.base))
        self._api_headers = {
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": API_VERSION,
            **_authorization(token),
        }

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    @contextmanager
    def stream(
        self,
        url: httpx.URL,
        headers: Mapping[str, str],
        *,
        deadline: float,
        subject: str,
        storage: bool = False,
    ) -> Iterator[httpx.Response]:
        """The answer of `url` before its body is read; `storage` means not GitHub: no token.

        Args:
            url: What to get.
            headers: Further headers.
            deadline: Monotonic time at which to give up.
            subject: What it is about, for messages.
            storage: True behind a redirect.

        Raises:
            SecAIError: the answer is a refusal, or there is none.
        """
        left = max(0.001, deadline - self.clocks.monotonic())
        connect, read = (min(limit, left) for limit in self._timeout)
        ours = {} if storage else self._api_headers
        try:
            with self._client.stream(
                "GET",
                url,
                headers={"User-Agent": "secai", **ours, **headers},
                timeout=httpx.Timeout(read, connect=connect),
            ) as answer:
                if answer.status_code >= 400:
                    raise (
                        storage_refusal(answer.status_code, subject)
                        if storage
                        else self._refusal(answer, subject, deadline)
                    )
                yield answer
        except httpx.TimeoutException as error:
            raise Unreachable(f"{subject}: no answer in time; trying again later helps.") from error
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"{subject}: the connection failed ({type(error).__name__}); check the network and "
                "the API address in config/platform.yaml."
            ) from error

    def body(self, answer: httpx.Response, deadline: float, subject: str) -> bytes:
        """The whole decoded body.

        Raises:
            Unreachable: it did not arrive before `deadline`.
            Terminal: it is larger than any page of the API.
        """
        collected = bytearray()
        for chunk in answer.iter_bytes():
            collected += chunk
            if len(collected) > MAX_ANSWER_BYTES:
                raise Terminal(
                    f"{subject}: the answer is too large to be GitHub's; check the API address."
                )
            if self.clocks.monotonic() > deadline:
                raise Unreachable(
                    f"{subject}: the answer came too slowly; trying again later helps."
                )
        return bytes(collected)

    def redirect_target(self, answer: httpx.Response, subject: str) -> httpx.URL:
        """Where a download goes on.

        Raises:
            Terminal: to no https address of another machine (http on this machine is fine when the
                API itself is here).
        """
        if not answer.has_redirect_location:
            raise Terminal(
                f"{subject}: the server answers with {answer.status_code} and no address."
            )
        try:
            url = answer.request.url.join(answer.headers["Location"])
        except httpx.InvalidURL as error:
            raise Terminal(f"{subject}: the server redirects to no valid address.") from error
        local_http = url.scheme == "http" and is_loopback(url)
        outside = url.scheme == "https" and bool(url.host) and not is_loopback(url)
        if url.userinfo or not (outside or (is_loopback(self.base) and local_http)):
            raise Terminal(f"{subject}: the server redirects to an address we do not follow.")
        return url

    def _refusal(self, answer: httpx.Response, subject: str, deadline: float) -> SecAIError:
        text = self.body(answer, deadline, subject) if answer.status_code in (403, 429) else b""
        return api_refusal(
            answer.status_code,
            answer.headers,
            text,
            subject=subject,
            has_token=self.has_token,
            now=self.clocks.wall(),
        )


def is_loopback(url: httpx.URL) -> bool:
    """True when `url` leads to this machine."""
    try:
        return ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return url.host == "localhost" or url.host.endswith(".localhost")


def _checked_api_url(api_url: str) -> httpx.URL:
    try:
        url = httpx.URL(api_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise UsageError("The API address in config/platform.yaml is not a URL.") from error
    if url.userinfo or url.query or url.fragment or not url.host:
        raise UsageError(
            "The API address may only hold https, a host and a path; no user, no query."
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url)):
        raise UsageError("The API address must start with https:// (http only for this machine).")
    return url


def _authorization(token: str | None) -> dict[str, str]:
    secret = (token or "").strip()
    if not secret:
        return {}
    if not (secret.isascii() and secret.isprintable()) or " " in secret:
        # Checked here because the HTTP library's own error would show the token.
        raise UsageError("GITHUB_TOKEN holds characters no token has; copy it again.")
    return {"Authorization": f"Bearer {secret}"}
