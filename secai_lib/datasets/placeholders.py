"""Hashes as short placeholders: no model can spell them, and the applier knows them anyway.

What is a hash is decided by its shape: a commit (40 hex digits), a digest (64 hex digits, with or
without `sha256:`), and base64 of 60 characters and more. The release behind a pinned hash
(`... # v4.2.2`) goes with it.
"""

import re
from collections.abc import Iterable, Mapping

TOKEN = re.compile(r"<(?:HASH|TAG)\d{1,3}>")
"""What a placeholder looks like."""

_HASH = (
    r"sha256:[0-9a-f]{64}(?![0-9a-f])"
    r"|(?<![0-9A-Za-z+/])(?:[0-9a-f]{64}|[0-9a-f]{40})(?![0-9A-Za-z+/=])"
    r"|(?<![0-9A-Za-z+/])[A-Za-z0-9+/]{60,512}={0,2}"
)
_SHAPE = re.compile(
    rf"(?P<hash>{_HASH})(?:(?P<between>\s{{1,4}}#\s{{0,4}})(?P<tag>v?\d[\w.+-]{{0,40}}))?"
)
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*\d)")
_HEX = re.compile(r"(?:sha256:)?(?:[0-9a-f]{64}|[0-9a-f]{40})")


def placeholders_of(text: str, more: Iterable[str] = ()) -> dict[str, str]:
    """Placeholder -> value for every hash of `text` and for the hashes `more`.

    Numbers whose placeholder already stands in `text` are passed over.
    """
    found: dict[str, str] = {}
    taken = set(TOKEN.findall(text))
    wanted = [
        (name, match[name.lower()])
        for match in _matches(text)
        for name in ("HASH", "TAG")
        if match[name.lower()]
    ]
    known: dict[tuple[str, str], str] = {}
    for name, value in [*wanted, *(("HASH", value) for value in more)]:
        if (name, value) not in known:
            number = 1
            while (token := f"<{name}{number}>") in taken:
                number += 1
            taken.add(token)
            known[name, value] = token
            found[token] = value
    return found


def masked(text: str, placeholders: Mapping[str, str]) -> str:
    """`text` with the hashes that `placeholders` (placeholder -> value) knows replaced."""
    tokens = {(token[1], value): token for token, value in placeholders.items()}
    parts, position = [], 0
    for match in _matches(text):
        hidden = tokens.get(("H", match["hash"]), match["hash"])
        parts += [text[position : match.start()], hidden]
        if match["tag"]:
            parts += [match["between"], tokens.get(("T", match["tag"]), match["tag"])]
        position = match.end()
    return "".join([*parts, text[position:]])


def restored(text: str, placeholders: Mapping[str, str]) -> str:
    """`text` with every known placeholder replaced by its value; unknown ones stay."""
    return TOKEN.sub(lambda match: placeholders.get(match[0], match[0]), text)


def hashes(text: str) -> tuple[str, ...]:
    """The hashes that stand in `text` in the clear, in its order."""
    return tuple(match["hash"] for match in _matches(text))


def _matches(text: str) -> Iterable[re.Match[str]]:
    """Every hash; a long word in one case, or a path, is none."""
    for match in _SHAPE.finditer(text):
        if _HEX.fullmatch(match["hash"]) or _MIXED.match(match["hash"]):
            yield match
