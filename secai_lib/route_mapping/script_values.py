"""The text or number that a JavaScript or TypeScript expression is, without running it."""

from tree_sitter import Node

from secai_lib.core.syntax import text_of
from secai_lib.route_mapping.script_code import ScriptCode, string_of, unwrapped

_MAX_DEPTH = 40
_MAX_TEXT = 4_096
_MAX_STEPS = 2_000
"""Expressions looked at for one value: constants that double each other have no end."""
_CONVERSIONS = frozenset({"Number", "parseInt", "String", "Number.parseInt"})


class ScriptValues:
    """Evaluates constants, templates, concatenations and defaults of absent settings."""

    def __init__(self, code: ScriptCode) -> None:
        """Look names up in `code`."""
        self._code = code
        self._steps = 0

    def number(self, node: Node, path: str) -> int | None:
        """The whole number `node` is; None when that depends on more than constants."""
        text = self.text(node, path)
        return int(text) if text is not None and text.isascii() and text.isdigit() else None

    def text(self, node: Node, path: str, depth: int = 0) -> str | None:
        """The text `node` is (a number as its digits); None when it cannot be known.

        `process.env.X || 3000`, `?? 3000` and `process.env.X ? f(process.env.X) : 3000` are their
        default: what stands in the environment of the scanned run is not known here.
        """
        node = unwrapped(node)
        self._steps = self._steps + 1 if depth else 0
        if depth > _MAX_DEPTH or self._steps > _MAX_STEPS:
            return None
        if node.type == "string":
            return string_of(node)
        if node.type == "number":
            return text_of(node).replace("_", "")
        if node.type == "template_string":
            return self._template(node, path, depth)
        if node.type == "binary_expression":
            return self._binary(node, path, depth)
        if node.type == "ternary_expression":
            return self._ternary(node, path, depth)
        if node.type == "call_expression":
            function = node.child_by_field_name("function")
            arguments = node.child_by_field_name("arguments")
            if function is None or arguments is None or text_of(function) not in _CONVERSIONS:
                return None
            given = arguments.named_children
            return self.text(given[0], path, depth + 1) if given else None
        return self._named(node, path, depth)

    def _named(self, node: Node, path: str, depth: int) -> str | None:
        found = None
        if node.type == "identifier":
            found = self._code.resolve(text_of(node), node, path)
        elif node.type == "member_expression":
            owner, name = node.child_by_field_name("object"), node.child_by_field_name("property")
            if owner is not None and name is not None:
                found = self._code.member(owner, text_of(name), path)
        if found is None or found.node.id == node.id or found.node.type == "identifier":
            return None
        return self.text(found.node, found.path, depth + 1)

    def _template(self, node: Node, path: str, depth: int) -> str | None:
        done = ""
        for child in node.named_children:
            if child.type == "template_substitution" and child.named_child_count:
                piece = self.text(child.named_children[0], path, depth + 1)
            else:
                piece = text_of(child)
            if piece is None or len(done) > _MAX_TEXT:
                return None
            done += piece
        return done

    def _binary(self, node: Node, path: str, depth: int) -> str | None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        operator = node.child_by_field_name("operator")
        if left is None or right is None or operator is None:
            return None
        second = self.text(right, path, depth + 1)
        if text_of(operator) in ("||", "??"):
            first = self.text(left, path, depth + 1)
            return second if first is None else first
        if text_of(operator) != "+":
            return None
        first = self.text(left, path, depth + 1)
        if first is None or second is None or len(first) > _MAX_TEXT:
            return None
        return first + second

    def _ternary(self, node: Node, path: str, depth: int) -> str | None:
        condition = node.child_by_field_name("condition")
        otherwise = node.child_by_field_name("alternative")
        if condition is None or otherwise is None or "process.env" not in text_of(condition):
            return None
        return self.text(otherwise, path, depth + 1)
