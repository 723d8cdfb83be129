"""Where the version of a package is declared by hand."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Declaration:
    """One place that holds the version."""

    path: str
    """The file."""
    start: int
    """First character of the version."""
    end: int
    """Character after its last one."""
    version: str
    """The version that stands there."""
    shared_with: tuple[str, ...] = ()
    """Other packages that take their version from the same place."""
    generated: bool = False
    """True in a lockfile line that goes with a declaration."""


def folder_of(path: str) -> str:
    """The folder of `path` with a trailing `/`; empty for the repository's root."""
    return path.rpartition("/")[0] + "/" if "/" in path else ""


def ancestors(path: str) -> list[str]:
    """The folders above `path`, its own first, each with a trailing `/`, the root empty."""
    folder, found = folder_of(path), []
    while folder:
        found.append(folder)
        folder = folder_of(folder.rstrip("/"))
    return [*found, ""]
