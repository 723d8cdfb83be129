"""Kotlin declarations of a commit: packages, imports, constants and functions by full name."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node

from secai_lib.core.syntax import text_of, walk
from secai_lib.route_mapping.code import KOTLIN, Code

SHADOW_GET = "gEt"
"""Stands for `get` where the grammar would take a call of it for a property's getter."""
_LOOK_AHEAD = 200
"""Bytes looked at behind a `get`: white space and a bracket."""
_SCOPES = ("class_declaration", "object_declaration", "companion_object")
_STRINGS = ("string_literal", "multiline_string_literal")


@dataclass(frozen=True)
class Function:
    """A function declaration."""

    path: str
    name: str
    receiver: str
    """Simple name of the receiver's type; empty for a plain function."""
    parameters: tuple[tuple[str, str], ...]
    """(name, text of the type) in order."""
    node: Node

    @property
    def body(self) -> Node | None:
        """The function's body."""
        return next((c for c in self.node.children if c.type == "function_body"), None)


@dataclass
class KotlinFile:
    """What one file declares and imports."""

    path: str
    root: Node
    package: str = ""
    imports: dict[str, str] = field(default_factory=dict)
    """Simple name (or alias) -> full name."""
    stars: list[str] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)


class Name(NamedTuple):
    """A name put into a string as `$name`."""

    name: str


def repair_getters(root: Node, data: bytes) -> bytes:
    """`data` with `get` renamed where it is certainly a call.

    `val a = 1` followed by a line `get("/x") { }` is parsed as a property with a getter, and the
    rest of the file with errors. A real getter is `get()` or a bare `get`.
    """
    patched = bytearray(data)
    for leaf in walk(root):
        if leaf.child_count:
            continue
        start, end = leaf.start_byte, leaf.end_byte
        if data[start:end] != b"get":
            continue
        rest = data[end : end + _LOOK_AHEAD].lstrip()
        if rest[:1] in (b"{", b"<") or (rest[:1] == b"(" and rest[1:].lstrip()[:1] != b")"):
            patched[start:end] = SHADOW_GET.encode()
    return bytes(patched)


def name_of(node: Node) -> str:
    """The text of an identifier, the renamed `get` undone."""
    text = text_of(node)
    return "get" if text == SHADOW_GET else text.strip("`")


class KotlinCode:
    """The Kotlin files of a commit; a file is parsed when something in it is asked for."""

    def __init__(self, code: Code) -> None:
        """Read every product file's text; parse those that mention Ktor."""
        self._code = code
        self._texts = dict(code.product(KOTLIN))
        self._files: dict[str, KotlinFile] = {}
        self._asked: set[str] = set()
        self.constants: dict[str, tuple[str, Node]] = {}
        """Full name -> (file, initialiser)."""
        self.functions: dict[str, list[Function]] = {}
        """Full name -> the overloads."""
        for path, text in self._texts.items():
            if "io.ktor." in text:
                self.file(path)
        self.ktor_paths = tuple(self._files)

    def file(self, path: str) -> KotlinFile:
        """The declarations of `path`."""
        if path not in self._files:
            root = self._code.tree(path, repair_getters)
            self._files[path] = file = KotlinFile(path, root)
            self._read(file)
        return self._files[path]

    def named(self, name: str) -> list[Function]:
        """Every function with the simple name `name` in the files parsed so far."""
        return [f for file in self._files.values() for f in file.functions if f.name == name]

    def constant(self, names: tuple[str, ...], path: str, within: str) -> tuple[str, Node] | None:
        """(file, initialiser) of the constant that `names` means in `path` inside `within`.

        `within` is the dotted name of the enclosing classes. Order as in Kotlin: own classes,
        explicit imports, own package, star imports.
        """
        self._ask(names[-1])
        return next(
            (self.constants[f] for f in self._full(names, path, within) if f in self.constants),
            None,
        )

    def function(self, name: str, path: str, within: str) -> list[Function]:
        """The overloads that the call of `name` in `path` inside `within` can mean."""
        for full in self._full((name,), path, within):
            if full in self.functions:
                return self.functions[full]
        return []

    def _full(self, names: tuple[str, ...], path: str, within: str) -> Iterator[str]:
        file = self.file(path)
        dotted = ".".join(names)
        scope = within
        while scope:
            yield _join(file.package, scope, dotted)
            scope = scope.rpartition(".")[0]
        if names[0] in file.imports:
            yield _join(file.imports[names[0]], *names[1:])
            return
        yield _join(file.package, dotted)
        for star in file.stars:
            yield _join(star, dotted)
        yield dotted

    def _ask(self, name: str) -> None:
        if name in self._asked:
            return
        self._asked.add(name)
        for path, text in self._texts.items():
            if path not in self._files and f"val {name}" in text:
                self.file(path)

    def _read(self, file: KotlinFile) -> None:
        pending: list[tuple[Node, str]] = [(file.root, "")]
        while pending:
            node, scope = pending.pop()
            for child in node.children:
                if child.type == "package_header":
                    file.package = text_of(child).removeprefix("package").strip().rstrip(";")
                elif child.type == "import":
                    _read_import(file, child)
                elif child.type == "property_declaration":
                    self._read_property(file, child, scope)
                elif child.type == "function_declaration":
                    self._read_function(file, child, scope)
                elif child.type in _SCOPES:
                    name = child.child_by_field_name("name")
                    pending.append((child, _join(scope, name_of(name)) if name else scope))
                elif child.type in ("class_body", "ERROR"):
                    pending.append((child, scope))

    def _read_property(self, file: KotlinFile, node: Node, scope: str) -> None:
        name, value = property_parts(node)
        if name and value is not None:
            self.constants.setdefault(_join(file.package, scope, name), (file.path, value))

    def _read_function(self, file: KotlinFile, node: Node, scope: str) -> None:
        name = node.child_by_field_name("name")
        if name is None:
            return
        receiver = ""
        for child in node.children:
            if child == name:
                break
            if child.type in ("user_type", "nullable_type"):
                receiver = simple_type(text_of(child))
        function = Function(file.path, name_of(name), receiver, _parameters(node), node)
        file.functions.append(function)
        self.functions.setdefault(_join(file.package, scope, function.name), []).append(function)


