"""Ktor: servers, their ports, and the `routing { }` blocks that they run."""

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from secai_lib.core.syntax import line_of, walk
from secai_lib.route_mapping.code import MAX_NESTING, Code
from secai_lib.route_mapping.frameworks import Found, Server
from secai_lib.route_mapping.hocon import KtorSettings, ktor_settings
from secai_lib.route_mapping.kotlin_call import Call, call_of
from secai_lib.route_mapping.kotlin_code import Function, KotlinCode, name_of, scope_of
from secai_lib.route_mapping.kotlin_values import Place, Values
from secai_lib.route_mapping.ktor_walk import Context, Env, Walk
from secai_lib.route_mapping.table import Gap

_DEFAULT_PORT = 80
"""Ktor's own, when `embeddedServer` is given no port."""


@dataclass(frozen=True)
class _Start:
    """A call of `embeddedServer`."""

    path: str
    call: Call


class Ktor:
    """The reader of Ktor servers."""

    name = "ktor"

    def read(self, code: Code) -> Found:
        """The Ktor servers with their routes."""
        kotlin = KotlinCode(code)
        walker = Walk(kotlin, Values(kotlin))
        found = Found()
        starts = list(_starts(kotlin))
        settings = ktor_settings(code)
        for root in sorted({code.root_of(path) for path in kotlin.ktor_paths}):
            here = [start for start in starts if code.root_of(start.path) == root]
            found.servers += self._servers(root, here, settings.get(root), walker, code)
        _leftovers(kotlin, code, walker, found)
        found.gaps |= {g.model_copy(update={"root": code.root_of(g.path)}) for g in walker.gaps}
        return found

    def _servers(
        self,
        root: str,
        starts: list[_Start],
        settings: KtorSettings | None,
        walker: Walk,
        code: Code,
    ) -> Iterator[Server]:
        for start in starts:
            server = Server(self.name, root, _ports(start, walker.values, settings))
            server.routes |= walker.module(start.call, start.path)
            yield server
        if settings is not None and not starts:
            server = Server(self.name, root, settings.ports)
            for module in settings.modules:
                for function in _module_functions(walker.code, module, root, code):
                    server.routes |= walker.function_routes(function)
            yield server


def _starts(kotlin: KotlinCode) -> Iterator[_Start]:
    for path in kotlin.ktor_paths:
        for node in walk(kotlin.file(path).root, "call_expression", max_depth=MAX_NESTING):
            call = call_of(node)
            # `embeddedServer(x) { }` holds the call `embeddedServer(x)`: take the outer one.
            if call and call.name == "embeddedServer" and not _is_callee(node):
                yield _Start(path, call)


def _is_callee(node: Node) -> bool:
    parent = node.parent
    return (
        parent is not None and parent.type == "call_expression" and parent.named_children[0] == node
    )


def _ports(start: _Start, values: Values, settings: KtorSettings | None) -> tuple[int, ...]:
    node = start.call.argument("port", 1)
    if node is None or node.type == "lambda_literal":
        if settings and settings.ports:
            return settings.ports
        elsewhere = any(a.name in ("environment", "rootConfig") for a in start.call.arguments)
        return () if elsewhere else (_DEFAULT_PORT,)
    port = values.number(node, Place(start.path))
    return (port,) if port is not None and 0 < port < 65_536 else ()


def _module_functions(kotlin: KotlinCode, module: str, root: str, code: Code) -> Iterator[Function]:
    """The functions that `io.x.ApplicationKt.module` of a configuration file names."""
    owner, _, name = module.rpartition(".")
    package, _, file_class = owner.rpartition(".")
    for function in kotlin.named(name):
        file = kotlin.file(function.path)
        stem = function.path.rpartition("/")[2].removesuffix(".kt")
        holders = (f"{stem}Kt", scope_of(function.node))
        here = code.root_of(function.path) == root
        if here and file.package == package and file_class in holders:
            yield function


def _leftovers(kotlin: KotlinCode, code: Code, walker: Walk, found: Found) -> None:
    """Gives `routing { }` blocks that no followed call reaches to the only server they can mean.

    Such a block is run by something that cannot be followed (injected code, reflection). Where
    nothing names its function, it is dead; where two servers share the folder, either could be
    meant: both become gaps.
    """
    mentioned: set[str] | None = None
    for path in kotlin.ktor_paths:
        for node in walk(kotlin.file(path).root, "call_expression", max_depth=MAX_NESTING):
            if node.start_byte in walker.seen(path):
                continue
            call = call_of(node)
            if call is None or call.name != "routing" or not call.lambdas:
                continue
            servers = [s for s in found.servers if s.root == code.root_of(path)]
            function = _function_round(node)
            mentioned = _mentions(kotlin) if mentioned is None else mentioned
            if len(servers) == 1 and (not function or function in mentioned):
                servers[0].routes |= walker.node_routes(node, Env(path, Context("application")))
            else:
                reason = "no server could be told that runs this block"
                walker.gaps.add(Gap(path=path, line=line_of(node), reason=reason))


def _function_round(node: Node) -> str:
    """The name of the innermost function round `node`; empty when there is none."""
    current: Node | None = node
    while current is not None and current.type != "function_declaration":
        current = current.parent
    name = current.child_by_field_name("name") if current is not None else None
    return name_of(name) if name is not None else ""


def _mentions(kotlin: KotlinCode) -> set[str]:
    """Every name that is used other than to declare a function or to import it."""
    found: set[str] = set()
    for path in kotlin.ktor_paths:
        for node in walk(kotlin.file(path).root, max_depth=MAX_NESTING):
            if node.type not in ("function_declaration", "qualified_identifier"):
                found |= {name_of(c) for c in node.named_children if c.type == "identifier"}
    return found
