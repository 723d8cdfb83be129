"""Who brings a vulnerable package in, and what npm would do about it (npm 7 and later)."""

from dataclasses import dataclass

from secai_lib.parsers.node import Node, clean_text

_FARTHEST = 500
"""Packages followed upwards from one; real chains are tens."""


@dataclass(frozen=True)
class Fix:
    """What npm offers for a package."""

    name: str = ""
    """The direct dependency to change; empty when npm names none."""
    version: str = ""
    """Its new version."""
    sentence: str = ""
    """The same for a person; empty when npm says nothing."""


class Vulnerabilities:
    """The object `vulnerabilities`: package name -> severity, causes, effects."""

    def __init__(self, node: Node) -> None:
        """Take the object; broken entries are as good as none."""
        members = node.members()
        self._entries = {name: item for name, item in members.items() if isinstance(item, dict)}

    def direct(self, name: str) -> list[str]:
        """The direct dependencies through which `name` is installed, sorted; itself if it is one.

        Follows `effects`, which names the packages that need this one.
        """
        waiting, seen, found = [name], {name}, set()
        while waiting and len(seen) <= _FARTHEST:
            current = waiting.pop()
            entry = self._entries.get(current, {})
            if entry.get("isDirect") is True:
                found.add(current)
            effects = entry.get("effects")
            for other in effects if isinstance(effects, list) else []:
                if isinstance(other, str) and other not in seen:
                    seen.add(other)
                    waiting.append(other)
        return sorted(map(clean_text, found))

    def fix_of(self, name: str) -> Fix:
        """`fixAvailable`: true, false, or the direct dependency to install in another version."""
        value = self._entries.get(name, {}).get("fixAvailable")
        if value is True:
            return Fix(sentence="`npm audit fix` installs a version that is not affected.")
        if value is False:
            return Fix(sentence="npm knows no version of the direct dependencies without it.")
        if not isinstance(value, dict):
            return Fix()
        package, version = value.get("name"), value.get("version")
        if not isinstance(package, str) or not isinstance(version, str):
            return Fix()
        package, version = clean_text(package), clean_text(version)
        major = " (a new major version)" if value.get("isSemVerMajor") is True else ""
        return Fix(package, version, f"Install {package} {version}{major}.")
