"""Looking at nodes: all of them, in order and without recursion, since deep nesting is hostile."""

from collections.abc import Iterator

from tree_sitter import Node


def walk(root: Node, *types: str, max_depth: int | None = None) -> Iterator[Node]:
    """Every node under and with `root` of one of `types` (all without any), parents first.

    Looking up from a node costs its depth, so a caller that does may leave out what lies more
    than `max_depth` nodes deep.
    """
    cursor = root.walk()
    while True:
        node = cursor.node
        if node is not None and (not types or node.type in types):
            yield node
        if (max_depth is None or cursor.depth < max_depth) and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def errors_in(root: Node) -> list[Node]:
    """The error nodes and missing tokens under `root`, in order."""
    if not root.has_error:
        return []
    return [node for node in walk(root) if node.is_error or node.is_missing]


def text_of(node: Node) -> str:
    """The source text of `node`."""
    return (node.text or b"").decode("utf-8", "replace")


def line_of(node: Node) -> int:
    """The first line of `node`, from 1."""
    return node.start_point.row + 1


def lines_of(node: Node) -> tuple[int, int]:
    """First and last line of `node`, from 1, inclusive; a final line break does not count."""
    first, end = line_of(node), node.end_point
    return first, max(first, end.row + 1 if end.column else end.row)
