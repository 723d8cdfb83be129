"""JavaScript and TypeScript modules: who imports, declares and exports what."""

from dataclasses import dataclass, field
from posixpath import normpath

from tree_sitter import Node

from secai_lib.core.syntax import text_of, walk
from secai_lib.route_mapping.code import MAX_NESTING, SCRIPTS, Code, folder_of

DEFAULT = "default"
WHOLE = "*"
"""The export name of a whole module (`import * as x`, `require`)."""
_FUNCTIONS = [
    "function_declaration",
    "function_expression",
    "arrow_function",
    "generator_function_declaration",
    "method_definition",
]
_MAX_HOPS = 20


@dataclass(frozen=True)
class Definition:
    """What a name means: an expression, a function or a parameter, and its file."""

    path: str
    node: Node

    @property
    def key(self) -> tuple[str, int, str]:
        """Tells definitions apart."""
        return (self.path, self.node.start_byte, self.node.type)


@dataclass
class ScriptFile:
    """One module."""

    path: str
    root: Node
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Local name -> (module as written, exported name)."""
    exports: dict[str, Node] = field(default_factory=dict)
    """Exported name -> expression or function of this file."""
    reexports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Exported name -> (module as written, its name there)."""
    stars: list[str] = field(default_factory=list)


class ScriptCode:
    """The script files of a commit, parsed when asked for."""

    def __init__(self, code: Code) -> None:
        """Look at every product file's text; parse nothing yet."""
        self._code = code
        self.texts = dict(code.product(SCRIPTS))
        self._files: dict[str, ScriptFile] = {}

    def file(self, path: str) -> ScriptFile:
        """The module `path`."""
        if path not in self._files:
            self._files[path] = file = ScriptFile(path, self._code.tree(path))
            for node in file.root.named_children:
                _read_statement(file, node)
            _read_requires(file)
        return self._files[path]

    def module(self, path: str, wanted: str) -> str:
        """The file that `wanted` (`./x`, `../y.js`) means in `path`; empty for a package."""
        if not wanted.startswith("."):
            return ""
        base = normpath(f"{folder_of(path) or '.'}/{wanted}")
        stem = base.rpartition(".")[0] if base.endswith((".js", ".mjs", ".cjs", ".jsx")) else base
        candidates = [base] + [f"{s}{x}" for s in (stem, base) for x in SCRIPTS]
        candidates += [f"{base}/index{suffix}" for suffix in SCRIPTS]
        return next((c for c in candidates if c in self.texts), "")

    def resolve(self, name: str, node: Node, path: str) -> Definition | None:
        """What the identifier `name` at `node` means; None for packages and unknown names."""
        for _ in range(_MAX_HOPS):
            local = local_definition(name, node)
            if local is None:
                break
            if local.type != "identifier" or local.id == node.id or not _is_value(local):
                return Definition(path, local)
            name, node = text_of(local), local  # const a = b
        else:
            return None
        imported = self.file(path).imports.get(name)
        if imported is None:
            return None
        target = self.module(path, imported[0])
        return self.exported(target, imported[1]) if target else None

    def package_of(self, name: str, path: str) -> tuple[str, str] | None:
        """(package, exported name) that `name` is imported as in `path`."""
        return self.file(path).imports.get(name)

    def exported(self, path: str, name: str, hops: int = 0) -> Definition | None:
        """What the module `path` exports as `name`, through re-exports."""
        if hops > _MAX_HOPS:
            return None
        file = self.file(path)
        wanted = [name, DEFAULT] if name == WHOLE else [name, WHOLE] if name == DEFAULT else [name]
        for candidate in wanted:
            if (node := file.exports.get(candidate)) is not None:
                if node.type == "identifier":
                    return self.resolve(text_of(node), node, path)
                return Definition(path, node)
            if candidate in file.reexports:
                module, there = file.reexports[candidate]
                target = self.module(path, module)
                return self.exported(target, there, hops + 1) if target else None
        if WHOLE in file.exports and file.exports[WHOLE].type == "object":
            return self._member_of(Definition(path, file.exports[WHOLE]), name)
        for module in file.stars:
            target = self.module(path, module)
            if target and (found := self.exported(target, name, hops + 1)):
                return found
        return None

    def member(self, owner: Node, name: str, path: str) -> Definition | None:
        """What `owner.name` means where `owner` is an imported module or a literal object."""
        if text_of(owner) in ("exports", "module.exports"):
            return self.exported(path, name)
        if owner.type != "identifier":
            return None
        imported = self.file(path).imports.get(text_of(owner))
        if imported and local_definition(text_of(owner), owner) is None:
            target = self.module(path, imported[0])
            if target and imported[1] in (WHOLE, DEFAULT):
                found = self.exported(target, name)
                if found or imported[1] == WHOLE:
                    return found
        defined = self.resolve(text_of(owner), owner, path)
        return self._member_of(defined, name) if defined else None

    def _member_of(self, owner: Definition, name: str) -> Definition | None:
        node = unwrapped(owner.node)
        if node.type == "enum_declaration":
            node = node.child_by_field_name("body") or node
        for child in node.named_children if node.type in ("object", "enum_body") else ():
            if child.type in ("pair", "enum_assignment"):
                key = child.child_by_field_name("key") or child.child_by_field_name("name")
                value = child.child_by_field_name("value")
                if key is not None and value is not None and text_of(key).strip("\"'") == name:
                    return Definition(owner.path, value)
            elif child.type == "shorthand_property_identifier" and text_of(child) == name:
                return self.resolve(name, child, owner.path)
        return None


