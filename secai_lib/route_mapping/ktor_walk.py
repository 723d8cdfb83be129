"""Follows Ktor's blocks and functions from a server down to its routes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tree_sitter import Node

from secai_lib.core.syntax import line_of, lines_of, text_of
from secai_lib.route_mapping.frameworks import MAX_DEPTH, MAX_ROUTES, MAX_STEPS, FoundRoute
from secai_lib.route_mapping.kotlin_call import Call, call_of
from secai_lib.route_mapping.kotlin_code import Function, KotlinCode, scope_of
from secai_lib.route_mapping.kotlin_values import Place, Values, dotted_names
from secai_lib.route_mapping.table import ANY_METHOD, Gap

APPLICATION_TYPES = frozenset({"Application"})
ROUTE_TYPES = frozenset(
    ["Route", "Routing", "RoutingNode", "RoutingRoot", "RoutingBuilder", "RouteNode"]
)
_VERBS = frozenset(["get", "post", "put", "delete", "patch", "head", "options"])
_SOCKETS = frozenset({"webSocket", "webSocketRaw", "sse"})
_OPAQUE = frozenset(
    [
        "install",
        "intercept",
        "launch",
        "async",
        "runBlocking",
        "onCall",
        "onCallRespond",
        "monitor",
        "subscribe",
        "lazy",
        "singlePageApplication",
        "staticResources",
        "staticFiles",
        "static",
        "swaggerUI",
        "openAPI",
        "embeddedServer",
        "environment",
        "handle",
        "thread",
        "single",
        "factory",
    ]
)
"""Calls whose lambda is no block of routes."""
_SCOPE_CALLS = frozenset(
    ["apply", "also", "run", "let", "with", "forEach", "forEachIndexed", "onEach", "use"]
)
_SKIPPED = frozenset({"function_declaration", "class_declaration", "object_declaration"})


@dataclass(frozen=True)
class Context:
    """What `this` is: an application, or a place in the tree of routes."""

    kind: str
    """`application` or `route`."""
    prefix: str = ""
    """The pattern so far; no slash at the end unless the code wrote one."""
    method: str = ""
    """The method that `method(...) { }` has fixed."""


@dataclass(frozen=True)
class Env:
    """Where the walk is and what the names there mean."""

    path: str
    context: Context
    bound: Mapping[str, str | None] = field(default_factory=dict)
    """Text parameters of the followed function."""
    receivers: Mapping[str, Context] = field(default_factory=dict)
    """Parameters that are a route or an application."""
    blocks: Mapping[str, tuple[Node, "Env"]] = field(default_factory=dict)
    """Lambda parameters: the block and where it was written."""
    trail: tuple[int, ...] = ()
    """Ids of the functions that are being followed; its length with `depth` bounds recursion."""
    depth: int = 0

    def inside(self, context: Context) -> "Env":
        """The same place one block deeper."""
        return replace(self, context=context, depth=self.depth + 1)


class Walk:
    """Collects the routes below a block; `gaps` gathers what could not be read."""

    def __init__(self, code: KotlinCode, values: Values) -> None:
        """Follow functions of `code` and evaluate paths with `values`."""
        self.code = code
        self.values = values
        self.gaps: set[Gap] = set()
        self._seen: dict[str, set[int]] = {}
        self._routes: set[FoundRoute] = set()
        self._steps = 0
        self._done: set[tuple[object, ...]] = set()

    def seen(self, path: str) -> set[int]:
        """Start bytes of the `routing` calls of `path` that a walk has come through."""
        return self._seen.setdefault(path, set())

    def module(self, start: Call, path: str) -> set[FoundRoute]:
        """The routes of an `embeddedServer` call: its lambda or the `module` it names."""
        env = Env(path, Context("application"))
        self._start()
        for block in start.lambdas:
            self._visit(block, env)
        for argument in start.arguments:
            if argument.value.type == "callable_reference":
                for function in self._targets(_referenced(argument.value), path, argument.value):
                    self._follow(function, None, env, env.context)
        return self._routes

    def function_routes(self, function: Function) -> set[FoundRoute]:
        """The routes of a module function."""
        self._start()
        env = Env(function.path, Context("application"))
        self._follow(function, None, env, env.context)
        return self._routes

    def node_routes(self, node: Node, env: Env) -> set[FoundRoute]:
        """The routes of one block."""
        self._start()
        self._visit(node, env)
        return self._routes

    def _start(self) -> None:
        self._routes, self._done = set(), set()

    def _visit(self, root: Node, env: Env) -> None:
        self._steps += 1
        if env.depth > MAX_DEPTH or self._steps > MAX_STEPS or len(self._routes) > MAX_ROUTES:
            self._gap(root, env, "too deep or too many routes to follow")
            return
        pending = [root]
        while pending:
            node = pending.pop()
            call = call_of(node) if node.type == "call_expression" else None
            if call is not None and self._call(call, env):
                continue
            if node.type not in _SKIPPED:
                pending.extend(node.named_children)

    def _call(self, call: Call, env: Env) -> bool:
        """Deals with a call; False when its parts are to be looked at as any other code."""
        context = self._receiver(call, env)
        if context is None:
            return self._foreign(call, env)
        if call.receiver is None and call.name in env.blocks:
            block, outer = env.blocks[call.name]
            self._visit(block, replace(outer, context=context, depth=env.depth + 1))
            return True
        if call.receiver is not None and call.receiver.type == "call_expression":
            self._visit(call.receiver, env)
        if context.kind == "application":
            return self._in_application(call, env, context)
        return self._in_route(call, env, context)

    def _receiver(self, call: Call, env: Env) -> Context | None:
        """What the call is made on; None when that is neither application nor route."""
        if call.receiver is None or call.receiver.type == "this_expression":
            return env.context
        names = dotted_names(call.receiver)
        if len(names) == 1 and names[0] in env.receivers:
            return env.receivers[names[0]]
        inner = call_of(call.receiver) if call.receiver.type == "call_expression" else None
        if inner and call.name in _SCOPE_CALLS and inner.name in ("route", "routing"):
            holder = self._receiver(inner, env)
            return self._child(inner, env, holder) if holder else None
        return None

    def _foreign(self, call: Call, env: Env) -> bool:
        if call.name in _SCOPE_CALLS:
            return False
        passed = [self._context_of(a.value, env) for a in call.arguments]
        if any(passed):
            candidates = [f for f in self.code.named(call.name) if _takes_context(f)]
            if len(candidates) == 1:
                self._follow(candidates[0], call, env, env.context)
                return True
        return call.name not in ("start", "stop", "join", "addShutdownHook")

    def _context_of(self, node: Node, env: Env) -> Context | None:
        if node.type == "this_expression":
            return env.context
        names = dotted_names(node)
        return env.receivers.get(names[0]) if len(names) == 1 else None

    def _in_application(self, call: Call, env: Env, context: Context) -> bool:
        installs_routing = call.name == "install" and any(
            text_of(a.value) in ("Routing", "RoutingRoot") for a in call.arguments
        )
        if call.name == "routing" or installs_routing:
            self.seen(env.path).add(call.node.start_byte)
            for block in call.lambdas:
                self._visit(block, env.inside(Context("route")))
            return True
        return self._followed(call, env, context) or call.name in _OPAQUE

    def _in_route(self, call: Call, env: Env, context: Context) -> bool:
        if call.name in ("route", "method"):
            child = self._child(call, env, context)
            for block in call.lambdas if child else ():
                self._visit(block, env.inside(child or context))
            return True
        if call.name == "handle" and call.lambdas:
            self._add(call, env, context, "")
            return True
        if call.name in _VERBS or call.name in _SOCKETS:
            self._verb(call, env, context)
            return True
        if self._followed(call, env, context) or call.name in _OPAQUE:
            return True
        for block in call.lambdas:  # authenticate { }, rateLimit { }, a wrapper we do not know
            self._visit(block, env.inside(context))
        return True

    def _child(self, call: Call, env: Env, context: Context) -> Context | None:
        """The place that `route(...)`, `method(...)` or `routing` opens; None when unknown."""
        if call.name == "routing":
            return Context("route")
        if call.name == "method":
            method = _http_method(call.argument("method", 0))
            return replace(context, method=method) if method else None
        node = call.argument("path", 0)
        path = self.values.text(node, Place(env.path, env.bound)) if node is not None else None
        if path is None:
            self._gap(call.node, env, "the path of this route is no constant")
            return None
        method = _http_method(call.argument("method", 1)) or context.method
        return Context("route", join(context.prefix, path), method)

    def _verb(self, call: Call, env: Env, context: Context) -> None:
        handled = call.lambdas or any(
            a.value.type in ("callable_reference", "identifier", "navigation_expression")
            for a in call.arguments[1:]
        )
        if not handled:
            return  # `get()` of a dependency container, say
        first = call.arguments[0].value if call.arguments else None
        path: str | None = ""
        if first is not None and first.type != "lambda_literal":
            node = call.argument("path", 0)
            path = self.values.text(node, Place(env.path, env.bound)) if node else None
        elif call.generic:
            path = None  # a typed resource
        if path is None:
            self._gap(call.node, env, "the path of this route is no constant")
        elif "://" not in path:
            method = "GET" if call.name in _SOCKETS else call.name.upper()
            self._add(call, env, replace(context, method=method), path)

    def _add(self, call: Call, env: Env, context: Context, path: str) -> None:
        handler = (env.path, line_of(call.node))
        for argument in call.arguments:
            if argument.value.type == "callable_reference":
                targets = self._targets(_referenced(argument.value), env.path, argument.value)
                if len(targets) == 1:
                    handler = (targets[0].path, line_of(targets[0].node))
        pattern = join(context.prefix, path) or "/"
        method = context.method or ANY_METHOD
        lines = lines_of(call.node)
        self._routes.add(FoundRoute(method, pattern, env.path, *lines, *handler))

    def _followed(self, call: Call, env: Env, context: Context) -> bool:
        kinds = ROUTE_TYPES if context.kind == "route" else APPLICATION_TYPES
        passed = any(self._context_of(a.value, env) for a in call.arguments)
        targets = [
            function
            for function in self._targets(call.name, env.path, call.node)
            if function.receiver in kinds or (passed and _takes_context(function))
        ]
        if not targets:
            targets = [f for f in self.code.named(call.name) if f.receiver in kinds]
            targets = targets if len(targets) == 1 and scope_of(targets[0].node) else []
        fitting = [f for f in targets if len(f.parameters) >= len(call.arguments)] or targets
        for function in fitting[:1]:
            self._follow(function, call, env, context)
        return bool(fitting)

    def _targets(self, name: str, path: str, node: Node) -> list[Function]:
        return self.code.function(name, path, scope_of(node))

    def _follow(self, function: Function, call: Call | None, env: Env, context: Context) -> None:
        body = function.body
        if body is None or function.node.id in env.trail:
            return
        bound: dict[str, str | None] = {}
        receivers: dict[str, Context] = {}
        blocks: dict[str, tuple[Node, Env]] = {}
        place = Place(env.path, env.bound)
        for position, (name, _) in enumerate(function.parameters):
            bound[name] = None
            node = call.argument(name, position) if call else None
            if node is None and call and call.trailing and position + 1 == len(function.parameters):
                node = call.trailing
            if node is None:
                continue
            if node.type == "lambda_literal":
                blocks[name] = (node, env)
            elif passed := self._context_of(node, env):
                receivers[name] = passed
            else:
                bound[name] = self.values.text(node, place)
        if function.receiver not in ROUTE_TYPES | APPLICATION_TYPES and not receivers:
            return
        visit = (
            function.path,
            function.node.start_byte,
            context,
            tuple(sorted(bound.items(), key=str)),
        )
        if not receivers and not blocks:
            if visit in self._done:
                return  # it can only give the same routes again
            self._done.add(visit)
        trail = (*env.trail, function.node.id)
        inner = Env(function.path, context, bound, receivers, blocks, trail, env.depth + 1)
        self._visit(body, inner)

    def _gap(self, node: Node, env: Env, reason: str) -> None:
        if len(self.gaps) < MAX_ROUTES:
            self.gaps.add(Gap(path=env.path, line=line_of(node), reason=reason))


def join(prefix: str, path: str) -> str:
    """`prefix` and `path` with one slash between them; empty when both are."""
    parts = path.strip("/")
    if not parts:
        return prefix if not path or prefix.endswith("/") else f"{prefix}/"
    end = "/" if path.endswith("/") else ""
    return f"{prefix.rstrip('/')}/{parts}{end}"


def _http_method(node: Node | None) -> str:
    """`HttpMethod.Get` as `GET`; empty for anything else."""
    names = dotted_names(node) if node is not None else ()
    return names[-1].upper() if names and names[-1].lower() in _VERBS else ""


def _referenced(node: Node) -> str:
    """`module` of `Application::module`."""
    return text_of(node).rpartition("::")[2].strip()


def _takes_context(function: Function) -> bool:
    kinds = ROUTE_TYPES | APPLICATION_TYPES
    return any(kind.split("<")[0].rpartition(".")[2] in kinds for _, kind in function.parameters)
