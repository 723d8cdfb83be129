"""Which findings are the same weakness."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from secai_lib.core.finding import ArchiveLocation, Finding, LockfileLocation

Key = tuple[str, ...]


def join(findings: Sequence[Finding], same: Iterable[tuple[str, str]] = ()) -> list[list[Finding]]:
    """Groups of findings that are one problem, each sorted, ordered by their first fingerprint.

    Two findings are one problem when they have the same fingerprint (the same thing in several
    runs) or `same` says that one is the other renamed, when they name the same package in the same
    version and share an advisory id: a CVE, its GHSA and its OSV id are aliases, so two scanners
    that call it differently agree. An archive's finding without such a twin joins the one in the
    lockfile that the archive is built from (`_built_from`).
    """
    groups = _Groups()
    for finding in findings:
        for key in _keys(finding):
            groups.union((finding.fingerprint,), key)
    for old, new in same:
        groups.union((old,), (new,))
    for archived, locked in _built_from(findings, groups):
        groups.union((archived,), (locked,))
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


def _built_from(findings: Sequence[Finding], groups: "_Groups") -> list[tuple[str, str]]:
    """Fingerprints of archive findings, each with its twin of another version in a lockfile.

    A scanner reads versions off the jars inside an archive and may name another one than the
    lockfile, as for a library that a jar carries inside it. The archive is built from the lockfile
    that holds most of its exact twins; there, an advisory of the same package is the same one
    unless two versions of the package have it. An archive without exact twins, or with as many in
    two lockfiles, says nothing.
    """
    locked: dict[Key, set[str]] = defaultdict(set)
    by_advisory: dict[Key, dict[str, str]] = defaultdict(dict)
    archived: dict[str, Finding] = {}
    for finding in findings:
        package, place = finding.result.package, finding.result.location
        if package is None:
            continue
        if isinstance(place, LockfileLocation):
            locked[groups.find((finding.fingerprint,))].add(place.path)
            for advisory in finding.result.advisories:
                versions = by_advisory[(place.path, package.name.lower(), advisory)]
                versions[package.version] = min(
                    finding.fingerprint, versions.get(package.version, finding.fingerprint)
                )
        elif isinstance(place, ArchiveLocation):
            archived[finding.fingerprint] = finding
    votes: dict[Key, Counter[str]] = defaultdict(Counter)
    alone: list[Finding] = []
    for name in sorted(archived):
        twins = locked.get(groups.find((name,)))
        votes[_archive(archived[name])].update(twins or ())
        if not twins:
            alone.append(archived[name])
    found = []
    for finding in alone:
        package = finding.result.package
        ranked = votes[_archive(finding)].most_common(2)
        if package is None or not ranked or len({count for _, count in ranked}) < len(ranked):
            continue
        path = ranked[0][0]
        keys = [(path, package.name.lower(), advisory) for advisory in finding.result.advisories]
        twins = {name for key in keys if key in by_advisory for name in by_advisory[key].values()}
        if len({groups.find((name,)) for name in twins}) == 1:
            found.append((finding.fingerprint, min(twins)))
    return found


def _archive(finding: Finding) -> Key:
    place = finding.result.location
    return (place.image, place.archive) if isinstance(place, ArchiveLocation) else ()


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