def simple_type(text: str) -> str:
    """`Route` of `io.ktor.server.routing.Route?`."""
    return text.split("<")[0].rpartition(".")[2].rstrip("? ")


def property_parts(node: Node) -> tuple[str, Node | None]:
    """The name and the initialiser of a `val`; empty and None for anything else."""
    if not any(child.type == "val" for child in node.children):
        return "", None
    name, after = "", False
    for child in node.children:
        if child.type == "variable_declaration" and child.named_child_count:
            name = name_of(child.named_children[0])
        elif child.type == "=":
            after = True
        elif after and child.is_named and child.type not in ("getter", "setter"):
            return name, child
    return name, None


def scope_of(node: Node) -> str:
    """The dotted name of the classes and objects round `node`."""
    names: list[str] = []
    current = node.parent
    while current is not None:
        if current.type in _SCOPES and (name := current.child_by_field_name("name")):
            names.append(name_of(name))
        current = current.parent
    return ".".join(reversed(names))


def string_parts(node: Node) -> list[str | Name | Node] | None:
    """The pieces of a string literal: text, or what is put in; None for anything else."""
    if node.type not in _STRINGS:
        return None
    parts: list[str | Name | Node] = []
    dollar = False
    for child in node.named_children:
        if child.type == "interpolation":
            parts.append(child.named_children[0] if child.named_child_count else child)
        elif child.type == "escape_sequence":
            parts.append(_unescape(text_of(child)))
        elif dollar:
            name, rest = _leading_name(text_of(child))
            # The grammar splits `$NAME` in a plain string into `$` and text that begins with NAME.
            parts[-1:] = [Name(name), rest] if name else ["$", rest]
        else:
            parts.append(text_of(child))
        dollar = child.type == "string_content" and text_of(child) == "$"
    return parts


def _leading_name(text: str) -> tuple[str, str]:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return (text[:end], text[end:]) if text[:end].isidentifier() else ("", text)


def _unescape(text: str) -> str:
    if text.startswith("\\u"):
        try:
            return chr(int(text[2:], 16))
        except ValueError:
            return ""
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b"}.get(text[1:], text[1:])


def _parameters(node: Node) -> tuple[tuple[str, str], ...]:
    found = []
    for child in node.children:
        if child.type != "function_value_parameters":
            continue
        for parameter in child.named_children:
            if parameter.type == "parameter" and parameter.named_child_count >= 2:
                name, kind = parameter.named_children[0], parameter.named_children[-1]
                found.append((name_of(name), text_of(kind)))
    return tuple(found)


def _read_import(file: KotlinFile, node: Node) -> None:
    parts = [child for child in node.named_children if not child.type.endswith("comment")]
    if not parts:
        return
    full = text_of(parts[0])
    if any(child.type == "*" for child in node.children):
        file.stars.append(full)
    else:
        alias = name_of(parts[1]) if len(parts) > 1 else full.rpartition(".")[2]
        file.imports[alias] = full


def _join(*names: str) -> str:
    return ".".join(name for name in names if name)
