"""How a repository uses the package that a finding names."""

from collections.abc import Callable

from secai_lib.core.finding import Package
from secai_lib.core.fix import SourceFiles
from secai_lib.core.record import Record
from secai_lib.manifests.gradle import gradle_locked
from secai_lib.manifests.locked import Locked, Scope
from secai_lib.manifests.npm import npm_locked

__all__ = ["PackageUse", "Scope", "package_use"]

_READERS: dict[str, Callable[[str, str, str], Locked | None]] = {
    "gradle.lockfile": gradle_locked,
    "package-lock.json": npm_locked,
    "npm-shrinkwrap.json": npm_locked,
}
"""File name -> text, package and version to what the lockfile says."""


class PackageUse(Record):
    """How a package came into the repository."""

    path: str
    """The lockfile."""
    scope: Scope = Scope.UNKNOWN
    """What it is used for."""
    configurations: tuple[str, ...] = ()
    """The lockfile's own words for that."""
    direct: bool | None = None
    """Whether the project asks for it itself; None where the lockfile does not say."""
    pulled_in_by: tuple[str, ...] = ()
    """`name version` of the packages that ask for it; empty where the lockfile does not say."""
    reason: str = ""
    """Why nothing is known; empty when the lockfile was read."""


def package_use(path: str, package: Package, files: SourceFiles) -> PackageUse:
    """What the lockfile at `path` says of `package`; with a reason where it says nothing."""
    reader = _READERS.get(path.rpartition("/")[2])
    if reader is None:
        return PackageUse(path=path, reason="No lockfile of a kind that is read here.")
    text = files.read(path)
    if text is None:
        return PackageUse(path=path, reason="The commit has no such file that can be read.")
    try:
        locked = reader(text, package.name, package.version)
    except ValueError:
        return PackageUse(path=path, reason="The lockfile is malformed.")
    if locked is None:
        return PackageUse(path=path, reason="The lockfile does not hold this version.")
    return PackageUse(
        path=path,
        scope=locked.scope,
        configurations=locked.configurations,
        direct=locked.direct,
        pulled_in_by=locked.pulled_in_by,
    )
