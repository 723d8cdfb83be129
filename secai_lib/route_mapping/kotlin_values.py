"""The text or number that a Kotlin expression is, where that can be known without running it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tree_sitter import Node

from secai_lib.core.syntax import text_of
from secai_lib.route_mapping.kotlin_call import call_of
from secai_lib.route_mapping.kotlin_code import (
    KotlinCode,
    Name,
    name_of,
    property_parts,
    scope_of,
    string_parts,
)

_MAX_DEPTH = 40
_MAX_TEXT = 4_096
_MAX_STEPS = 2_000
"""Expressions looked at for one value: constants that double each other have no end."""
_NUMBER_CALLS = ("toInt", "toIntOrNull", "toString", "trim", "trimEnd", "trimStart")


@dataclass(frozen=True)
class Place:
    """Where an expression stands and what the names round it are bound to."""

    path: str
    bound: Mapping[str, str | None] = field(default_factory=dict)
    """Parameters of the function that is being followed; None for an unknown value."""


class Values:
    """Evaluates constants, concatenations, templates and defaults of absent settings."""

    def __init__(self, code: KotlinCode) -> None:
        """Look names up in `code`."""
        self._code = code
        self._steps = 0

    def number(self, node: Node, place: Place) -> int | None:
        """The number `node` is; None when that depends on more than constants."""
        text = self.text(node, place)
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    def text(self, node: Node, place: Place, depth: int = 0) -> str | None:
        """The text `node` is (a number as its digits); None when it cannot be known."""
        self._steps = self._steps + 1 if depth else 0
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return None
        if (parts := string_parts(node)) is not None:
            return self._joined(parts, node, place, depth)
        if node.type == "number_literal":
            return text_of(node).replace("_", "")
        if node.type in ("identifier", "navigation_expression"):
            names = dotted_names(node)
            return self._named(names, node, place, depth) if names else None
        if node.type == "parenthesized_expression" and node.named_child_count == 1:
            return self.text(node.named_children[0], place, depth + 1)
        if node.type == "binary_expression":
            return self._binary(node, place, depth)
        if node.type == "call_expression":
            return self._call(node, place, depth)
        return None

    def _joined(
        self, parts: list[str | Name | Node], node: Node, place: Place, depth: int
    ) -> str | None:
        done = ""
        for part in parts:
            if isinstance(part, str):
                piece: str | None = part
            elif isinstance(part, Name):
                piece = self._named((part.name,), node, place, depth)
            else:
                piece = self.text(part, place, depth + 1)
            if piece is None or len(done) > _MAX_TEXT:
                return None
            done += piece
        return done

    def _binary(self, node: Node, place: Place, depth: int) -> str | None:
        left, right = node.named_children[0], node.named_children[-1]
        operators = {child.type for child in node.children if not child.is_named}
        if "?:" in operators:
            # What stands right of it is the default for an absent setting.
            return self.text(right, place, depth + 1)
        if "+" not in operators:
            return None
        first, second = self.text(left, place, depth + 1), self.text(right, place, depth + 1)
        if first is None or second is None or len(first) > _MAX_TEXT:
            return None
        return first + second

    def _call(self, node: Node, place: Place, depth: int) -> str | None:
        call = call_of(node)
        if call is None or call.receiver is None:
            return None
        if call.name in _NUMBER_CALLS and not call.arguments:
            return self.text(call.receiver, place, depth + 1)
        if call.name == "getOrDefault" and len(call.arguments) == 2:
            return self.text(call.arguments[1].value, place, depth + 1)
        return None

    def _named(self, names: tuple[str, ...], node: Node, place: Place, depth: int) -> str | None:
        if len(names) == 1:
            local = _local(names[0], node)
            if local is not None:
                return self.text(local, place, depth + 1)
            if names[0] in place.bound:
                return place.bound[names[0]]
        found = self._code.constant(names, place.path, scope_of(node))
        if found is None:
            return None
        path, value = found
        return self.text(value, Place(path), depth + 1)


def dotted_names(node: Node) -> tuple[str, ...]:
    """`a.b.c` as names; empty for anything else."""
    names: list[str] = []
    current = node
    while current.type == "navigation_expression" and current.named_child_count == 2:
        last = current.named_children[1]
        if last.type != "identifier":
            return ()
        names.append(name_of(last))
        current = current.named_children[0]
    if current.type == "identifier":
        names.append(name_of(current))
    elif current.type != "this_expression":
        return ()
    return tuple(reversed(names))


def _local(name: str, node: Node) -> Node | None:
    """The initialiser of the local `val` that `name` means at `node`."""
    inner, current = node, node.parent
    while current is not None and current.type not in ("class_body", "source_file"):
        for child in current.named_children:
            if child.start_byte >= inner.start_byte:
                break
            if child.type == "property_declaration":
                declared, value = property_parts(child)
                if declared == name:
                    return value
        inner, current = current, current.parent
    return None
