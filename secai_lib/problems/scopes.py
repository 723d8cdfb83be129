"""What lockfiles have their packages for."""

import json
from collections import defaultdict
from collections.abc import Mapping

Scopes = Mapping[tuple[str, str], tuple[str, ...]]
"""Name and version of a package -> what it is there for."""


def scopes_in(path: str, text: str) -> Scopes:
    """What the packages are there for: Gradle's configurations, or npm's `dev` and `delivered`.

    Empty where the lockfile (another kind, a broken one) does not say: nothing is guessed.
    """
    name = path.rpartition("/")[2]
    if name == "gradle.lockfile":
        return _gradle(text)
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        return _npm(text)
    return {}


def _gradle(text: str) -> Scopes:
    """`group:artifact:version=one,two`."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for line in text.splitlines():
        coordinates, _, configurations = line.strip().partition("=")
        name, _, version = coordinates.rpartition(":")
        if name and not line.startswith("#"):
            found[(name, version)] = tuple(sorted(filter(None, configurations.split(","))))
    return found


def _npm(text: str) -> Scopes:
    """Every entry of the package in that version is `dev`, or one of them is delivered."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    entries = document.get("packages") if isinstance(document, dict) else None
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for where, entry in entries.items() if isinstance(entries, dict) else ():
        if isinstance(entry, dict) and isinstance(entry.get("version"), str):
            name = where.rpartition("node_modules/")[2]
            found[(name, entry["version"])].add("dev" if entry.get("dev") is True else "delivered")
    return {package: tuple(sorted(scopes)) for package, scopes in found.items()}
