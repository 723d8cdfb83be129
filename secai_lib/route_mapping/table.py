"""The records of a route table."""

from secai_lib.core.record import Record

ANY_METHOD = "*"
"""The method of a route that answers every method."""


class Service(Record):
    """A program of the repository that listens."""

    name: str
    """Its name in Compose, else that of its folder."""
    ports: tuple[int, ...] = ()
    """Ports at which the machine itself (`localhost`) reaches it, sorted."""
    hosts: tuple[str, ...] = ()
    """Its names in the Compose network, sorted."""
    inner_ports: tuple[int, ...] = ()
    """Ports at which those names reach it, sorted."""
    root: str = ""
    """Folder of its build file, relative to the repository; empty for the top."""


class Route(Record):
    """One method and pattern that a service answers."""

    service: str
    """Name of the service."""
    framework: str
    """`ktor`, `express`, `fastapi`, `flask`."""
    method: str
    """`GET`, `POST`, ...; `*` for every method."""
    pattern: str
    """The whole pattern in the framework's own notation, e.g. `/users/{id}`."""
    path: str
    """File that declares the route."""
    line: int
    """Line of the declaration, from 1: where the call or the annotation begins."""
    end_line: int
    """Its last line."""
    handler_path: str
    """File of the code that answers."""
    handler_line: int
    """First line of that code, from 1."""
    order: int = 0
    """Place among the service's routes, where the framework takes the first that fits."""


class Gap(Record):
    """Something that looks like a route and could not be read."""

    path: str
    """The file."""
    line: int
    """The line, from 1."""
    reason: str
    """Why it is no route of the table."""
    root: str = ""
    """Folder of the build file it belongs to."""


class RouteTable(Record):
    """The services and routes of one commit."""

    services: tuple[Service, ...] = ()
    """Every service that has a port or a route, by name."""
    routes: tuple[Route, ...] = ()
    """Every route, by service, pattern and method."""
    gaps: tuple[Gap, ...] = ()
    """What could not be read, by file and line."""
