"""Whether a version fix leaves every affected range, in the ecosystem's own order."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from secai_lib.core.finding import Package, Result
from secai_lib.core.fix import Edit, ProofCheck, SourceFiles
from secai_lib.fixes.behaviour import new_spans
from secai_lib.fixes.declared import version_left
from secai_lib.fixes.edits import Overlay, by_path
from secai_lib.fixes.peers import Peers

_CLASSES = {
    "maven": "MavenVersion", "npm": "SemverVersion", "pypi": "PypiVersion",
    "go": "GolangVersion", "rubygems": "RubygemsVersion", "crates.io": "SemverVersion",
    "nuget": "NugetVersion", "packagist": "ComposerVersion",
}  # fmt: skip
_VERSION = re.compile(r"(?<![\w.])v?(\d+(?:\.\w+)+(?:[-+.]\w+)*|\d+)(?![\w.])")


def advisory_checks(
    target: Result,
    advisories: Sequence[Result],
    base: Mapping[str, str],
    fixed: Mapping[str, str],
    edits: Sequence[Edit],
    files: SourceFiles,
) -> tuple[ProofCheck, ...]:
    """The checks of a version fix: `base_triggers`, `finding_gone`, `not_downgrade`, `declared`.

    The new version has to lie outside the ranges of `target` and of all other `advisories` of the
    same package, and the build files have to ask for it. `base` and `fixed` are path -> text,
    `files` the commit's.
    """
    package = target.package
    if package is None:
        return (_no("base_triggers", "The finding names no package."),)
    order = version_order(package.ecosystem)
    if order is None:
        return (_no("base_triggers", f"No version order is known for {package.ecosystem}."),)
    known = [target, *advisories]
    new = _new_versions(package, base, fixed, edits)
    checks = [_base(order, target, package)]
    wanted = new[0] if len(new) == 1 else ""
    left = still_asked_for(target, advisories, files, Overlay(files, fixed), wanted)
    said = f"The build files ask for {package.name} {wanted} now."
    checks.append(ProofCheck(name="declared", passed=not left, detail=f"{left}." if left else said))
    if len(new) != 1:
        said = f"The edits name {len(new)} versions where one is expected."
        return (*checks, _no("finding_gone", said))
    return (*checks, *_outside(order, package, new[0], known))


def still_asked_for(
    target: Result,
    advisories: Sequence[Result],
    before: SourceFiles,
    after: SourceFiles,
    new: str = "",
) -> str:
    """Why the build files of `after` do not ask for a safe version; empty when they do.

    Safe is what `target` and `advisories` do not affect, or `new` where it is given.
    """
    package = target.package
    order = version_order(package.ecosystem) if package else None
    if package is None or order is None:
        return "The finding names no package whose versions can be compared"
    known = [one.package for one in (target, *advisories) if one.package is not None]

    def weak(version: str) -> bool | None:
        said = [affected(order, about, version) for about in known]
        return True if True in said else None if None in said else False

    return version_left(target, before, after, weak, new, order)


def _base(order: Any, target: Result, package: Package) -> ProofCheck:
    inside = affected(order, package, package.version)
    where = f"{package.name} {package.version}"
    if inside is None:
        return _no("base_triggers", f"{target.rule_id} gives no range that can be read.")
    said = "is" if inside else "is not"
    detail = f"{where} {said} inside the affected versions of {target.rule_id}."
    return ProofCheck(name="base_triggers", passed=inside, detail=detail)


def _outside(
    order: Any, package: Package, new: str, known: Sequence[Result]
) -> tuple[ProofCheck, ProofCheck]:
    hit, unreadable = [], []
    for result in known:
        inside = affected(order, result.package, new) if result.package else None
        if inside is None:
            unreadable.append(result.rule_id)
        elif inside:
            hit.append(result.rule_id)
    good = not hit and not unreadable
    all_of = "the advisory's ranges" if len(known) == 1 else f"all {len(known)} advisories' ranges"
    detail = f"{package.name} {new} is outside {all_of}."
    if hit:
        detail = f"{package.name} {new} is still affected by {', '.join(sorted(set(hit)))}."
    elif unreadable:
        detail = f"The ranges of {', '.join(sorted(set(unreadable)))} cannot be read."
    up = _not_below(order, package.version, new)
    return (
        ProofCheck(name="finding_gone", passed=good, detail=detail),
        ProofCheck(
            name="not_downgrade",
            passed=up,
            detail=f"{package.version} -> {new} is {'no' if up else 'a'} downgrade.",
        ),
    )


def affected(order: Any, package: Package, version: str) -> bool | None:
    """Whether `version` is affected by what `package` says; None when that cannot be told.

    Without ranges and lists the advisory's fixed versions decide: affected below all of them,
    unaffected from the highest on, between them only the one of the same major and minor.
    """
    try:
        at = order(version)
        if package.ranges:
            inside = any(_within(order, at, r.introduced, r.fixed, r.last_affected)
                         for r in package.ranges)  # fmt: skip
            return inside or any(order(listed) == at for listed in package.affected_versions)
        if package.affected_versions:
            return any(order(listed) == at for listed in package.affected_versions)
        return _by_fixed(order, at, version, package.fixed_versions)
    except (ValueError, TypeError, AttributeError, ArithmeticError):
        return None


def _within(order: Any, at: Any, first: str, fixed: str | None, last: str | None) -> bool:
    if first not in ("", "0") and at < order(first):
        return False
    if fixed is not None:
        return bool(at < order(fixed))
    return bool(at <= order(last)) if last is not None else True


def _by_fixed(order: Any, at: Any, version: str, fixed: Sequence[str]) -> bool | None:
    if not fixed:
        return None
    ordered = sorted(fixed, key=order)
    if at >= order(ordered[-1]):
        return False
    branch = [one for one in ordered if one.split(".")[:2] == version.split(".")[:2]]
    if branch:
        return bool(at < order(branch[-1]))
    return True


def advisories_beside(target: Result, peers: Peers) -> tuple[Result, ...]:
    """What `peers` (open findings of the repository) say of the package of `target`, without it."""
    if target.package is None:
        return ()
    return tuple(said for said in peers.advisories(target.package) if said != target)


def version_order(ecosystem: str) -> Any:
    """What reads a version of an OSV ecosystem (suffixes like `:11` ignored); None if unknown."""
    name = _CLASSES.get(ecosystem.split(":")[0].lower())
    return _reader(name) if name else None


@cache
def _reader(name: str) -> Any:
    """The class `name`, remembering what it read: advisories name the same versions throughout."""
    from univers import versions  # a tenth of a second to import

    return lru_cache(maxsize=100_000)(getattr(versions, name))


def _new_versions(
    package: Package, base: Mapping[str, str], fixed: Mapping[str, str], edits: Sequence[Edit]
) -> tuple[str, ...]:
    """Versions that stand in the edited places and did not stand there before."""
    found: list[str] = []
    for path, group in by_path(edits).items():
        old = _versions_at(base[path], [(e.start, e.end) for e in group])
        found += [v for v in _versions_at(fixed[path], new_spans(group)) if v not in old]
    return tuple(dict.fromkeys(found))


def _versions_at(text: str, spans: Iterable[tuple[int, int]]) -> list[str]:
    """Whole versions that a span touches: an edit may replace only their last digit."""
    ranges = list(spans)
    return [m[1] for m in _VERSION.finditer(text)
            if any(m.start() <= end and start <= m.end() for start, end in ranges)]  # fmt: skip


def _not_below(order: Any, old: str, new: str) -> bool:
    try:
        return bool(order(new) >= order(old))
    except (ValueError, TypeError, AttributeError):
        return False


def _no(name: str, detail: str) -> ProofCheck:
    return ProofCheck(name=name, passed=False, detail=detail)
