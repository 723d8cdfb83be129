"""Sentences out of scanners' and advisories' texts that may stand in a row.

The texts are Markdown of foreign hands: what states a label, carries an id of another weakness,
looks like a secret or a placeholder, or speaks to a model, does not get in.
"""

import re
from collections.abc import Collection

from secai_lib.core.disclosure import CWE, SEVERITY, WEAKNESS_ID
from secai_lib.core.secret_shapes import secret_in

_FENCE = re.compile(r"```.*?(?:```|$)|~~~.*?(?:~~~|$)", re.DOTALL)
_LINE = re.compile(r"^\s*(?:#|\||>|<|[-*+]\s|\d+\.\s|Resource:|References?\b).*$", re.MULTILINE)
_LINK = re.compile(r"!?\[([^\]\n]{0,200})\]\([^)\n]{0,500}\)")
_TAG = re.compile(
    r"</?(?:a|b|i|p|em|br|hr|h\d|ul|ol|li|td|th|tr|img|div|pre|code|span|table|strong|details"
    r"|summary)\b[^<>\n]{0,200}>",
    re.IGNORECASE,
)
_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)")
_STRAIGHT = str.maketrans("\u2018\u2019\u201c\u201d\u2013\u2014", "''\"\"--")
_CONTROL = re.compile(r"[^\S\n ]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]")
_END = re.compile(r"(?<=[.!?])[)\"']?\s+(?=[A-Z`\"'(])|\n{2,}")
_UNFIT = re.compile(
    r"\.\.\.|\u2026|\bTODO\b|\bFIXME\b|\bXXX\b|https?://|\[redacted\]|<\||\|>"
    r"|lorem ipsum|example fix|\bplaceholder|\b(?:replace|change)_?me\b|<\s*(?:your|insert|add)\b"
    r"|\byour[_-](?:api|token|password|secret|key)|\b(?:insert|add|put)\b.{0,30}\bhere\b"
    r"|\b(?:ignore|disregard|prompt|instructions?|assistant|language model|Pro rules)\b"
    r"|[^\x20-\x7e\u00a0-\u024f]",
    re.IGNORECASE,
)


def sentences(text: str, ids: Collection[str] = ()) -> list[str]:
    """The sentences of `text` that may stand in a row, as plain text; `ids` may be named."""
    text = _TAG.sub(" ", _LINE.sub("\n\n", _LINK.sub(r"\1", _FENCE.sub("\n\n", text))))
    text = printable(_EMPHASIS.sub("", text)).replace("`", "").translate(_STRAIGHT)
    whole = (" ".join(part.split()) for part in _END.split(text))
    return [sentence for sentence in whole if _fits(sentence, ids)]


def one_line(value: str) -> str:
    """`value` as one line without control characters: a name may not begin a line of its own."""
    return " ".join(printable(value).split())


def printable(text: str) -> str:
    """`text` with a space for every control character that is no line end."""
    return _CONTROL.sub(" ", text)


def cut(found: list[str], characters: int) -> str:
    """As many of the first sentences as fit into `characters`, joined; whole sentences only."""
    made = ""
    for sentence in found:
        longer = f"{made} {ended(sentence)}".strip()
        if len(longer) > characters:
            break
        made = longer
    return made


def ended(sentence: str) -> str:
    """`sentence` with a full stop, if it ends with a word."""
    return sentence if sentence[-1:] in {".", "!", "?", ""} else f"{sentence}."


def _fits(sentence: str, ids: Collection[str]) -> bool:
    allowed = {name.lower() for name in ids}
    return (
        len(sentence.split()) > 2
        and not _UNFIT.search(sentence)
        and not SEVERITY.search(sentence)
        and not CWE.search(sentence)
        and not secret_in(sentence)
        and all(name.lower() in allowed for name in WEAKNESS_ID.findall(sentence))
    )