def unwrapped(node: Node) -> Node:
    """`node` without brackets, `as const`, `satisfies`, `!` and `await`."""
    wrappers = (
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "await_expression",
    )
    while node.type in wrappers and node.named_child_count:
        node = node.named_children[0]
    return node


def local_definition(name: str, node: Node) -> Node | None:
    """The initialiser, function or parameter that `name` means in the blocks round `node`."""
    current = node.parent
    while current is not None:
        if current.type in ("statement_block", "program"):
            for child in current.named_children:
                if (found := _declared(child, name)) is not None:
                    return found
        elif current.type in _FUNCTIONS:
            for parameter in parameters(current):
                if text_of(parameter) == name:
                    return parameter
        current = current.parent
    return None


def parameters(function: Node) -> list[Node]:
    """The names of a function's parameters, in order."""
    single = function.child_by_field_name("parameter")
    if single is not None:
        return [single]
    listed = function.child_by_field_name("parameters")
    found = []
    for child in listed.named_children if listed is not None else ():
        pattern = child.child_by_field_name("pattern") or child.child_by_field_name("left")
        found.append(pattern or child)
    return found


def function_of(node: Node) -> Node | None:
    """The function that `node` is, brackets undone; None for anything else."""
    node = unwrapped(node)
    return node if node.type in _FUNCTIONS else None


def string_of(node: Node | None) -> str:
    """The text of a plain string literal; empty for anything else."""
    return text_of(node)[1:-1] if node is not None and node.type == "string" else ""


