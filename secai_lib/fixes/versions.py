"""The version that ends all advisories of a package, in the ecosystem's own order."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from secai_lib.core.finding import Finding, Package
from secai_lib.fixes.advisory import advisories_beside, affected, version_order
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain

_PRERELEASE = re.compile(
    r"(?i)(?:^|[\d.+-])(?:alpha|beta|rc|cr|snapshot|dev|pre|preview|ea)(?![a-z])"
    r"|[.-]m\d|\d[ab]\d"
)
_FLAVOUR = re.compile(r"-(jre|android|jre8|jre11|jdk8|jdk11|java7|java8)\Z")
"""Builds of one release for different platforms; a fix must not change the platform."""


@dataclass(frozen=True)
class Choice:
    """The versions that end the advisories."""

    in_branch: str
    """The smallest one of the same minor branch, else of the same major, else of all."""
    latest_fixed: str
    """The highest version that an advisory calls fixed; often equal to `in_branch`."""
    advisories: tuple[str, ...]
    """Ids of all advisories that it ends, sorted."""
    named: frozenset[str]
    """The fixed versions as the advisories spell them."""


def choose_version(finding: Finding, peers: Peers) -> Choice:
    """The versions outside every affected range of every advisory about the package.

    Raises `Abstain` when no advisory names a fixed version, or none of them helps.
    """
    package = finding.result.package
    if package is None:
        raise Abstain("no_package", "The finding names no package.")
    order = version_order(package.ecosystem)
    if order is None:
        raise Abstain("unknown_ecosystem", f"The order of versions of {package.ecosystem} is not "
                      "known here.")  # fmt: skip
    said = (finding.result, *advisories_beside(finding.result, peers))
    known = [result.package for result in said if result.package is not None]
    candidates = _candidates(order, package, known)
    if not candidates:
        raise Abstain(
            "no_upstream_fix",
            f"No advisory names a fixed version of {package.name} above {package.version}; "
            "replace the package, or keep the weak part of it from being reached.",
        )
    clean = [
        version
        for version in candidates
        if all(affected(order, about, version) is False for about in known)
    ]
    if not clean:
        raise Abstain(
            "no_upstream_fix",
            f"Every fixed version of {package.name} that is named is hit by another advisory.",
        )
    return Choice(
        in_branch=_nearest(package.version, clean),
        latest_fixed=clean[-1],
        advisories=tuple(sorted({result.rule_id for result in said})),
        named=frozenset(_named(known)),
    )


def agreed_version(
    version: str, finding: Finding, shared: Collection[str], peers: Peers, approach: str
) -> str:
    """`version`, or the higher one that a package of the same setting needs.

    Several artifacts of one release train often take their version from one place (`shared` are
    the other ones), and the highest of their fixed versions is the one that helps them all.
    """
    package = finding.result.package
    order = version_order(package.ecosystem) if package else None
    if package is None or order is None:
        return version
    wanted = {version}
    for peer in (peer for name in sorted(shared) for peer in peers.named(name)):
        if peer.result.package is None or peer.result.package.version != package.version:
            continue
        try:
            wanted.add(str(getattr(choose_version(peer, peers), approach)))
        except Abstain:
            continue
    known = [said.package for said in peers.advisories(package) if said.package]
    for candidate in sorted(wanted, key=order, reverse=True):
        if all(affected(order, about, candidate) is False for about in known):
            return candidate
    return version


def _candidates(order: Any, package: Package, known: Sequence[Package]) -> list[str]:
    """Versions above the installed one that advisories call fixed, in the ecosystem's order."""
    named = {_own_flavour(package.version, version) for version in _named(known)}
    try:
        installed = order(package.version)
        above = sorted((v for v in named if order(v) > installed), key=order)
    except (ValueError, TypeError, AttributeError) as error:
        raise Abstain("unreadable_version", f"A version of {package.name} cannot be read as one "
                      f"of {package.ecosystem}.") from error  # fmt: skip
    stable = [v for v in above if not _PRERELEASE.search(v)]
    return stable or (above if _PRERELEASE.search(package.version) else [])


def _named(known: Sequence[Package]) -> set[str]:
    """Every version that an advisory calls fixed."""
    return {
        version
        for about in known
        for version in (*about.fixed_versions, *(r.fixed for r in about.ranges if r.fixed))
    }


def _own_flavour(installed: str, version: str) -> str:
    """`version` in the installed one's flavour: releases are published in all of them."""
    mine, other = _FLAVOUR.search(installed), _FLAVOUR.search(version)
    if mine and other:
        return version[: other.start()] + mine[0]
    return version


def _nearest(installed: str, clean: Sequence[str]) -> str:
    """The smallest of `clean` that shares most leading numbers (at most two) with `installed`."""
    here = _numbers(installed)
    for length in (2, 1):
        branch = [v for v in clean if _numbers(v)[:length] == here[:length]]
        if branch:
            return branch[0]
    return clean[0]


def _numbers(version: str) -> tuple[int, ...]:
    bare = version.lstrip("vV=").split("!")[-1]
    return tuple(int(part) for part in re.findall(r"\d+", re.split(r"[-+]", bare)[0])[:3])
