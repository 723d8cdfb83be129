"""Text of scanners and repositories on its way to the terminal."""

from rich.markup import escape

from secai_lib.core.text import one_line


def shown(text: str, limit: int = 300) -> str:
    """`text` on one line, with no markup of `rich` in it and no sequence that steers a terminal."""
    return escape(one_line(text, limit))
