"""Whether a route pattern fits the parts of a path, and how exactly."""

import re
from functools import lru_cache
from typing import NamedTuple

_CONVERTERS = {
    "int": "[0-9]+",
    "float": r"[0-9]+\.[0-9]+",
    "number": r"[0-9]+(\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}",
}
_DIGITS = frozenset([r"\d+", r"\\d+", "[0-9]+"])
"""A parameter of digits, as the code of an Express route writes it."""
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
    convert: str = ""
    """What the part must be: `int`, `float`, `uuid`; empty for anything."""


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
            after = segments[index + 1 :]
            end = len(parts) - len(after)
            if any(s.tail or s.optional for s in after) or end < index:
                return None
            if not all(_fits(s, part) for s, part in zip(after, parts[end:], strict=True)):
                return None
            rest = parts[index:end]
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
    value = part[len(segment.prefix) : len(part) - len(segment.suffix)]
    if segment.convert and not re.fullmatch(_CONVERTERS[segment.convert], value):
        return False
    return inside >= floor and part.startswith(segment.prefix) and part.endswith(segment.suffix)


@lru_cache(maxsize=4096)
def _segments(pattern: str, framework: str) -> tuple[Segment, ...]:
    read = _READERS[framework]
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
    convert = ""
    if part[end : end + 1] == "(" and part.rfind(")") > end:
        inner, end = part[end + 1 : part.rfind(")")], part.rfind(")") + 1
        convert = "int" if inner in _DIGITS else ""
    optional = part[end : end + 1] == "?"
    prefix, suffix = part[:start].lower(), part[end + optional :].lower()
    if ":" in suffix:  # `:from-:to`: only the text up to the next parameter is certain
        suffix = ""
    kind = _MIXED if prefix or suffix else _PARAMETER
    return Segment(kind, prefix, suffix, optional=optional, convert=convert)


def _fastapi(part: str) -> Segment:
    start, end = part.find("{"), part.find("}")
    if start < 0 or end < start:
        return Segment(_LITERAL, part)
    convert = part[start + 1 : end].partition(":")[2]
    if convert == "path":
        return Segment(_WILDCARD, part[:start], tail=True)
    convert = "number" if convert == "float" else convert
    return _python(part[:start], part[end + 1 :], convert)


def _flask(part: str) -> Segment:
    start, end = part.find("<"), part.find(">")
    if start < 0 or end < start:
        return Segment(_LITERAL, part)
    convert = part[start + 1 : end].rpartition(":")[0].partition("(")[0]
    if convert == "path":
        return Segment(_WILDCARD, part[:start], tail=True, at_least=1)
    return _python(part[:start], part[end + 1 :], convert)


def _python(prefix: str, suffix: str, convert: str) -> Segment:
    convert = convert if convert in _CONVERTERS else ""
    if "{" in suffix or "<" in suffix:  # only the text up to the next parameter is certain
        suffix = ""
    kind = _MIXED if prefix or suffix or convert else _PARAMETER
    return Segment(kind, prefix, suffix, convert=convert)


_READERS = {"ktor": _ktor, "express": _express, "fastapi": _fastapi, "flask": _flask}
