"""One conversation with an OpenAI-compatible server: requests, refusals, second tries."""

import json
import logging
import math
import time
from collections.abc import Callable
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from secai_lib.core.errors import (
    RateLimited,
    SecAIError,
    Terminal,
    Transient,
    Unreachable,
    UsageError,
)
from secai_lib.gateways.llm.server_address import SETTING, find_server

ATTEMPTS = 4
"""Times a request is made when the server is away or busy."""
LONGEST_WAIT = 60.0
"""Seconds; a server that asks for more is believed no further."""
CONNECT_SECONDS = 10.0
MAX_ANSWER_BYTES = 8 * 2**20
"""An answer of some hundred tokens is a few KB."""

for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


class ServerHttp:
    """Asks one server; only its address ever sees the key."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str = "",
        allow_public: bool = False,
        timeout_seconds: float = 300,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Use the server at `url`; `sleep` waits between two tries.

        Raises:
            UsageError: the address or the key may not be used.
            Unreachable: its name is unknown.
        """
        if api_key and (not (api_key.isascii() and api_key.isprintable()) or " " in api_key):
            raise UsageError("SECAI_SERVER_API_KEY holds characters no key has; copy it again")
        self._server = find_server(url, allow_public=allow_public)
        self._client = httpx.Client(
            # A proxy may carry what leaves the network, never what has to stay in it.
            trust_env=not self._server.private,
            follow_redirects=False,
            timeout=httpx.Timeout(timeout_seconds, connect=CONNECT_SECONDS),
            headers={"User-Agent": "secai", "Host": self._server.host, "Accept": "application/json"}
            | ({"Authorization": f"Bearer {api_key}"} if api_key else {}),
        )
        self._retrying = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(ATTEMPTS),
            wait=_wait,
            reraise=True,
            sleep=sleep,
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The JSON object that the server answers to `body`, posted to `path` below its address.

        Raises:
            RateLimited: it is busy, and was so at every try.
            Unreachable: it is away, and was so at every try.
            UsageError: the address, the model's name or the key is wrong.
            Terminal: what it answers is no answer.
        """
        done: dict[str, Any] = self._retrying(self._request, "POST", path, body)
        return done

    def look(self, path: str) -> dict[str, Any]:
        """The JSON object at `path`, asked for once; empty where the server gives none."""
        try:
            return self._request("GET", path, None)
        except SecAIError:
            return {}

    def _request(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        url = self._server.url.copy_with(path=self._server.url.path.rstrip("/") + path)
        try:
            with self._client.stream(
                method, url, json=body, extensions={"sni_hostname": self._server.name}
            ) as answer:
                if not answer.is_success:
                    raise _refusal(answer)
                return _json(answer)
        except httpx.TimeoutException as error:
            raise Unreachable(
                "the model's server does not answer in time; see its log, or raise "
                "inference.timeout_seconds"
            ) from error
        except httpx.RequestError as error:
            raise Unreachable(
                f"the model's server cannot be reached ({type(error).__name__}); check that it "
                f"runs, and {SETTING}"
            ) from error


def _refusal(answer: httpx.Response) -> SecAIError:
    """The error for a status outside 200-299; the server's own words may repeat scan data."""
    status = answer.status_code
    if status == 429 or (status == 503 and "Retry-After" in answer.headers):
        return RateLimited(
            f"the model's server is busy ({status}); lower inference.batch_size",
            retry_after=_seconds(answer.headers.get("Retry-After", "")),
        )
    if status in (408, 425) or status >= 500:
        return Unreachable(f"the model's server fails ({status}); see its log")
    if answer.is_redirect:
        return UsageError(
            f"the model's server redirects ({status}), which is not followed; let {SETTING} name "
            "the last address"
        )
    if status in (401, 403):
        return UsageError(
            f"the model's server wants another key ({status}); set SECAI_SERVER_API_KEY"
        )
    if status == 404:
        return UsageError(
            f"the model's server knows no such address or model (404); check {SETTING} (it mostly "
            "ends with /v1) and inference.server_model"
        )
    return Terminal(
        f"the model's server refuses the request ({status}); its log says why, often a prompt "
        "longer than its context"
    )


def _json(answer: httpx.Response) -> dict[str, Any]:
    kind = answer.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise Terminal(
            f"the model's server answers with {kind[:40] or 'no content type'} and not with JSON; "
            f"check {SETTING}"
        )
    collected = bytearray()
    for chunk in answer.iter_bytes():
        collected += chunk
        if len(collected) > MAX_ANSWER_BYTES:
            raise Terminal("the model's server answers more than any model would; check it")
    try:
        value = json.loads(collected)
    except (ValueError, RecursionError) as error:
        raise Terminal("the model's server answers with broken JSON; see its log") from error
    if not isinstance(value, dict):
        raise Terminal("the model's server does not speak the OpenAI protocol; check it")
    return value


def _wait(state: Any) -> float:
    error = state.outcome.exception()
    if isinstance(error, RateLimited) and error.retry_after:
        return error.retry_after
    return wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT)(state)


def _seconds(text: str) -> float:
    """Seconds of a Retry-After header; 0 where it names none."""
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return min(max(value, 0.0), LONGEST_WAIT) if math.isfinite(value) else 0.0
