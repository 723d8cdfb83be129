"""npm's lockfiles, versions 1 to 3: a tree of folders, each with the packages it asks for."""

import json
from collections.abc import Iterator
from typing import Any

from secai_lib.manifests.locked import Locked, Scope

MAX_DEPTH = 300
"""Folders inside one another; npm's own trees have some dozens."""

_MODULES = "node_modules/"
_ASKS = ("dependencies", "optionalDependencies", "peerDependencies", "devDependencies")


def npm_locked(text: str, name: str, version: str) -> Locked | None:
    """What the lockfile `text` says of the package; None when it does not hold it.

    Several copies of the same version count as one. A lockfile of version 1 does not say what
    the project itself asks for. Raises `ValueError` for a file that is no such lockfile.
    """
    folders = _folders(text)
    copies = {
        folder
        for folder, entry in folders.items()
        if _name(folder, entry) == name and entry.get("version") == version
    }
    if not copies:
        return None
    projects = {folder for folder in folders if _MODULES not in f"/{folder}"}
    names = {folder.rpartition(_MODULES)[2] for folder in copies}
    askers = {
        folder
        for folder, entry in folders.items()
        for asked in names.intersection(_asked(entry, own=folder in projects))
        if _resolved(folder, asked, folders) in copies
    }
    pulled_in_by = {
        f"{_name(folder, folders[folder])} {folders[folder].get('version', '')}".strip()
        for folder in askers - projects
    }
    development = all(_flag(folders[copy], "dev") for copy in copies)
    return Locked(
        Scope.TOOLING if development else Scope.RUNTIME,
        ("devDependencies",) if development else ("dependencies",),
        bool(askers & projects) if projects else None,
        tuple(sorted(pulled_in_by)),
    )


def _folders(text: str) -> dict[str, dict[str, Any]]:
    """Folder -> its entry, as versions 2 and 3 write them; version 1 is brought to that form."""
    try:
        lock = json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not isinstance(lock, dict):
        raise ValueError("it is no object")
    packages = lock.get("packages")
    if not isinstance(packages, dict):
        return dict(_nested("", lock, 0))
    if any(folder.count("/") > MAX_DEPTH for folder in packages):
        raise ValueError(f"it has more than {MAX_DEPTH} folders inside one another")
    return {folder: entry for folder, entry in packages.items() if isinstance(entry, dict)}


def _nested(folder: str, entry: dict[str, Any], depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    inner = entry.get("dependencies")
    if 2 * depth > MAX_DEPTH:  # a level is two folders and more
        raise ValueError(f"it has more than {MAX_DEPTH} folders inside one another")
    for name, child in inner.items() if isinstance(inner, dict) else ():
        if isinstance(child, dict):
            path = f"{folder}/{_MODULES}{name}".lstrip("/")
            yield path, child | {"dependencies": child.get("requires", {})}
            yield from _nested(path, child, depth + 1)


def _name(folder: str, entry: dict[str, Any]) -> str:
    return str(entry.get("name") or folder.rpartition(_MODULES)[2])


def _asked(entry: dict[str, Any], *, own: bool) -> Iterator[str]:
    """Names an entry asks for; nobody installs the development packages of another's package."""
    for section in _ASKS if own else _ASKS[:-1]:
        wanted = entry.get(section)
        if isinstance(wanted, dict):
            yield from wanted


def _flag(entry: dict[str, Any], flag: str) -> bool:
    return entry.get(flag) is True or entry.get("devOptional") is True


def _resolved(folder: str, name: str, folders: dict[str, dict[str, Any]]) -> str | None:
    """The copy of `name` that code in `folder` gets: the nearest on the way up, as Node looks."""
    while True:
        candidate = f"{folder}/{_MODULES}{name}".lstrip("/")
        if candidate in folders:
            return candidate
        if not folder:
            return None
        folder = folder.rpartition("/")[0]
