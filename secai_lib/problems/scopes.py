"""What a lockfile has a package for."""

import json

from secai_lib.core.finding import Package


def scopes_of(path: str, text: str, package: Package) -> tuple[str, ...]:
    """What `package` is there for: Gradle's configurations, or `dev` and `delivered` of npm.

    Empty where the lockfile (another kind, a broken one) does not say: nothing is guessed.
    """
    name = path.rpartition("/")[2]
    if name == "gradle.lockfile":
        return _gradle(text, package)
    if name in ("package-lock.json", "npm-shrinkwrap.json"):
        return _npm(text, package)
    return ()


def _gradle(text: str, package: Package) -> tuple[str, ...]:
    """`group:artifact:version=one,two`."""
    start = f"{package.name}:{package.version}="
    for line in text.splitlines():
        if line.startswith(start):
            return tuple(sorted(filter(None, line.removeprefix(start).strip().split(","))))
    return ()


def _npm(text: str, package: Package) -> tuple[str, ...]:
    """Every entry of the package in that version is `dev`, or one of them is delivered."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    entries = document.get("packages") if isinstance(document, dict) else None
    mine = [
        entry.get("dev") is True
        for where, entry in (entries.items() if isinstance(entries, dict) else ())
        if isinstance(entry, dict)
        and where.rpartition("node_modules/")[2] == package.name
        and entry.get("version") == package.version
    ]
    return () if not mine else ("dev",) if all(mine) else ("delivered",)
