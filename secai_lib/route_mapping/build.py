"""From the files of a commit to its route table."""

from collections import Counter
from collections.abc import Iterable

from secai_lib.core.fix import SourceFiles
from secai_lib.route_mapping.code import Code
from secai_lib.route_mapping.deployment import Deployment, deployments
from secai_lib.route_mapping.frameworks import Server, frameworks
from secai_lib.route_mapping.table import Gap, Route, RouteTable, Service


def route_table(files: SourceFiles) -> RouteTable:
    """The services and routes of the commit that `files` holds.

    Code that cannot be read becomes a gap of the table; nothing in the files raises.
    """
    code = Code(files)
    servers: list[Server] = []
    gaps: set[Gap] = set()
    for framework in frameworks():
        found = framework.read(code)
        servers += found.servers
        gaps |= found.gaps
    gaps |= {
        Gap(path=path, line=1, reason=reason, root=code.root_of(path))
        for path, reason in code.refused.items()
    }
    deployed = deployments(code)
    names = _names(servers, deployed)
    services: list[Service] = []
    routes: list[Route] = []
    for server, name in zip(servers, names, strict=True):
        alone = sum(other.root == server.root for other in servers) == 1
        services.append(_service(server, name, deployed.get(server.root, Deployment()), alone))
        routes += _routes(server, name)
    return RouteTable(
        services=tuple(sorted(services, key=lambda s: s.name)),
        routes=tuple(
            sorted(set(routes), key=lambda r: (r.service, r.pattern, r.method, r.path, r.line))
        ),
        gaps=tuple(sorted(gaps, key=lambda g: (g.path, g.line, g.reason))),
    )


def _routes(server: Server, name: str) -> Iterable[Route]:
    for route in server.routes:
        yield Route(
            service=name,
            framework=server.framework,
            method=route.method,
            pattern=route.pattern,
            path=route.path,
            line=route.line,
            end_line=route.end_line,
            handler_path=route.handler_path,
            handler_line=route.handler_line,
            order=route.order,
        )


def _names(servers: list[Server], deployed: dict[str, Deployment]) -> list[str]:
    """A name for each server: the Compose service, else the folder; numbered where shared."""
    wanted = []
    for server in servers:
        known = deployed.get(server.root)
        folder = server.root.rpartition("/")[2] or "app"
        names = known.names if known else set()
        wanted.append(folder if folder in names or len(names) != 1 else min(names))
    count = Counter(wanted)
    used: Counter[str] = Counter()
    result = []
    for server, name in zip(servers, wanted, strict=True):
        used[name] += 1
        if count[name] == 1:
            result.append(name)
        elif len({s.root for s, n in zip(servers, wanted, strict=True) if n == name}) > 1:
            result.append(f"{server.root or 'app'}#{used[name]}")
        else:
            result.append(f"{name}#{used[name]}")
    return result


def _service(server: Server, name: str, known: Deployment, alone: bool) -> Service:
    """The service with its ports: published ones first, else those of the code.

    A Compose mapping belongs to the server that listens on its container port, or to the only
    server of the folder.
    """
    inner = set(server.ports)
    if not inner and alone:
        inner = {container for _, container in known.published}
        inner = inner or (known.exposed if len(known.exposed) == 1 else set())
    if not inner and server.default_port:
        inner = {server.default_port}
    published = {host for host, container in known.published if container in inner}
    return Service(
        name=name,
        ports=tuple(sorted(published or inner)),
        hosts=tuple(sorted(known.names)),
        inner_ports=tuple(sorted(inner)),
        root=server.root,
    )
