"""Changes reports where it hurts: at their structure, not at random bytes."""

import copy
import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

HOSTILE_TEXTS = (
    "", " ", "\x00", "\x1b[31m", "\ud800", "\u202e", "\u2028", "\ufeff", "e\u0301", "..", "../../x",
    "/etc/passwd", "C:\\x", "\\\\host\\share", "file:///x/../..", "http://[", "http://u:p@h/?a#b",
    "%2e%2e/%00", "CWE-99999999999", "CVE-2024-1", "CVSS:3.1/AV:N", "CVSS:4.0/AV:N/AC:L", "1e999",
    "<script>", "<p", "&#xD800;", "{0}{0}{0}{1}", "'\"`", "[redacted]", "Secret1234567890abcdef",
    "a/" * 50, "9" * 400, "A" * 3000,
)  # fmt: skip
HOSTILE_VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, -(10**13), 0.1, 1e308, [], {}, [[]], [None],
    [{}], {"text": 7}, {"": {"": []}},
)  # fmt: skip
RAW_NUMBERS = ("NaN", "-Infinity", "1e999", "9" * 5000, "0x1", "01", "--1")
ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1")
_TAG = re.compile(r"(<[^<>]*>)")
_DEEP = 250
"""More levels than any report may have."""
_LARGEST = 200_000
"""Characters to which a list or a text is multiplied."""


def mutate_report(data: bytes, rng: Random, words: Sequence[str] = ()) -> bytes:
    """`data` with one to four changes; `words` are names and values the parsers look for."""
    text = data.decode("utf-8", "replace")
    if text.lstrip().startswith("<"):
        return _encoded(_mutate_xml(text, rng, words), rng)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _mutate_lines(text, rng, words)
    try:
        for _ in range(rng.randint(1, 4)):
            value = _changed(value, rng, words)
        return _encoded(_written(value, rng), rng)
    except RecursionError:  # nested too deep to be written
        return mutate_bytes(data, rng)


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """`data` cut, doubled in part or with a few bytes changed."""
    if not data:
        return bytes(rng.randrange(256) for _ in range(rng.randint(1, 40)))
    at, end = sorted((rng.randrange(len(data)), rng.randrange(len(data))))
    piece = data[at : min(end, at + 4096)]
    match rng.randrange(5):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + piece * rng.randint(2, 9) + data[at:]
        case 2:
            return data[:at] + data[at + len(piece) :]
        case 3:
            return data[:at] + bytes(rng.randrange(256) for _ in range(4)) + data[at:]
        case _:
            changed = bytearray(data)
            for _ in range(rng.randint(1, 8)):
                changed[rng.randrange(len(changed))] = rng.randrange(256)
            return bytes(changed)


def _mutate_lines(text: str, rng: Random, words: Sequence[str]) -> bytes:
    """JSON Lines: one line is changed; anything else is changed byte by byte."""
    rows = text.split("\n")
    at = rng.randrange(len(rows))
    try:
        rows[at] = json.dumps(_changed(json.loads(rows[at]), rng, words))
    except (ValueError, RecursionError):
        return mutate_bytes(text.encode("utf-8", "replace"), rng)
    if rng.random() < 0.2:
        rows.insert(at, rng.choice(rows))
    return _encoded("\n".join(rows), rng)


def _changed(value: Any, rng: Random, words: Sequence[str]) -> Any:
    """`value` with one spot of it changed; the spot is found by walking down at random."""
    root = [value]
    holder: Any = root
    key: Any = 0
    while True:
        below = holder[key]
        if not isinstance(below, dict | list) or not below or rng.random() < 0.15:
            break
        holder, key = (
            below,
            rng.choice(list(below) if isinstance(below, dict) else range(len(below))),
        )
    if rng.random() < 0.1 and holder is not root:
        del holder[key]
    else:
        holder[key] = rng.choice(_CHANGES)(holder[key], rng, words)
    if isinstance(holder, dict) and rng.random() < 0.15:
        holder[_text(rng, words)] = holder.pop(key, None)
    return root[0]


def _text(rng: Random, words: Sequence[str]) -> str:
    return rng.choice(words if words and rng.random() < 0.7 else HOSTILE_TEXTS)


def _other(value: Any, rng: Random, words: Sequence[str]) -> Any:
    return copy.deepcopy(rng.choice(HOSTILE_VALUES))


def _word(value: Any, rng: Random, words: Sequence[str]) -> Any:
    return _text(rng, words)


def _spliced(value: Any, rng: Random, words: Sequence[str]) -> Any:
    """A hostile text inside the old one; numbers become text."""
    old = value if isinstance(value, str) else json.dumps(value)[:200]
    at = rng.randint(0, len(old))
    return old[:at] + _text(rng, words) * rng.choice((1, 1, 1, 30)) + old[at:]


def _grown(value: Any, rng: Random, words: Sequence[str]) -> Any:
    """More of the same; a new member for an object."""
    if isinstance(value, list):
        room = _LARGEST // (len(json.dumps(value)) + 1)
        return value + copy.deepcopy(value) * min(rng.choice((1, 2, 20, 2000)), room)
    if isinstance(value, dict):
        return value | {_text(rng, words): _other(None, rng, words)}
    if isinstance(value, str):
        return value * min(rng.choice((2, 100)), _LARGEST // (len(value) + 1))
    return -(10**9)


def _wrapped(value: Any, rng: Random, words: Sequence[str]) -> Any:
    for _ in range(rng.choice((1, 1, 1, 2, _DEEP))):
        value = [value] if rng.random() < 0.5 else {_text(rng, words): value}
    return value


_CHANGES: tuple[Callable[[Any, Random, Sequence[str]], Any], ...] = (
    _other, _other, _word, _word, _spliced, _grown, _wrapped,
)  # fmt: skip


def _written(value: Any, rng: Random) -> str:
    text = json.dumps(value, ensure_ascii=rng.random() < 0.7, indent=rng.choice((None, None, 1)))
    if rng.random() < 0.05:
        numbers = list(re.finditer(r"(?<=[:\[ ])\d+(?=[,}\]\s])", text))
        if numbers:
            spot = rng.choice(numbers)
            text = text[: spot.start()] + rng.choice(RAW_NUMBERS) + text[spot.end() :]
    return text


def _mutate_xml(text: str, rng: Random, words: Sequence[str]) -> str:
    parts = _TAG.split(text)
    for _ in range(rng.randint(1, 3)):
        at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
        match rng.randrange(5):
            case 0:
                parts[at] = ""
            case 1:
                parts[at:at] = parts[other : other + rng.randint(1, 40)]
            case 2:
                parts[at], parts[other] = parts[other], parts[at]
            case 3:
                parts[at] += _text(rng, words)
            case _:
                parts[at] = f"<{_text(rng, words)}>" * rng.choice((1, 1, _DEEP))
    return "".join(parts)


def _encoded(text: str, rng: Random) -> bytes:
    chance = rng.random()
    if chance < 0.04:
        text = text.replace("\n", "\r\n")
    data = text.encode(rng.choice(ENCODINGS) if chance > 0.94 else "utf-8", "replace")
    return data[: rng.randint(0, len(data))] if 0.04 < chance < 0.07 else data
