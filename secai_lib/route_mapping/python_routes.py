"""What Python's web frameworks share: applications, routers under prefixes, and decorators."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from tree_sitter import Node

from secai_lib.core.syntax import line_of, lines_of, text_of, walk
from secai_lib.route_mapping.code import MAX_NESTING, Code
from secai_lib.route_mapping.frameworks import (
    MAX_DEPTH,
    MAX_ROUTES,
    MAX_STEPS,
    Found,
    FoundRoute,
    Server,
)
from secai_lib.route_mapping.python_code import Bound, PythonCode, arguments
from secai_lib.route_mapping.table import Gap

Key = tuple[str, int]


@dataclass(frozen=True)
class Words:
    """What a framework calls its parts."""

    framework: str
    package: str
    app: str
    """Class of the application."""
    router: str
    """Class of a part that is mounted."""
    prefix: str
    """Argument with the prefix of such a part."""
    mount: str
    """Method that mounts one."""
    route: str
    """Method for a route whose HTTP methods are an argument."""
    add: str
    """The same without a decorator."""
    default_port: int
    overrides: bool
    """Whether the prefix at the mount replaces that of the part; else it comes before it."""
    first_wins: bool
    """Whether the first declared route that fits answers; else the most exact one."""
    verbs: frozenset[str] = frozenset(["get", "post", "put", "delete", "patch"])


class _Mount(NamedTuple):
    prefix: str | None
    key: Key


@dataclass
class _Part:
    is_app: bool
    prefix: str | None
    items: list[FoundRoute | _Mount] = field(default_factory=list)
    """Routes and mounts in the order of the code."""
    ports: set[int] = field(default_factory=set)


class PythonReading:
    """One pass over the Python files of a commit for one framework."""

    def __init__(self, code: Code, words: Words) -> None:
        """Look for `words` in `code`."""
        self._code, self._words = code, words
        self._python = PythonCode(code)
        self._parts: dict[Key, _Part] = {}
        self._gaps: set[Gap] = set()
        self._steps = 0

    def found(self) -> Found:
        """The servers with their routes, in the order of their files."""
        if any(self._words.package in text for text in self._python.texts.values()):
            for path, text in self._python.texts.items():
                if any(word in text for word in (self._words.package, "@", ".mount(", ".run(")):
                    self._read_file(path)
        found = Found(gaps=self._gaps)
        mounted = {
            item.key for p in self._parts.values() for item in p.items if isinstance(item, _Mount)
        }
        for key, part in sorted(self._parts.items()):
            if not part.is_app or key in mounted:
                continue
            root, ports = self._code.root_of(key[0]), tuple(sorted(part.ports))
            server = Server(self._words.framework, root, ports, self._words.default_port)
            for order, route in enumerate(self._below(key, "", ())):
                if order >= MAX_ROUTES:
                    self._gap(route.path, route.line, "too many routes")
                    break
                server.routes.add(route._replace(order=order if self._words.first_wins else 0))
            found.servers.append(server)
        return found

    def _below(self, key: Key, prefix: str, trail: tuple[Key, ...]) -> Iterator[FoundRoute]:
        self._steps += 1
        part = self._parts.get(key)
        if part is None or key in trail or len(trail) > MAX_DEPTH or self._steps > MAX_STEPS:
            return
        for item in part.items:
            if isinstance(item, FoundRoute):
                yield item._replace(pattern=_join(prefix, item.pattern))
                continue
            child = self._parts.get(item.key)
            own = child.prefix if child else None
            under = item.prefix
            if self._words.overrides:
                under = own if under == "" else under
            elif under is not None and own is not None:
                under = _join(under, own)
            if under is not None:
                yield from self._below(item.key, _join(prefix, under), (*trail, key))

    def _read_file(self, path: str) -> None:
        for node in walk(self._python.file(path).root, "call", max_depth=MAX_NESTING):
            function = node.child_by_field_name("function")
            if function is None or function.type != "attribute":
                continue
            owner = function.child_by_field_name("object")
            name = function.child_by_field_name("attribute")
            if owner is None or name is None:
                continue
            self._call(node, owner, text_of(name), path)

    def _call(self, node: Node, owner: Node, name: str, path: str) -> None:
        words, given = self._words, arguments(node)
        if name == "run" and text_of(owner) == "uvicorn":
            if given[0] and (part := self._part(given[0][0], path)):
                self._port(part, given[1].get("port"), path)
            return
        wanted = (*words.verbs, words.route, words.add, words.mount, "mount", "run", "websocket")
        if name not in wanted:
            return
        part = self._part(owner, path)
        if part is None:
            return
        if name == "run":
            self._port(part, given[1].get("port"), path)
        elif name in (words.mount, "mount"):
            self._mount(part, given, path, name)
        else:
            self._route(part, node, name, path)

    def _port(self, part: _Part, node: Node | None, path: str) -> None:
        text = self._python.text(node, path)
        if node is None:
            part.ports.add(self._words.default_port)
        elif text and text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536:
            part.ports.add(int(text))

    def _mount(
        self, part: _Part, given: tuple[list[Node], dict[str, Node]], path: str, name: str
    ) -> None:
        positional, named = given
        whole = name != self._words.mount  # mount("/path", app)
        target = positional[1:2] if whole else positional[:1]
        child = self._key(target[0], path) if target else None
        if child is None:
            return
        node = positional[0] if whole else named.get(self._words.prefix)
        prefix = "" if node is None else self._python.text(node, path)
        if prefix is None:
            self._gap(path, line_of(target[0]), "the path of this router is no constant")
        part.items.append(_Mount(prefix, child))

    def _route(self, part: _Part, node: Node, name: str, path: str) -> None:
        positional, named = arguments(node)
        first = positional[0] if positional else named.get("rule", named.get("path"))
        pattern = self._python.text(first, path)
        methods = self._methods(name, named.get("methods"), path)
        if pattern is None or methods is None:
            self._gap(path, line_of(node), "the path or the methods of this route are no constants")
            return
        parent = node.parent
        place, handler = node, (path, line_of(node))
        if parent is not None and parent.type == "decorator" and parent.parent is not None:
            place = parent
            function = parent.parent.child_by_field_name("definition")
            if function is not None:
                handler = (path, line_of(function))
            end = lines_of(parent.parent)[1]
        elif name != self._words.add:
            return
        else:
            end = lines_of(node)[1]
            view = named.get("view_func", named.get("endpoint"))
            view = view or (positional[-1] if len(positional) > 1 else None)
            bound = self._python.resolve(view, path) if view is not None else None
            if bound is None or bound.node.type != "function_definition":
                if "methods" not in named:
                    self._gap(path, line_of(node), "this route's view is no function known here")
                    return
            else:
                handler = (bound.path, line_of(bound.node))
        for method in methods:
            part.items.append(FoundRoute(method, pattern, path, line_of(place), end, *handler))

    def _methods(self, name: str, node: Node | None, path: str) -> list[str] | None:
        if name in self._words.verbs:
            return [name.upper()]
        if node is None or name == "websocket":
            return ["GET"]
        bound = self._python.resolve(node, path)
        if bound is None or bound.node.type not in ("list", "tuple", "set"):
            return None
        texts = [self._python.text(child, bound.path) for child in bound.node.named_children]
        known = [text.upper() for text in texts if text is not None]
        return known if len(known) == len(texts) else None

    def _key(self, node: Node, path: str) -> Key | None:
        bound = self._python.resolve(node, path)
        if bound is None or bound.node.type != "call":
            return None
        key = (bound.path, bound.node.start_byte)
        if key not in self._parts:
            kind = self._kind(bound)
            if kind is None:
                return None
            self._parts[key] = kind
        return key

    def _part(self, node: Node, path: str) -> _Part | None:
        key = self._key(node, path)
        return self._parts[key] if key else None

    def _kind(self, bound: Bound) -> _Part | None:
        """The application or router that a call makes."""
        function = bound.node.child_by_field_name("function")
        origin = self._python.origin(function, bound.path) if function is not None else ""
        package, _, name = origin.rpartition(".")
        if package.partition(".")[0] != self._words.package:
            return None
        if name == self._words.app:
            return _Part(is_app=True, prefix="")
        if name != self._words.router:
            return None
        node = arguments(bound.node)[1].get(self._words.prefix)
        return _Part(is_app=False, prefix=self._python.text(node, bound.path) if node else "")

    def _gap(self, path: str, line: int, reason: str) -> None:
        if len(self._gaps) < MAX_ROUTES:
            self._gaps.add(Gap(path=path, line=line, reason=reason, root=self._code.root_of(path)))


def _join(prefix: str, path: str) -> str:
    return f"{prefix.rstrip('/')}/{path.lstrip('/')}" if path else prefix