def _is_value(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.child_by_field_name("value") == node


def _declared(node: Node, name: str) -> Node | None:
    if node.type == "export_statement":
        node = node.child_by_field_name("declaration") or node
    if node.type in ("lexical_declaration", "variable_declaration"):
        for child in node.named_children:
            declared = child.child_by_field_name("name")
            if declared is not None and declared.type == "identifier" and text_of(declared) == name:
                value = child.child_by_field_name("value")
                return value if value is None or not _required(value) else None
    elif node.type in (*_FUNCTIONS, "enum_declaration"):
        declared = node.child_by_field_name("name")
        if declared is not None and text_of(declared) == name:
            return node
    return None


def _required(node: Node) -> str:
    """The module of `require("x")` or `await import("x")`; empty for anything else."""
    node = unwrapped(node)
    function = node.child_by_field_name("function") if node.type == "call_expression" else None
    if function is None or text_of(function) not in ("require", "import"):
        return ""
    arguments = node.child_by_field_name("arguments")
    given = arguments.named_children if arguments is not None else []
    return string_of(given[0]) if len(given) == 1 else ""


def required_module(node: Node) -> str:
    """The module that `node` requires on the spot; empty for anything else."""
    return _required(node)


def _read_statement(file: ScriptFile, node: Node) -> None:
    if node.type == "import_statement":
        _read_import(file, node)
    elif node.type == "export_statement":
        _read_export(file, node)
    elif node.type == "expression_statement" and node.named_child_count:
        _read_assignment(file, node.named_children[0])


def _read_import(file: ScriptFile, node: Node) -> None:
    source = string_of(node.child_by_field_name("source"))
    for clause in node.named_children:
        if clause.type == "import_require_clause":
            source = string_of(clause.child_by_field_name("source"))
            file.imports[text_of(clause.named_children[0])] = (source, WHOLE)
        for child in clause.named_children if clause.type == "import_clause" else ():
            if child.type == "identifier":
                file.imports[text_of(child)] = (source, DEFAULT)
            elif child.type == "namespace_import" and child.named_child_count:
                file.imports[text_of(child.named_children[0])] = (source, WHOLE)
            elif child.type == "named_imports":
                for there, here in _specifiers(child):
                    file.imports[here] = (source, there)


def _specifiers(node: Node) -> list[tuple[str, str]]:
    found = []
    for child in node.named_children:
        name = child.child_by_field_name("name")
        alias = child.child_by_field_name("alias") or name
        if name is not None and alias is not None:
            found.append((text_of(name), text_of(alias)))
    return found


def _read_export(file: ScriptFile, node: Node) -> None:
    source = string_of(node.child_by_field_name("source"))
    value = node.child_by_field_name("value")
    declaration = node.child_by_field_name("declaration")
    if value is not None:
        file.exports[DEFAULT] = value
    elif declaration is not None:
        if any(child.type == "default" for child in node.children):
            file.exports[DEFAULT] = declaration
        for child in [declaration, *declaration.named_children]:
            name = child.child_by_field_name("name")
            if name is not None and name.type in ("identifier", "type_identifier"):
                given = child.child_by_field_name("value")
                file.exports.setdefault(text_of(name), given if given is not None else child)
    elif source and any(child.type == "*" for child in node.children):
        file.stars.append(source)
    for clause in node.named_children:
        if clause.type != "export_clause":
            continue
        for specifier in clause.named_children:
            name = specifier.child_by_field_name("name")
            alias = specifier.child_by_field_name("alias") or name
            if name is None or alias is None:
                continue
            if source:
                file.reexports[text_of(alias)] = (source, text_of(name))
            else:
                file.exports[text_of(alias)] = name


def _read_assignment(file: ScriptFile, node: Node) -> None:
    """`module.exports = x`, `module.exports.a = x`, `exports.a = x`."""
    hops = 0
    while node.type == "assignment_expression" and hops < _MAX_HOPS:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        value = right
        while value.type == "assignment_expression" and (
            deeper := value.child_by_field_name("right")
        ):
            value = deeper
        target = text_of(left)
        if target in ("module.exports", "exports"):
            file.exports[WHOLE] = value
        elif target.startswith(("module.exports.", "exports.")):
            file.exports[target.rpartition(".")[2]] = value
        node, hops = right, hops + 1


def _read_requires(file: ScriptFile) -> None:
    for node in walk(file.root, "variable_declarator", max_depth=MAX_NESTING):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            continue
        value, member = unwrapped(value), WHOLE
        if value.type == "member_expression":
            member = text_of(value.child_by_field_name("property") or value)
            value = value.child_by_field_name("object") or value
        module = _required(value)
        if not module:
            continue
        if name.type == "identifier":
            file.imports.setdefault(text_of(name), (module, member))
        elif name.type == "object_pattern":
            for child in name.named_children:
                key, local = child.child_by_field_name("key"), child.child_by_field_name("value")
                there = text_of(key if key is not None else child)
                file.imports.setdefault(text_of(local) if local else there, (module, there))
