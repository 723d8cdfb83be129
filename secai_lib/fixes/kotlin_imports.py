"""Imports of a Kotlin file, and edits of them."""

from tree_sitter import Node

from secai_lib.core.fix import Edit
from secai_lib.core.syntax import SourceTree
from secai_lib.fixes.place import Place


def imported(tree: SourceTree) -> dict[str, Node]:
    """Imported dotted name -> the node that holds the name (aliased imports are left out)."""
    found = {}
    for node in tree.walk("import"):
        names = [child for child in node.children if child.type == "qualified_identifier"]
        if len(names) == 1 and not any(child.type in ("as", "*") for child in node.children):
            found[tree.text_of(names[0])] = names[0]
    return found


def add_import(place: Place, tree: SourceTree, name: str) -> list[Edit]:
    """The edits that import `name`, in the order of the alphabet; none when it is there."""
    present = imported(tree)
    if name in present:
        return []
    later = [node for other, node in sorted(present.items()) if other > name]
    line = f"import {name}{place.newline}"
    if present:
        nodes = sorted(present.values(), key=lambda node: node.start_byte)
        before = min(later, key=lambda node: node.start_byte) if later else None
        if before is not None:
            at = place.line_start(tree.start(before))
        else:
            at = place.line_end(tree.end(nodes[-1]))
        return [place.edit(at, at, line)]
    package = next(iter(tree.walk("package_header")), None)
    if package is None:
        return [place.edit(0, 0, line + place.newline)]
    at = place.line_end(tree.end(package))
    return [place.edit(at, at, place.newline + line)]


def swap_import(place: Place, tree: SourceTree, old: str, new: str, *, keep: bool) -> list[Edit]:
    """The edits that import `new`, in place of `old` unless the file still needs `old`."""
    present = imported(tree)
    if keep or old not in present or new in present:
        return add_import(place, tree, new)
    node = present[old]
    return [place.edit(tree.start(node), tree.end(node), new)]
