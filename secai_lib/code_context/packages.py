"""The line of a package in a lockfile or manifest of any ecosystem."""

import re
from collections.abc import Sequence

from secai_lib.core.finding import Package

NEAR = 4
"""Lines below a package's name in which its version stands."""


_NEXT = re.compile(r"^\s*\}|\{\s*$|</dependency>|^\s*\[")
"""Where the entry of one package ends, or another begins."""


def package_line(lines: Sequence[str], package: Package) -> int | None:
    """The line (from 1) that names `package` in its version; None when there is no such line.

    An entry of its own (`"node_modules/x": {`) counts more than a line with name and version,
    which may only be what another package asks for; last comes a name with its version below.
    """
    version = re.compile(rf"(?<![\w.-])v?{re.escape(package.version)}(?![\w.-])")
    holds = [package.version in line and bool(version.search(line)) for line in lines]
    for name in _names(package):
        named = re.compile(rf"(?:(?<=node_modules/)|(?<![\w.@/-])){name}(?![\w./-])", re.I)
        entry = re.compile(rf"(?:node_modules/|\"){name}\"\s*:\s*\{{", re.I)
        names = [bool(named.search(line)) for line in lines]
        for found in (
            (
                at
                for at, line in enumerate(lines)
                if entry.search(line) and _below(lines, holds, at)
            ),
            (at for at in range(len(lines)) if names[at] and holds[at]),
            (at for at in range(len(lines)) if names[at] and _below(lines, holds, at)),
        ):
            if (at := next(found, None)) is not None:
                return at + 1
    return None


def _below(lines: Sequence[str], holds: Sequence[bool], at: int) -> bool:
    """Whether the version stands on one of the next lines of the same entry."""
    for number in range(at + 1, min(at + 1 + NEAR, len(lines))):
        if _NEXT.search(lines[number]):
            return False
        if holds[number]:
            return True
    return False


def _names(package: Package) -> list[str]:
    """Patterns of the package's name, the fullest first."""
    if package.ecosystem == "PyPI":
        return ["[-_.]".join(re.escape(part) for part in re.split(r"[-_.]+", package.name))]
    artifact = package.name.rpartition(":")[2]
    names = [package.name, artifact] if ":" in package.name else [package.name]
    return [re.escape(name) for name in names if name]
