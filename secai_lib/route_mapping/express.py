"""Express: applications, routers mounted under prefixes, and the ports they listen on."""

from dataclasses import dataclass, field

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
from secai_lib.route_mapping.script_code import (
    Definition,
    ScriptCode,
    function_of,
    parameters,
    required_module,
    unwrapped,
)
from secai_lib.route_mapping.script_values import ScriptValues
from secai_lib.route_mapping.table import ANY_METHOD, Gap

_VERBS = frozenset(["get", "post", "put", "delete", "patch", "head", "options", "all"])
_MAX_CALLS = 5_000
"""Calls of one file that may be routes; hand-written files have a few hundred."""
_MAX_CHAIN = 100
"""Calls in one chain such as `app.get(...).post(...)`."""
_SETTINGS = 1
"""`app.get("name")` with one argument reads a setting and is no route."""

Key = tuple[str, int, str]


@dataclass
class _Router:
    """An application or router, or a parameter that stands for one."""

    key: Key
    is_app: bool
    items: list[tuple[str, FoundRoute | Key]] = field(default_factory=list)
    """Routes, and routers with their prefixes, in the order of the code."""
    ports: list[int | None] = field(default_factory=list)


@dataclass(frozen=True)
class _Call:
    """`owner.name(arguments)`."""

    node: Node
    owner: Node
    name: str
    arguments: tuple[Node, ...]


class Express:
    """The reader of Express servers."""

    name = "express"

    def read(self, code: Code) -> Found:
        """The Express applications with their routes."""
        return _Reading(code).found()


