"""What GitHub's refusals mean, and what somebody can do about them.

Source: docs.github.com, "Rate limits for the REST API" (primary and secondary limits).
"""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from secai_lib.core.errors import (
    AccessRefused,
    Expired,
    NotFound,
    RateLimited,
    SecAIError,
    Terminal,
    Unreachable,
)

MAX_WAIT = 2 * 3600.0
"""Seconds; the longest pause we believe (the primary limit is reset every hour)."""
DEFAULT_WAIT = 60.0
"""Seconds to wait when a limit names no time; GitHub asks for at least a minute."""


def api_refusal(
    status: int,
    headers: Mapping[str, str],
    text: bytes,
    *,
    subject: str,
    has_token: bool,
    now: float,
) -> SecAIError:
    """The error for an answer of 400 or more from the API.

    Args:
        status: The HTTP status.
        headers: The answer's headers; names are looked up as GitHub's documentation writes them.
        text: The body, which tells a secondary limit from a missing permission.
        subject: What was asked for, to begin the sentence.
        has_token: Whether a token was sent.
        now: Seconds since 1970.
    """
    wait = _asked_to_wait(status, headers, text, now)
    if wait is not None:
        return RateLimited(
            f"{subject}: GitHub asks us to wait {wait:.0f} seconds (rate limit).", retry_after=wait
        )
    if status >= 500 or status == 408:
        return Unreachable(f"{subject}: GitHub answers with {status}; try again later.")
    if status == 410:
        return Expired(f"{subject}: GitHub no longer has it (410); nothing can be done.")
    refusal = {401: AccessRefused, 403: AccessRefused, 404: NotFound}.get(status, Terminal)
    return refusal(f"{subject}: {_what_to_do(status, has_token)}")


def storage_refusal(status: int, subject: str) -> SecAIError:
    """The error for an answer of 400 or more from the storage behind a download's redirect."""
    if status in (404, 410):
        return Expired(f"{subject}: the stored file is gone ({status}).")
    # A signed address is good for minutes only: asking the API again gives a fresh one.
    return Unreachable(f"{subject}: the download is refused ({status}) for now; try again later.")


def _what_to_do(status: int, has_token: bool) -> str:
    permission = "a token with `actions: read` for this repository"
    if status == 401 and has_token:
        return f"GitHub refuses the token (401), expired? Put {permission} into GITHUB_TOKEN."
    if status in (401, 403) and not has_token:
        return f"GitHub wants a token ({status}); put {permission} into GITHUB_TOKEN."
    if status == 403:
        return f"the token may not read this (403); GITHUB_TOKEN must be {permission}."
    if status == 404:
        return (
            "GitHub shows no such thing (404); check the name in config/platform.yaml, and if the "
            f"repository is private put {permission} into GITHUB_TOKEN."
        )
    return f"GitHub refuses the request ({status}); check the settings in config/platform.yaml."


def _asked_to_wait(
    status: int, headers: Mapping[str, str], text: bytes, now: float
) -> float | None:
    """Seconds to wait, or None when the refusal is no limit."""
    if status not in (403, 429, 503):
        return None
    if "Retry-After" in headers:
        return _bounded(_retry_after(headers["Retry-After"], now))
    if status != 503 and headers.get("X-RateLimit-Remaining", "").strip() == "0":
        return _bounded(_number(headers.get("X-RateLimit-Reset", "")) - now)
    if status == 429 or (status == 403 and b"rate limit" in text.lower()):
        return DEFAULT_WAIT
    return None


def _retry_after(value: str, now: float) -> float:
    """Seconds from `now`; the header is a number or a date (RFC 9110, 10.2.3)."""
    seconds = _number(value)
    if not math.isnan(seconds):
        return seconds
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return math.nan
    return when.replace(tzinfo=when.tzinfo or UTC).timestamp() - now


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _bounded(seconds: float) -> float:
    return DEFAULT_WAIT if math.isnan(seconds) else min(max(seconds, 1.0), MAX_WAIT)
