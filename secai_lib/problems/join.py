"""Which findings are the same weakness."""

from collections.abc import Sequence

from secai_lib.core.finding import Finding

Key = tuple[str, ...]


def join(findings: Sequence[Finding]) -> list[list[Finding]]:
    """Groups of findings that are one problem, each sorted, ordered by their first fingerprint.

    Two findings are one problem when they have the same fingerprint (the same thing in several
    runs), or when they name the same package in the same version and share an advisory id: a
    CVE, its GHSA and its OSV id are aliases, so two scanners that call it differently agree.
    """
    groups = _Groups()
    for finding in findings:
        for key in _keys(finding):
            groups.union((finding.fingerprint,), key)
    members: dict[Key, dict[tuple[str, str], Finding]] = {}
    for finding in findings:
        root = groups.find((finding.fingerprint,))
        members.setdefault(root, {})[(finding.fingerprint, finding.run)] = finding
    joined = [[group[key] for key in sorted(group)] for group in members.values()]
    return sorted(joined, key=lambda group: group[0].fingerprint)


def _keys(finding: Finding) -> list[Key]:
    package = finding.result.package
    if package is None:
        return [(finding.fingerprint,)]
    name = package.name.lower()
    return [
        ("package", name, package.version, advisory) for advisory in finding.result.advisories
    ] or [(finding.fingerprint,)]


class _Groups:
    """Disjoint sets with path halving."""

    def __init__(self) -> None:
        self._parent: dict[Key, Key] = {}

    def find(self, key: Key) -> Key:
        parent = self._parent
        parent.setdefault(key, key)
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def union(self, one: Key, other: Key) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self._parent[second] = first
