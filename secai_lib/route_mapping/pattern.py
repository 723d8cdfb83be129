"""Whether a route pattern fits the parts of a path, and how exactly."""

from functools import lru_cache
from typing import NamedTuple

_LITERAL, _MIXED, _PARAMETER, _WILDCARD = range(4)


class Segment(NamedTuple):
    """One part of a pattern between slashes."""

    kind: int
    prefix: str = ""
    suffix: str = ""
    optional: bool = False
    """May be absent (only at the end)."""
    tail: bool = False
    """Takes every part that is left, also none."""
    at_least: int = 0
    """Parts that a tail needs."""


def fit(pattern: str, framework: str, parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """How exactly `pattern` fits, smaller is better; None when it does not.

    Literal before parameter before wildcard, from the left. Express does not tell upper from
    lower case, Ktor does.
    """
    segments = _segments(pattern, framework)
    if framework == "express":
        parts = tuple(part.lower() for part in parts)
    ranks: list[int] = []
    for index, segment in enumerate(segments):
        if segment.tail:
            rest = parts[index:]
            if len(rest) < segment.at_least or not (rest[0] if rest else "").startswith(
                segment.prefix
            ):
                return None
            return (*ranks, _WILDCARD + 1)
        if index >= len(parts):
            if segment.optional:
                return (*ranks, segment.kind)
            return None
        if not _fits(segment, parts[index]):
            return None
        ranks.append(segment.kind)
    return tuple(ranks) if len(parts) <= len(segments) else None


def _fits(segment: Segment, part: str) -> bool:
    if segment.kind == _LITERAL:
        return part == segment.prefix
    inside = len(part) - len(segment.prefix) - len(segment.suffix)
    floor = 0 if segment.kind == _WILDCARD else 1
    return inside >= floor and part.startswith(segment.prefix) and part.endswith(segment.suffix)


@lru_cache(maxsize=4096)
def _segments(pattern: str, framework: str) -> tuple[Segment, ...]:
    read = _ktor if framework == "ktor" else _express
    return tuple(read(part) for part in pattern.split("/") if part)


def _ktor(part: str) -> Segment:
    if part == "*":
        return Segment(_WILDCARD)
    start, end = part.find("{"), part.rfind("}")
    if start < 0 or end < start:
        return Segment(_LITERAL, part)
    name, prefix, suffix = part[start + 1 : end], part[:start], part[end + 1 :]
    if name.endswith("..."):
        return Segment(_WILDCARD, prefix, tail=True)
    kind = _MIXED if prefix or suffix else _PARAMETER
    return Segment(kind, prefix, suffix, optional=name.endswith("?") and not prefix)


def _express(part: str) -> Segment:
    part = part.strip()
    if part in ("*", "(.*)") or (part.startswith("*") and part[1:].isidentifier()):
        return Segment(_WILDCARD, tail=True, at_least=0 if part in ("*", "(.*)") else 1)
    if part.startswith("{*") or (part.startswith(":") and part.endswith(("*", "+", "(.*)"))):
        return Segment(_WILDCARD, tail=True, at_least=1 if part.endswith("+") else 0)
    start = part.find(":")
    if start < 0:
        return Segment(_LITERAL, part.lower())
    end = start + 1
    while end < len(part) and (part[end].isalnum() or part[end] == "_"):
        end += 1
    if part[end : end + 1] == "(" and part.rfind(")") > end:
        end = part.rfind(")") + 1
    optional = part[end : end + 1] == "?"
    prefix, suffix = part[:start].lower(), part[end + optional :].lower()
    if ":" in suffix:  # `:from-:to`: only the text up to the next parameter is certain
        suffix = ""
    kind = _MIXED if prefix or suffix else _PARAMETER
    return Segment(kind, prefix, suffix, optional=optional)
