"""Which version of a package a repository asks for, read again from its own build files."""

from collections.abc import Callable, Sequence
from typing import Any

from secai_lib.core.finding import LockfileLocation, Package, Result, SourceLocation
from secai_lib.core.fix import SourceFiles
from secai_lib.fixes.declarations import Declaration
from secai_lib.fixes.declarations_gradle import CATALOGUE, gradle_declarations
from secai_lib.fixes.declarations_npm import LOCKS as NPM_LOCKS
from secai_lib.fixes.declarations_npm import npm_declarations
from secai_lib.fixes.declarations_python import LOCKS as PYTHON_LOCKS
from secai_lib.fixes.declarations_python import python_declarations
from secai_lib.fixes.rule import Abstain

Finder = Callable[[str, str, SourceFiles], list[Declaration]]
"""Path of a manifest or lockfile, package, files -> where its version is declared."""

Weak = Callable[[str], bool | None]
"""Version -> whether it is affected; None when that cannot be told."""

GRADLE_FILES = ("build.gradle", "build.gradle.kts", "gradle.lockfile")


def finder_of(path: str, ecosystem: str) -> Finder | None:
    """How declarations for the manifest or lockfile at `path` are found; None when unknown."""
    name = path.rsplit("/", 1)[-1].lower()
    if name in GRADLE_FILES or path.endswith(CATALOGUE):
        return gradle_declarations
    if name == "package.json" or name in NPM_LOCKS:
        return npm_declarations
    by_hand = name.endswith((".txt", ".toml", ".in"))
    if ecosystem.lower() == "pypi" and (by_hand or name in PYTHON_LOCKS):
        return python_declarations
    return None


def version_left(
    target: Result, before: SourceFiles, after: SourceFiles, weak: Weak, new: str, order: Any
) -> str:
    """Why `after` does not ask for a safe version of the package of `target`; empty if it does.

    The build files are read as they were found, not as the edits claim: a number in a comment
    moves nothing. `new` is the version the edits name, empty for any that is not `weak`.
    """
    place, package = target.location, target.package
    if package is None or not isinstance(place, SourceLocation | LockfileLocation):
        return "the finding names no file and package"
    finder = finder_of(place.path, package.ecosystem)
    if finder is None:
        return f"{place.path} is no build file that can be read"
    try:
        old, now = (finder(place.path, package.name, files) for files in (before, after))
    except (Abstain, ValueError) as error:
        return str(error).rstrip(".")
    return _left(package, old, now, weak, new, order)


def _left(
    package: Package,
    old: Sequence[Declaration],
    now: Sequence[Declaration],
    weak: Weak,
    new: str,
    order: Any,
) -> str:
    by_hand = [place for place in now if not place.generated]
    if not by_hand or len(by_hand) < len([place for place in old if not place.generated]):
        return f"{package.name} is no longer declared everywhere"
    for place in by_hand:
        if weak(place.version) is not False:
            return f"{place.path} still asks for {package.name} {place.version}"
    if new and not any(_equal(order, place.version, new) for place in by_hand):
        return f"no build file asks for {package.name} {new}"
    return ""


def _equal(order: Any, one: str, other: str) -> bool:
    try:
        return bool(order(one) == order(other))
    except (ValueError, TypeError, AttributeError):
        return one == other
