"""Syntax trees of every language we read: the one registry, parsed in bounded time.

What a room looks for in a tree (its queries, its node types) stays in the room.
"""

from secai_lib.core.syntax.languages import (
    GRAMMARS,
    Grammar,
    compiled,
    grammar,
    grammar_of,
    has_grammar,
    language_of,
)
from secai_lib.core.syntax.nodes import line_of, lines_of, text_of, walk
from secai_lib.core.syntax.source import SourceTree, parse
from secai_lib.core.syntax.trees import SyntaxRefused, parse_bytes

__all__ = [
    "GRAMMARS",
    "Grammar",
    "SourceTree",
    "SyntaxRefused",
    "compiled",
    "grammar",
    "grammar_of",
    "has_grammar",
    "language_of",
    "line_of",
    "lines_of",
    "parse",
    "parse_bytes",
    "text_of",
    "walk",
]
