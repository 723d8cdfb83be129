"""Foreign text inside Markdown (a comment, a narrative): it stays text, whatever it holds."""

import re
from collections.abc import Sequence

from secai_lib.core.text import one_line, visible

_NOTHING = "\u200b"
"""A zero-width space breaks what GitHub would link even from escaped text."""
_LINKED = (
    (re.compile(r"@"), f"@{_NOTHING}"),
    (re.compile(r"#(?=\d)"), f"#{_NOTHING}"),
    (re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE), rf"\1{_NOTHING}-"),
    (re.compile(r"://"), f":{_NOTHING}//"),
    (re.compile(r"\b(www)\.", re.IGNORECASE), rf"\1{_NOTHING}."),
)
_PLAIN = re.compile(rf"[^\w\s.,:;/?%=+'…→()⟨⟩{_NOTHING}-]|_")
_LIST = re.compile(r"^(?:()([-+=])|(\d+)([.)])(?=\s|$))")
"""What would begin a list or underline a heading at the start of a line."""


def inline(text: str, limit: int = 200) -> str:
    """`text` for one line or one table cell of GitHub's Markdown, at most `limit` long.

    Every character that could mean something is written as a character reference, which by the
    CommonMark specification (section 2.5) never is structure; people and issues are not mentioned.
    """
    safe = one_line(text, limit)
    for pattern, replacement in _LINKED:
        safe = pattern.sub(replacement, safe)
    safe = _PLAIN.sub(lambda match: f"&#{ord(match[0])};", safe)
    return _LIST.sub(lambda m: f"{m[3] or ''}&#{ord(m[2] or m[4])};", safe)


def code(text: str, limit: int = 200) -> str:
    """`text` in the type of code, for one line or one table cell."""
    return f"<code>{inline(text, limit)}</code>"


def block(text: str, language: str) -> str:
    """`text` as a fenced block that no line of it can close; hidden characters visible."""
    shown = visible(text, keep="\n\t").rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]], limit: int = 40) -> str:
    """A table of cells that are Markdown already; rows past `limit` are counted in a last line."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    lines += ["| " + " | ".join(row) + " |" for row in rows[:limit]]
    rest = f"\n\n…and {len(rows) - limit} more rows." if len(rows) > limit else ""
    return "\n".join(lines) + rest
