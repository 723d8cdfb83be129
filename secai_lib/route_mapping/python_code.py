"""Python modules of a commit: what names are bound to, across imports and functions."""

from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node

from secai_lib.core.syntax import text_of, walk
from secai_lib.route_mapping.code import MAX_NESTING, Code, folder_of

_MAX_HOPS = 20
_MAX_TEXT = 4_096
_SCOPES = ("function_definition", "lambda", "class_definition")


class Bound(NamedTuple):
    """A value and the file it stands in."""

    path: str
    node: Node


@dataclass
class PythonFile:
    """One module."""

    root: Node
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Local name -> (module with its leading dots, name there; empty for the module itself)."""
    values: dict[tuple[int, str], list[Node]] = field(default_factory=dict)
    """(scope, name) -> what it is bound to; a function's or class's node for their names."""


class PythonCode:
    """The Python files of a commit, parsed when asked for."""

    def __init__(self, code: Code) -> None:
        """Read the texts of product code; parse nothing yet."""
        self._code = code
        self.texts = dict(code.product((".py",)))
        self._files: dict[str, PythonFile] = {}

    def file(self, path: str) -> PythonFile:
        """The module at `path`."""
        if path not in self._files:
            self._files[path] = file = PythonFile(self._code.tree(path))
            for node in walk(file.root, max_depth=MAX_NESTING):
                _read(file, node)
        return self._files[path]

    def module(self, path: str, dotted: str) -> str:
        """The file that the module `dotted` means in `path`; empty for a package from outside."""
        name = dotted.lstrip(".")
        up, folder = len(dotted) - len(name), folder_of(path)
        for _ in range(up - 1):
            folder = folder_of(folder)
        while True:
            base = "/".join(part for part in (folder, name.replace(".", "/")) if part)
            for candidate in (f"{base}.py", f"{base}/__init__.py" if base else "__init__.py"):
                if candidate in self.texts:
                    return candidate
            if up or not folder:
                return ""
            folder = folder_of(folder)

    def origin(self, node: Node, path: str) -> str:
        """The dotted name from outside that `node` means, e.g. `flask.Flask`; else empty."""
        names = text_of(node).split(".") if node.type in ("identifier", "attribute") else [""]
        module, there = self.file(path).imports.get(names[0], ("", ""))
        if not module or self.module(path, module) or self._bound(names[0], node, path):
            return ""
        return ".".join(part for part in (module, there, *names[1:]) if part)

    def resolve(self, node: Node, path: str) -> Bound | None:
        """The value behind the name or attribute `node`; None when it is not one known value."""
        for _ in range(_MAX_HOPS):
            if node.type not in ("identifier", "attribute"):
                return Bound(path, node)
            names = text_of(node).split(".")
            if len(names) == 1 and (values := self._bound(names[0], node, path)):
                if len(values) != 1 or values[0].id == node.id:
                    return None
                node = values[0]
                continue
            found = self._imported(names, path)
            if found is None:
                return None
            path, node = found
        return None

    def _imported(self, names: list[str], path: str) -> Bound | None:
        """What the dotted `names` of `path` mean in the module that they are imported from."""
        for _ in range(_MAX_HOPS):
            module, there = self.file(path).imports.get(names[0], ("", ""))
            if not module:
                return None
            names = names[1:]
            inner = f"{module}{'' if module.endswith('.') else '.'}{there}"
            if there and (target := self.module(path, inner)):
                path = target
            elif target := self.module(path, module):
                path, names = target, [there, *names] if there else names
            else:
                return None
            if not names:
                return None
            values = self.file(path).values.get((0, names[0]), [])
            if values:
                return Bound(path, values[0]) if len(names) == len(values) == 1 else None
        return None

    def _bound(self, name: str, node: Node, path: str) -> list[Node]:
        values, scope = self.file(path).values, node.parent
        while scope is not None:
            if scope.type in _SCOPES and (found := values.get((scope.start_byte, name))):
                return found
            scope = scope.parent
        return values.get((0, name), [])

    def text(self, node: Node | None, path: str, depth: int = 0) -> str | None:
        """The text that the expression `node` is; None when that takes more than constants."""
        if node is None or depth > _MAX_HOPS:
            return None
        pieces: list[str | None]
        if node.type == "string":
            pieces = [
                self.text(child.child_by_field_name("expression"), path, depth + 1)
                if child.type == "interpolation"
                else text_of(child)
                for child in node.named_children
                if child.type in ("string_content", "interpolation")
            ]
        elif node.type in ("concatenated_string", "parenthesized_expression") or (
            node.type == "binary_operator" and node.children[1].type == "+"
        ):
            pieces = [self.text(child, path, depth + 1) for child in node.named_children]
        elif node.type == "integer":
            pieces = [text_of(node)]
        else:
            found = self.resolve(node, path) if node.type in ("identifier", "attribute") else None
            return self.text(found.node, found.path, depth + 1) if found else None
        known = [piece for piece in pieces if piece is not None]
        whole = "".join(known)
        return whole if len(known) == len(pieces) and len(whole) <= _MAX_TEXT else None


def arguments(call: Node) -> tuple[list[Node], dict[str, Node]]:
    """The positional and the named arguments of `call`."""
    listed = call.child_by_field_name("arguments")
    positional: list[Node] = []
    named: dict[str, Node] = {}
    for child in listed.named_children if listed is not None else ():
        name, value = child.child_by_field_name("name"), child.child_by_field_name("value")
        if child.type == "keyword_argument" and name is not None and value is not None:
            named[text_of(name)] = value
        elif child.type != "comment":
            positional.append(child)
    return positional, named


def _read(file: PythonFile, node: Node) -> None:
    if node.type in ("import_statement", "import_from_statement"):
        source = node.child_by_field_name("module_name")
        for child in node.children_by_field_name("name"):
            name = child.child_by_field_name("name") or child
            alias = child.child_by_field_name("alias")
            if source is not None:
                file.imports[text_of(alias or name)] = (text_of(source), text_of(name))
            else:
                whole = text_of(name)
                file.imports[text_of(alias) if alias else whole.partition(".")[0]] = (
                    whole if alias else whole.partition(".")[0],
                    "",
                )
    elif node.type == "assignment":
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is not None and left.type == "identifier" and right is not None:
            _bind(file, left, right)
    elif node.type in ("function_definition", "class_definition"):
        if (declared := node.child_by_field_name("name")) is not None:
            _bind(file, node, node, text_of(declared))
        parameters = node.child_by_field_name("parameters")
        for child in parameters.named_children if parameters is not None else ():
            plain = child if child.type == "identifier" else child.child_by_field_name("name")
            inner = plain or (child.named_children[0] if child.named_child_count else None)
            if inner is not None:
                file.values.setdefault((node.start_byte, text_of(inner)), []).append(inner)


def _bind(file: PythonFile, place: Node, value: Node, name: str = "") -> None:
    scope = place.parent
    while scope is not None and scope.type not in _SCOPES:
        scope = scope.parent
    key = (scope.start_byte if scope is not None else 0, name or text_of(place))
    file.values.setdefault(key, []).append(value)
