"""From a URL to the route that answers it."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from secai_lib.core.context import RouteMatch
from secai_lib.route_mapping.pattern import fit
from secai_lib.route_mapping.table import ANY_METHOD, Route, RouteTable, Service

MAX_URL = 8_192
"""Characters of a URL that are looked at; a longer one has no route."""
MAX_SEGMENTS = 256
_MACHINE = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - a name
_SCHEMES = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class _Target(NamedTuple):
    host: str
    port: int
    segments: tuple[str, ...]


def match_url(table: RouteTable, url: str, method: str) -> RouteMatch:
    """The route of `table` that answers `method` at `url`, or the reason why there is none.

    The service is chosen by host and port alone; a route of another service never answers.
    Nothing in `url` raises.
    """
    target = _target(url)
    if isinstance(target, str):
        return RouteMatch(mapped_from=url[:MAX_URL], reason=target)
    service = _service(table, target)
    if isinstance(service, str):
        return RouteMatch(mapped_from=url, reason=service)
    wanted = method.strip().upper() or "GET"
    fitting = []
    for route in table.routes:
        if route.service == service.name:
            rank = fit(route.pattern, route.framework, target.segments)
            if rank is not None:
                fitting.append((rank, route))
    answering = [(rank, route) for rank, route in fitting if _answers(route, wanted)]
    if not answering:
        return RouteMatch(mapped_from=url, service=service.name, reason=_why(fitting, wanted))
    best = min(
        answering, key=lambda f: (f[1].order, f[0], f[1].method != wanted, f[1].path, f[1].line)
    )[1]
    return RouteMatch(
        endpoint_type=best.framework,
        method=wanted if best.method == ANY_METHOD else best.method,
        pattern=best.pattern,
        mapped_from=url,
        path=best.path,
        line=best.line,
        end_line=best.end_line,
        service=service.name,
    )


def _answers(route: Route, method: str) -> bool:
    if route.method in (method, ANY_METHOD):
        return True
    # Express and Flask answer HEAD with the GET route; Ktor does so only with a plugin.
    return route.framework in ("express", "flask") and (method, route.method) == ("HEAD", "GET")


def _why(fitting: list[tuple[tuple[int, ...], Route]], method: str) -> str:
    if not fitting:
        return "No route of this service has this path."
    methods = ", ".join(sorted({route.method for _, route in fitting}))
    return f"This path answers {methods}, not {method[:20]}."


def _target(url: str) -> _Target | str:
    if len(url) > MAX_URL:
        return f"The URL is longer than {MAX_URL} characters."
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError:
        return "The URL is not valid."
    if parts.scheme not in _SCHEMES or not host:
        return "This is no web address with a scheme and a host."
    raw = [segment for segment in parts.path.split("/") if segment]
    if len(raw) > MAX_SEGMENTS:
        return f"The URL's path has more than {MAX_SEGMENTS} parts."
    segments = tuple(unquote(segment) for segment in raw)
    return _Target(host.rstrip("."), _SCHEMES[parts.scheme] if port is None else port, segments)


def _service(table: RouteTable, target: _Target) -> Service | str:
    if target.host in _MACHINE:
        found = [s for s in table.services if target.port in s.ports]
        if not found:
            # Started without Compose, a server listens on the port of its code.
            found = [s for s in table.services if target.port in s.inner_ports]
    else:
        found = [
            s
            for s in table.services
            if target.host in {host.lower() for host in s.hosts} and target.port in s.inner_ports
        ]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(sorted(service.name for service in found))
        return f"Several services use this host and port: {names}."
    return "No service of the repository is known at this host and port."
