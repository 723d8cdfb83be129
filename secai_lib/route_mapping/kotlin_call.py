"""A Kotlin call, whatever way it is written: name, receiver, arguments, lambdas."""

from dataclasses import dataclass

from tree_sitter import Node

from secai_lib.route_mapping.kotlin_code import name_of


@dataclass(frozen=True)
class Argument:
    """A value argument."""

    name: str
    """The name it is given by; empty when by position."""
    value: Node


@dataclass(frozen=True)
class Call:
    """A call expression, the trailing lambda joined with the rest."""

    node: Node
    name: str
    receiver: Node | None
    arguments: tuple[Argument, ...]
    """Arguments in brackets, in order."""
    trailing: Node | None
    """The lambda behind the brackets."""
    generic: bool
    """Whether it has type arguments."""

    def argument(self, name: str, position: int) -> Node | None:
        """The argument given as `name`, else the one at `position` if that has no name."""
        for argument in self.arguments:
            if argument.name == name:
                return argument.value
        if position < len(self.arguments) and not self.arguments[position].name:
            return self.arguments[position].value
        return None

    @property
    def lambdas(self) -> tuple[Node, ...]:
        """Every lambda that is passed, the trailing one last."""
        inside = tuple(a.value for a in self.arguments if a.value.type == "lambda_literal")
        return (*inside, self.trailing) if self.trailing else inside


def call_of(node: Node) -> Call | None:
    """The call that `node` (a `call_expression`) is; None when its callee has no name."""
    callee, trailing = node, None
    arguments: list[Argument] = []
    generic = False
    for _ in range(2):  # `f(a) { }` is a call of the call `f(a)`
        if callee.type != "call_expression" or not callee.named_child_count:
            break
        bracketed = False
        for child in callee.named_children[1:]:
            if child.type == "annotated_lambda":
                trailing = trailing or _lambda_in(child)
            elif child.type == "value_arguments":
                arguments, bracketed = [*_arguments(child), *arguments], True
            elif child.type == "type_arguments":
                generic = True
        callee = callee.named_children[0]
        if bracketed:
            break
    if callee.type == "identifier":
        return Call(node, name_of(callee), None, tuple(arguments), trailing, generic)
    if callee.type == "navigation_expression" and callee.named_child_count == 2:
        receiver, name = callee.named_children
        if name.type == "identifier":
            return Call(node, name_of(name), receiver, tuple(arguments), trailing, generic)
    return None


def _arguments(node: Node) -> list[Argument]:
    found = []
    for child in node.named_children:
        if child.type != "value_argument" or not child.named_child_count:
            continue
        parts = [c for c in child.named_children if c.type not in ("line_comment", "block_comment")]
        named = any(c.type == "=" for c in child.children) and len(parts) == 2
        if not parts:
            continue
        value = parts[-1]
        if value.type == "annotated_lambda":
            value = _lambda_in(value) or value
        found.append(Argument(name_of(parts[0]) if named else "", value))
    return found


def _lambda_in(node: Node) -> Node | None:
    return next((c for c in node.named_children if c.type == "lambda_literal"), None)
