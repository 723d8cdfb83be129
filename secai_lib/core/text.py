"""Text for people: hostile characters made visible, one line, counts put into words."""

import unicodedata
from collections.abc import Iterable

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that show nothing or steer the display (bidi marks are `Cf`)."""


def visible(text: str, *, keep: str = "") -> str:
    """`text` with every control, bidi and other invisible character written as `⟨U+XXXX⟩`.

    Characters in `keep` (a newline, say) stay as they are.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char
        if char in keep or unicodedata.category(char) not in _HIDDEN
        else f"⟨U+{ord(char):04X}⟩"
        for char in text
    )


def one_line(text: str, limit: int = 200) -> str:
    """`text` on one line, white space folded, hidden characters visible, at most `limit` long."""
    folded = visible(" ".join(text[: 8 * limit].split()))
    return folded if len(folded) <= limit else folded[: limit - 1].rstrip() + "…"


def plural(number: int, noun: str, many: str = "") -> str:
    """The count in words: `1 fix`, `2 fixes` (`many` where an s is not enough)."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def listed(words: Iterable[str]) -> str:
    """The words as a person lists them: `a`, `a and b`, `a, b and c`."""
    items = list(words)
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def spaced(code: str) -> str:
    """A code word for people: `workflow-permissions` gives `Workflow permissions`."""
    words = one_line(code, 80).replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