class _Reading:
    """One pass over the scripts of a commit."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._scripts = ScriptCode(code)
        self._values = ScriptValues(self._scripts)
        self._done: set[str] = set()
        self._waiting: list[str] = []
        self._routers: dict[Key, _Router] = {}
        self._gaps: set[Gap] = set()
        self._steps = 0

    def found(self) -> Found:
        for path, text in self._scripts.texts.items():
            if any(word in text for word in ("express", "Router", ".use(", ".listen(")):
                self._read_file(path)
        while self._waiting:  # files that are given an application and do not name Express
            self._read_file(self._waiting.pop())
        found = Found(gaps=self._gaps)
        for router in sorted(self._routers.values(), key=lambda r: r.key):
            if not router.is_app:
                continue
            ports = tuple(sorted({port for port in router.ports if port}))
            server = Server(Express.name, self._code.root_of(router.key[0]), ports)
            server.routes |= self._below(router)
            if server.routes or router.ports:
                found.servers.append(server)
        return found

    def _below(self, app: _Router) -> set[FoundRoute]:
        """The routes of `app` and what it mounts; Express takes the first that fits."""
        found: dict[FoundRoute, int] = {}
        pending: list[tuple[FoundRoute | Key, str, tuple[Key, ...]]] = [(app.key, "", ())]
        while pending:
            item, prefix, trail = pending.pop()
            self._steps += 1
            if self._steps > MAX_STEPS or len(found) > MAX_ROUTES or len(trail) > MAX_DEPTH:
                self._gap(app.key[0], 1, "too many routers inside one another")
                break
            if isinstance(item, FoundRoute):
                whole = item._replace(pattern=join(prefix, item.pattern) or "/")
                found.setdefault(whole, len(found))
                continue
            router = self._routers.get(item)
            if router is None or item in trail:
                continue
            for under, child in reversed(router.items):
                pending.append((child, join(prefix, under), (*trail, item)))
        return {route._replace(order=order) for route, order in found.items()}

    def _read_file(self, path: str) -> None:
        if path in self._done:
            return
        self._done.add(path)
        root = self._scripts.file(path).root
        calls = walk(root, "call_expression", max_depth=MAX_NESTING)
        for seen, node in enumerate(calls):
            if seen >= _MAX_CALLS:
                self._gap(path, line_of(node), "this file has too many calls to look at")
                return
            call = _call(node)
            if call is None:
                self._hand_over(node, path)
            elif call.name in _VERBS:
                self._verb(call, path)
            elif call.name == "use":
                self._use(call, path)
            elif call.name == "listen":
                self._listen(call, path)
            else:
                self._hand_over(node, path)

    def _verb(self, call: _Call, path: str) -> None:
        chain, owner = None, unwrapped(call.owner)
        hops = 0
        while (inner := _call(owner)) is not None:  # app.route("/x").get(f).post(g)
            hops += 1
            if inner.name == "route":
                chain, owner = inner, unwrapped(inner.owner)
                break
            if inner.name not in _VERBS or hops > _MAX_CHAIN:
                return
            owner = unwrapped(inner.owner)
        router = self._router(owner, path)
        if router is None:
            return
        if chain is None and len(call.arguments) <= _SETTINGS:
            return
        node = chain.arguments[0] if chain and chain.arguments else None
        node = node if chain else call.arguments[0]
        line = call.node.child_by_field_name("function")
        line_node = line.child_by_field_name("property") if line is not None else None
        for pattern in self._paths(node, path):
            if pattern is None:
                self._gap(path, line_of(call.node), "the path of this route is no constant")
                continue
            method = ANY_METHOD if call.name == "all" else call.name.upper()
            at = line_of(line_node) if chain and line_node else line_of(call.node)
            end = lines_of(call.node)[1]
            handler = self._handler(call.arguments[-1], path) if call.arguments else (path, at)
            router.items.append(("", FoundRoute(method, pattern, path, at, end, *handler)))

    def _handler(self, node: Node, path: str) -> tuple[str, int]:
        node = unwrapped(node)
        found = None
        if node.type == "identifier":
            found = self._scripts.resolve(text_of(node), node, path)
        elif node.type == "member_expression":
            owner, name = node.child_by_field_name("object"), node.child_by_field_name("property")
            if owner is not None and name is not None:
                found = self._scripts.member(owner, text_of(name), path)
        return (found.path, line_of(found.node)) if found else (path, line_of(node))

    def _paths(self, node: Node | None, path: str) -> list[str | None]:
        if node is None:
            return [None]
        node = unwrapped(node)
        if node.type == "array":
            return [self._values.text(child, path) for child in node.named_children]
        return [self._values.text(node, path)]

    def _use(self, call: _Call, path: str) -> None:
        router = self._router(unwrapped(call.owner), path)
        if router is None or not call.arguments:
            return
        prefixes: list[str | None] = [""]
        handlers = call.arguments
        if self._child(call.arguments[0], path) is None and len(call.arguments) > 1:
            first = self._paths(call.arguments[0], path)
            if first != [None]:
                prefixes, handlers = first, call.arguments[1:]
            elif unwrapped(call.arguments[0]).type in ("template_string", "regex", "identifier"):
                known = function_of(call.arguments[0]) is not None
                prefixes, handlers = ([""] if known else [None]), call.arguments[1:]
        for handler in handlers:
            child = self._child(handler, path)
            for prefix in prefixes if child else ():
                if prefix is None:
                    self._gap(path, line_of(call.node), "the path of this router is no constant")
                elif child is not None:
                    router.items.append((prefix, child.key))

    def _listen(self, call: _Call, path: str) -> None:
        owner = unwrapped(call.owner)
        router = self._router(owner, path)
        if router is None:  # http.createServer(app).listen(3000)
            for argument in self._server_arguments(owner, path):
                router = router or self._router(argument, path)
        if router is None:
            return
        port = None
        if call.arguments:
            first = unwrapped(call.arguments[0])
            if first.type == "object":
                first = next(
                    (
                        value
                        for pair in first.named_children
                        if pair.type == "pair"
                        and text_of(pair.child_by_field_name("key") or pair) == "port"
                        and (value := pair.child_by_field_name("value"))
                    ),
                    first,
                )
            port = self._values.number(first, path)
        router.ports.append(port if port is not None and 0 < port < 65_536 else None)

    def _server_arguments(self, node: Node, path: str) -> tuple[Node, ...]:
        if node.type == "identifier":
            found = self._scripts.resolve(text_of(node), node, path)
            node = unwrapped(found.node) if found else node
        if node.type != "call_expression":
            return ()
        function = node.child_by_field_name("function")
        name = text_of(function).rpartition(".")[2] if function is not None else ""
        return _arguments(node) if name == "createServer" else ()

    def _router(self, node: Node, path: str) -> _Router | None:
        """The application or router that the expression `node` is."""
        node = unwrapped(node)
        definition: Definition | None = Definition(path, node)
        for _ in range(MAX_DEPTH):
            if definition is None:
                return None
            inner, at = unwrapped(definition.node), definition.path
            if inner.type == "identifier" and not _is_parameter(inner):
                found = self._scripts.resolve(text_of(inner), inner, at)
                if found is None or found.node.id == inner.id:
                    return None
                definition = found
            elif inner.type == "member_expression":
                owner = inner.child_by_field_name("object")
                name = inner.child_by_field_name("property")
                if owner is None or name is None:
                    return None
                definition = self._scripts.member(owner, text_of(name), at)
            elif inner.type == "call_expression":
                kind = self._made(inner, at)
                if kind:
                    return self._known(Definition(at, inner), is_app=kind == "app")
                definition = self._returned(inner, at)
            elif inner.type == "identifier":
                return self._known(Definition(at, inner), is_app=False)
            else:
                return None
        return None

    def _known(self, definition: Definition, *, is_app: bool) -> _Router:
        return self._routers.setdefault(definition.key, _Router(definition.key, is_app))

    def _made(self, call: Node, path: str) -> str:
        """`app` for `express()`, `router` for `Router()`, else empty."""
        function = call.child_by_field_name("function")
        if function is None:
            return ""
        if required_module(function) == "express":
            return "app"
        if function.type == "member_expression":
            owner, name = (
                function.child_by_field_name("object"),
                function.child_by_field_name("property"),
            )
            whole = owner is not None and (
                required_module(owner) == "express" or self._from_express(text_of(owner), path)
            )
            return "router" if whole and name is not None and text_of(name) == "Router" else ""
        imported = self._from_express(text_of(function), path)
        return {"Router": "router", "default": "app", "*": "app"}.get(imported, "")

    def _from_express(self, name: str, path: str) -> str:
        imported = self._scripts.package_of(name, path)
        return imported[1] if imported and imported[0] == "express" else ""

    def _returned(self, call: Node, path: str) -> Definition | None:
        """What the function that is called returns, when it is one expression."""
        if module := required_module(call):
            target = self._scripts.module(path, module)
            return self._scripts.exported(target, "*") if target else None
        defined = self._function(call, path)
        if defined is None:
            return None
        body = defined.node.child_by_field_name("body")
        if body is None:
            return None
        if body.type != "statement_block":
            return Definition(defined.path, body)
        returns = [c for c in body.named_children if c.type == "return_statement"]
        if len(returns) != 1 or not returns[0].named_child_count:
            return None
        return Definition(defined.path, returns[0].named_children[0])

    def _function(self, call: Node, path: str) -> Definition | None:
        function = call.child_by_field_name("function")
        if function is None:
            return None
        function = unwrapped(function)
        found = None
        if function.type == "identifier":
            found = self._scripts.resolve(text_of(function), function, path)
        elif function.type == "member_expression":
            owner = function.child_by_field_name("object")
            name = function.child_by_field_name("property")
            if owner is not None and name is not None:
                found = self._scripts.member(owner, text_of(name), path)
        elif module := required_module(function):  # require("./routes")(app)
            target = self._scripts.module(path, module)
            found = self._scripts.exported(target, "*") if target else None
        node = function_of(found.node) if found else None
        return Definition(found.path, node) if found and node is not None else None

    def _child(self, node: Node, path: str) -> _Router | None:
        node = unwrapped(node)
        if node.type in ("string", "template_string", "array", "object", "regex"):
            return None
        return None if function_of(node) is not None else self._router(node, path)

    def _hand_over(self, node: Node, path: str) -> None:
        """`register(app)`: the parameter of the function stands for the application."""
        for position, argument in enumerate(_arguments(node)):
            if unwrapped(argument).type != "identifier":
                continue
            router = self._router(argument, path)
            defined = self._function(node, path) if router else None
            names = parameters(defined.node) if defined else []
            if router and defined and position < len(names):
                stands_for = self._known(Definition(defined.path, names[position]), is_app=False)
                router.items.append(("", stands_for.key))
                self._waiting.append(defined.path)

    def _gap(self, path: str, line: int, reason: str) -> None:
        if len(self._gaps) < MAX_ROUTES:
            root = self._code.root_of(path)
            self._gaps.add(Gap(path=path, line=line, reason=reason, root=root))


def join(prefix: str, path: str) -> str:
    """`prefix` and `path` with one slash between them, none at the end."""
    parts = path.strip("/")
    return f"{prefix}/{parts}" if parts else prefix


def _call(node: Node) -> _Call | None:
    if node.type != "call_expression":
        return None
    function = node.child_by_field_name("function")
    if function is None or function.type != "member_expression":
        return None
    owner, name = function.child_by_field_name("object"), function.child_by_field_name("property")
    if owner is None or name is None:
        return None
    return _Call(node, owner, text_of(name), _arguments(node))


def _arguments(node: Node) -> tuple[Node, ...]:
    arguments = node.child_by_field_name("arguments")
    if arguments is None or arguments.type != "arguments":
        return ()
    return tuple(child for child in arguments.named_children if child.type != "comment")


def _is_parameter(node: Node) -> bool:
    parent: Node | None = node.parent
    if parent is None:
        return False
    if parent.type in ("required_parameter", "optional_parameter", "formal_parameters"):
        return True
    return parent.child_by_field_name("parameter") == node
