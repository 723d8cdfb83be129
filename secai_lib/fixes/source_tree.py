"""A syntax tree whose positions are characters of the text, as edits want them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from secai_lib.fixes.languages import syntax_tree


@dataclass(frozen=True)
class SourceTree:
    """A parsed text."""

    text: str
    """The text that was parsed."""
    root: Node
    """Its root node; node positions are bytes, `start` and `end` turn them into characters."""
    _data: bytes = field(repr=False)

    def start(self, node: Node) -> int:
        """The node's first character, from 0."""
        return self._character(node.start_byte)

    def end(self, node: Node) -> int:
        """The character after the node's last one."""
        return self._character(node.end_byte)

    def text_of(self, node: Node) -> str:
        """The node's text."""
        return self._data[node.start_byte : node.end_byte].decode()

    def walk(self, *types: str) -> Iterator[Node]:
        """Every node of one of `types` (all nodes without any), in the text's order."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            if not types or node.type in types:
                yield node
            stack.extend(reversed(node.children))

    def on_lines(self, first: int, last: int, *types: str) -> list[Node]:
        """The nodes of `types` that begin on the lines `first` to `last` (from 1, inclusive)."""
        return [n for n in self.walk(*types) if first <= n.start_point[0] + 1 <= last]

    def leaves(self) -> tuple[tuple[int, int, str, int], ...]:
        """First character, character after the last, type and depth of every leaf."""
        found: list[tuple[int, int, str, int]] = []
        stack = [(self.root, 0)]
        while stack:
            node, depth = stack.pop()
            if not node.children:
                found.append((self.start(node), self.end(node), node.type, depth))
            stack.extend((child, depth + 1) for child in reversed(node.children))
        return tuple(found)

    def _character(self, byte: int) -> int:
        if len(self._data) == len(self.text):
            return byte
        return len(self._data[:byte].decode(errors="ignore"))


def parse(text: str, language: str) -> SourceTree:
    """The tree of `text`; errors in the text are nodes of the tree (`root.has_error`).

    Raises `ValueError` for a text that is too large or no Unicode.
    """
    return SourceTree(text, syntax_tree(language, text), text.encode())
