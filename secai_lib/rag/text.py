"""Text as it is embedded, searched and shown: bounded, without what steers a terminal."""

import unicodedata

_KEPT = "\n\t"


def plain(text: str, limit: int) -> str:
    """At most `limit` characters of `text`, controls and lone surrogates as spaces, trimmed.

    What is left can always be encoded as UTF-8; it may still hold instructions to a model.
    """
    cut = text[: 2 * limit].replace("\r\n", "\n")
    clean = "".join(
        char if char in _KEPT or not unicodedata.category(char).startswith("C") else " "
        for char in cut
    )
    return clean.strip()[:limit].rstrip()


def one_line(text: str, limit: int) -> str:
    """`plain` on one line, white space folded."""
    return " ".join(plain(text, 2 * limit).split())[:limit].rstrip()
