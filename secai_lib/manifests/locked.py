"""What a lockfile says of one package."""

from enum import StrEnum
from typing import NamedTuple


class Scope(StrEnum):
    """What a package is used for; the first that holds."""

    RUNTIME = "runtime"
    """What is shipped is built or run with it."""
    TEST = "test"
    """Only tests see it."""
    TOOLING = "tooling"
    """Only the build and its tools see it."""
    UNKNOWN = "unknown"
    """The lockfile does not say."""


class Locked(NamedTuple):
    """One package in one lockfile."""

    scope: Scope
    """What it is used for."""
    configurations: tuple[str, ...]
    """The lockfile's own words for that, sorted."""
    direct: bool | None
    """Whether the project asks for it itself; None where the lockfile does not say."""
    pulled_in_by: tuple[str, ...]
    """`name version` of the packages that ask for it, sorted; empty where it does not say."""
