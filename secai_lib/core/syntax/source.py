"""A syntax tree whose positions are characters of the text, as edits want them."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from secai_lib.core.syntax.nodes import errors_in, walk
from secai_lib.core.syntax.trees import parse_bytes


@dataclass(frozen=True)
class SourceTree:
    """A parsed text; see `parse`."""

    text: str
    """The text that was parsed."""
    root: Node
    """Its root node; node positions are bytes, `start` and `end` turn them into characters."""
    _data: bytes = field(repr=False)

    def start(self, node: Node) -> int:
        """The node's first character, from 0."""
        return self.character(node.start_byte)

    def end(self, node: Node) -> int:
        """The character after the node's last one."""
        return self.character(node.end_byte)

    def text_of(self, node: Node) -> str:
        """The node's text."""
        return self.text[self.start(node) : self.end(node)]

    def walk(self, *types: str) -> Iterator[Node]:
        """Every node of one of `types` (all nodes without any), in the text's order."""
        return walk(self.root, *types)

    def errors(self) -> list[Node]:
        """The error nodes and missing tokens, in the text's order."""
        return errors_in(self.root)

    def on_lines(self, first: int, last: int, *types: str) -> list[Node]:
        """The nodes of `types` that begin on the lines `first` to `last` (from 1, inclusive)."""
        return [n for n in self.walk(*types) if first <= n.start_point.row + 1 <= last]

    def leaves(self) -> Iterator[tuple[int, int, str, int]]:
        """First character, character after the last, type and depth of every leaf, in order."""
        stack = [(self.root, 0)]
        while stack:
            node, depth = stack.pop()
            if not node.children:
                yield self.start(node), self.end(node), node.type, depth
            stack.extend((child, depth + 1) for child in reversed(node.children))

    def character(self, byte: int) -> int:
        """The character that begins at `byte`, or the next one where a byte is in its middle."""
        return byte if len(self._data) == len(self.text) else bisect_left(self._starts, byte)

    @cached_property
    def _starts(self) -> Sequence[int]:
        """The first byte of every character; bytes 10xxxxxx continue one."""
        return array("L", (at for at, byte in enumerate(self._data) if byte & 0xC0 != 0x80))


def parse(text: str, language: str) -> SourceTree:
    """The tree of `text` (a lone surrogate is parsed as `?`); raises `SyntaxRefused`.

    Errors in the text are nodes of the tree (`root.has_error`).
    """
    data = text.encode("utf-8", "replace")
    return SourceTree(text, parse_bytes(data, language).root_node, data)
