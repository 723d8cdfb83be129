"""Markdown explanations as HTML without links, pictures, headings or raw HTML."""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from secai_lib.core.text import visible

_LIMIT = 6000
"""Characters; an explanation longer than that is no explanation."""
_OFF = (
    "html_block",
    "html_inline",
    "heading",
    "lheading",
    "reference",
    "link",
    "image",
    "autolink",
)


def prose(text: str) -> Markup:
    """`text` (Markdown) as HTML that is safe to put into a page, hidden characters visible."""
    shown = visible(text.replace("\r\n", "\n")[:_LIMIT], keep="\n\t")
    return Markup(_renderer().render(shown))  # noqa: S704 - the renderer escapes, HTML is off


@cache
def _renderer() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(list(_OFF))
