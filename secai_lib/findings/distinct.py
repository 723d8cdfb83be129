"""The distinct findings of one scan run."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from secai_lib.core.finding import (
    Evidence,
    Finding,
    Location,
    NoLocation,
    ParsedReport,
    Result,
    SourceLocation,
)
from secai_lib.findings.categories import category_of
from secai_lib.findings.fingerprints import fingerprints

_ORIGINS = ("security-severity", "cvss", "tool", "level", "none")
"""Most telling first."""


def distinct(
    reports: Sequence[ParsedReport], *, repository: str, run: str, commit: str
) -> list[Finding]:
    """One finding for each fingerprint of one run's `reports`, sorted by tool, place and rule.

    `repository`, `run` and `commit` are written into every finding. The order of `reports` does
    not matter.
    """
    results = [result for report in reports for result in report.results]
    same: dict[str, list[Result]] = defaultdict(list)
    for fingerprint, result in zip(fingerprints(results), results, strict=True):
        same[fingerprint].append(result)
    findings = []
    for fingerprint, group in same.items():
        merged = _merge(group)
        evidence = {(item.evidence.file, item.evidence.pointer): item.evidence for item in group}
        findings.append(
            Finding(
                fingerprint=fingerprint,
                repository=repository,
                run=run,
                commit=commit,
                category=category_of(merged),
                result=merged,
                evidence=tuple(evidence[key] for key in sorted(evidence)),
            )
        )
    return sorted(findings, key=_order)


def _order(finding: Finding) -> tuple[str, str, int, str, str]:
    result = finding.result
    return (
        result.tool,
        result.path or "",
        result.line or 0,
        result.rule_id,
        finding.fingerprint,
    )


def _merge(group: Sequence[Result]) -> Result:
    """The result that says most, with everything the others add."""
    ranked = sorted(group, key=_poverty)
    best = ranked[0]
    rated = min(ranked, key=lambda item: (item.severity_score is None, _origin(item)))
    packages = [item.package for item in ranked if item.package]
    package = max(packages, key=lambda p: len(p.ranges) + len(p.fixed_versions), default=None)
    merged: dict[str, object] = {
        "severity": rated.severity,
        "severity_score": rated.severity_score,
        "severity_origin": rated.severity_origin,
        "cwes": tuple(sorted(_union(item.cwes for item in ranked), key=_cwe_number)),
        "advisories": tuple(sorted(_union(item.advisories for item in ranked))),
        "references": _union(item.references for item in ranked),
        "technologies": tuple(sorted(_union(item.technologies for item in ranked))),
        "locations": _places(ranked),
        "package": package,
        "suppressed": any(item.suppressed for item in ranked),
    }
    for name in ("tool_version", "help", "confidence", "resource"):
        merged[name] = next((v for v in (getattr(item, name) for item in ranked) if v), "")
    more = {name: value for name, value in merged.items() if value != getattr(best, name)}
    return Result.model_validate({**dict(best), **more}) if more else best


def _poverty(result: Result) -> tuple[bool, int, bool, int, str, str]:
    """Least for the result that says most; the evidence decides between equals."""
    place = result.location
    shown = isinstance(place, SourceLocation) and bool(place.snippet)
    evidence: Evidence = result.evidence
    return (
        not shown,
        -len(result.locations),
        result.severity_score is None,
        -len(result.help),
        evidence.file,
        evidence.pointer,
    )


def _origin(result: Result) -> int:
    known = result.severity_origin in _ORIGINS
    return _ORIGINS.index(result.severity_origin) if known else len(_ORIGINS)


def _places(ranked: Sequence[Result]) -> tuple[Location, ...]:
    """The best result's places, then those only others name; snippets make no difference."""
    found: dict[Location, Location] = {}
    for result in ranked:
        for place in result.locations:
            bare = (
                place.model_copy(update={"snippet": ""})
                if isinstance(place, SourceLocation)
                else place
            )
            found.setdefault(bare, place)
    real = tuple(place for place in found.values() if not isinstance(place, NoLocation))
    return real or tuple(found.values())


def _union(parts: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for part in parts for item in part))


def _cwe_number(cwe: str) -> tuple[int, str]:
    digits = cwe.rpartition("-")[2]
    return (int(digits) if digits.isdigit() else 0, cwe)
