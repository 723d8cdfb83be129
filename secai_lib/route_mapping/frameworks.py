"""What a framework's reader gives, and the list of readers."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from secai_lib.route_mapping.code import Code
from secai_lib.route_mapping.table import Gap

MAX_ROUTES = 20_000
"""Routes of one commit; a few hostile lines can describe millions."""
MAX_STEPS = 50_000
"""Blocks looked into per framework, for the same reason."""
MAX_DEPTH = 60
"""Blocks inside one another, function calls included."""


class FoundRoute(NamedTuple):
    """A route of a server whose name is not known yet; fields as in `Route`."""

    method: str
    pattern: str
    path: str
    line: int
    end_line: int
    handler_path: str
    handler_line: int
    order: int = 0


@dataclass
class Server:
    """One thing that listens, as the code shows it."""

    framework: str
    root: str
    """Folder of the build file."""
    ports: tuple[int, ...] = ()
    """Ports in the code or its configuration; empty when they are not constants."""
    default_port: int = 0
    """Port where neither code nor deployment names one; 0 where there is no such default."""
    routes: set[FoundRoute] = field(default_factory=set)


@dataclass
class Found:
    """What a reader found in one commit."""

    servers: list[Server] = field(default_factory=list)
    gaps: set[Gap] = field(default_factory=set)


class Framework(Protocol):
    """Reads the routes of one web framework."""

    name: str

    def read(self, code: Code) -> Found:
        """The servers with their routes, in a stable order; never raises for odd code."""
        ...


def frameworks() -> Sequence[Framework]:
    """Every reader; a new framework is one line here."""
    from secai_lib.route_mapping.express import Express
    from secai_lib.route_mapping.fastapi import FastAPI
    from secai_lib.route_mapping.flask import Flask
    from secai_lib.route_mapping.ktor import Ktor

    return (Ktor(), Express(), FastAPI(), Flask())
