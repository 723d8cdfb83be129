"""Where the packages of a Grype report are: in an image, in a folder, or nobody knows."""

import posixpath

from secai_lib.core.finding import ArchiveLocation, ImageLocation, Location, NoLocation
from secai_lib.parsers import ecosystems
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Paths, Unplaceable

OS_TYPES = {"alpm", "apk", "deb", "portage", "rpm"}
"""Syft's types of packages that belong to a distribution."""
_FOLDERS = {"directory", "file"}


class Scanned:
    """What Grype says it scanned."""

    def __init__(self, root: Node, paths: Paths) -> None:
        """Read `source`, `distro` and `descriptor` of the document `root`."""
        self._paths = paths
        self._kind = root.text("source", "type")
        target = root.get("source", "target")
        is_image = isinstance(target.value, dict)
        self._image = target.text("userInput") or target.text("imageID") if is_image else ""
        self._folder = "" if is_image else target.text()
        if self._kind == "file":
            self._folder = posixpath.dirname(self._folder)
        name = root.text("distro", "name")
        self._distro_name = name
        self._distro = f"{name} {root.text('distro', 'version')}".strip()
        self.grype_version = root.text("descriptor", "version")

    def ecosystem_of(self, kind: str) -> str:
        """OSV's name of the distribution for a system package, else empty."""
        return ecosystems.of_type(self._distro_name) if kind in OS_TYPES else ""

    def place(self, artifact: Node) -> Location:
        """Where the package `artifact` is."""
        spots = artifact.items("locations")
        path = next((text for spot in spots if (text := _path(spot))), "")
        if artifact.text("type") in OS_TYPES:
            system = self._distro or "system packages"
            target = f"{self._image} ({system})" if self._image else system
            return ImageLocation(image=self._image or system, target=target)
        if not path:
            return NoLocation(reason="grype names no file of the package")
        if self._kind in _FOLDERS:
            return place_in_folder(self._paths, self._folder, path)
        if self._image or any(_layered(spot) for spot in spots):
            member = artifact.get("metadata")
            nested = member.text("virtualPath") if isinstance(member.value, dict) else ""
            inner = nested.removeprefix(f"{path}:") if nested.startswith(f"{path}:") else ""
            return ArchiveLocation(archive=path.lstrip("/"), member=inner, image=self._image)
        return NoLocation(reason="grype scanned a list of packages, not their files")


def place_in_folder(paths: Paths, folder: str, path: str) -> Location:
    """The lockfile or archive `path` that was found in the scanned `folder`.

    Syft writes paths below the scanned folder with a leading slash; old versions put the folder
    before them. An absolute folder that is no known checkout is taken for the repository itself.
    """
    below = path.removeprefix(f"{folder.rstrip('/')}/").lstrip("/")
    whole = posixpath.join(folder, below)
    try:
        paths.relative(whole)
    except Unplaceable:
        whole = below if folder.startswith("/") else whole
    if ecosystems.is_archive(below):
        try:
            return ArchiveLocation(archive=paths.relative(whole))
        except Unplaceable as error:
            return NoLocation(reason=str(error))
    return paths.lockfile(whole)


def _path(spot: Node) -> str:
    return spot.text("path") if isinstance(spot.value, dict) else spot.text()


def _layered(spot: Node) -> bool:
    return isinstance(spot.value, dict) and not {"layerID", "layerIndex"}.isdisjoint(spot.value)
