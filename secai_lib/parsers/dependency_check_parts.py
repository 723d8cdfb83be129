"""Which package a file scanned by Dependency-Check is, and where it lies."""

from urllib.parse import unquote

from secai_lib.core.finding import ArchiveLocation, Location, Package
from secai_lib.parsers import ecosystems
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Paths, Unplaceable

_BINARIES = (
    ".aar",
    ".apk",
    ".dll",
    ".exe",
    ".gem",
    ".hpi",
    ".nupkg",
    ".sar",
    ".so",
    ".tgz",
    ".zip",
)
"""Files that it looks into or identifies beside jars and wheels."""
_CPE_VERSION = {"cpe:2.3": 5, "cpe": 4}
"""Position of the version in `cpe:2.3:a:vendor:product:1.0` and in `cpe:/a:vendor:product:1.0`."""


def package_of(node: Node) -> Package:
    """The package that a dependency is: by package URL or by the Maven coordinates of old reports.

    Without either it is the file itself, in no ecosystem.
    """
    known = (package_of_url(entry.text("id")) for entry in node.items("packages"))
    coordinates = (_maven(entry) for entry in node.items("identifiers"))
    for package in (*known, *coordinates):
        if package is not None:
            return package
    ids = [entry.text("id") for entry in node.items("vulnerabilityIds")]
    ids += [entry.text("name") for entry in node.items("identifiers")]
    version = next((v for v in map(_cpe_version, ids) if v), "")
    return Package(ecosystem="", name=node.need("fileName"), version=version)


def package_of_url(purl: str) -> Package | None:
    """The package that a package URL names; None for anything else."""
    ecosystem, name = ecosystems.of_purl(purl)
    version = purl.partition("?")[0].partition("#")[0].rpartition("/")[2].partition("@")[2]
    return Package(ecosystem=ecosystem, name=name, version=unquote(version)) if name else None


def _maven(identifier: Node) -> Package | None:
    """`(group:artifact:version)` or the same without brackets."""
    parts = identifier.text("name").strip("()").split(":")
    if identifier.text("type") != "maven" or len(parts) != 3:
        return None
    return Package(ecosystem="Maven", name=f"{parts[0]}:{parts[1]}", version=parts[2])


def _cpe_version(cpe: str) -> str:
    cpe = cpe.strip("()")
    parts = cpe.replace("cpe:/", "cpe:").split(":")
    at = _CPE_VERSION["cpe:2.3" if cpe.startswith("cpe:2.3:") else "cpe"]
    known = parts[0] == "cpe" and len(parts) > at and parts[at] not in {"*", "-"}
    return parts[at] if known else ""


def place_of(paths: Paths, raw: str) -> Location:
    """The place of a scanned file: an archive or library, a lockfile or a source file.

    `package-lock.json?/name:1.0` is an entry of a lockfile. Of an archive outside the checkout (a
    local repository of Maven, say) only the file's name is kept.
    """
    file = raw.strip().replace("\\", "/")
    bare = file.partition("?")[0]
    file = bare if ecosystems.of_file(bare) else file
    steps = file.split("/")
    for count, step in enumerate(steps, start=1):
        if ecosystems.is_archive(step) or step.lower().endswith(_BINARIES):
            archive, member = "/".join(steps[:count]), "/".join(steps[count:])
            return ArchiveLocation(archive=_relative(paths, archive), member=member)
    return paths.lockfile(file) if ecosystems.of_file(file) else paths.source(file)


def _relative(paths: Paths, archive: str) -> str:
    try:
        return paths.relative(archive)
    except Unplaceable:
        return archive.rpartition("/")[2]
