"""The rules of triage, in the order in which they are asked.

Each takes a case and returns why it fits, or None. Its name is its switch in `config/triage.yaml`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

from secai_lib.core.finding import Category, Finding, ImageLocation, LockfileLocation, Package
from secai_lib.core.fix import SourceFiles
from secai_lib.core.problem import Problem
from secai_lib.core.settings import TriageSettings
from secai_lib.core.triage import Acceptance, Decision
from secai_lib.problems.scopes import Scopes, scopes_in

_CODE = frozenset({Category.CODE, Category.MOBILE, Category.API, Category.WEB})
_HEAD = 2000
"""Characters of a file in which it says that it is generated."""


class Fit(NamedTuple):
    """A rule fits."""

    rule: str
    decision: Decision
    reason: str
    evidence: tuple[str, ...]


class Source:
    """What rules want to know of the files of a commit; each file is read once."""

    def __init__(self, files: SourceFiles | None) -> None:
        """Ask `files`; None where the commit is not here."""
        self._files = files
        self._heads: dict[str, str] = {}
        self._scopes: dict[str, Scopes] = {}

    def head(self, path: str) -> str:
        """The beginning of a file; empty where there is none."""
        if path not in self._heads:
            self._heads[path] = self._read(path)[:_HEAD]
        return self._heads[path]

    def scopes(self, path: str, package: Package) -> tuple[str, ...]:
        """What a lockfile has a package for; empty where it does not say."""
        if path not in self._scopes:
            self._scopes[path] = scopes_in(path, self._read(path))
        return self._scopes[path].get((package.name, package.version), ())

    def _read(self, path: str) -> str:
        return (self._files.read(path) if self._files else None) or ""


@dataclass(frozen=True)
class Case:
    """All that rules may look at."""

    problem: Problem
    findings: Sequence[Finding]
    """What scanners say of it."""
    source: Source
    """The files of its commit."""
    settings: TriageSettings
    acceptances: tuple[Acceptance, ...]
    """Entries of `.secai.yaml` that are about it and count."""
    broad: tuple[str, ...] | None
    """The figures of its over-broad rule."""

    @property
    def exploited(self) -> bool:
        """Whether a report links to evidence that the weakness is exploited."""
        links = (link.lower() for f in self.findings for link in f.result.references)
        return any(part in link for link in links for part in self.settings.exploit_links)

    @property
    def code_paths(self) -> tuple[str, ...]:
        """The files, when all that scanners say is about code; else nothing."""
        paths = [f.result.path for f in self.findings if f.category in _CODE]
        known = tuple(path for path in paths if path)
        return known if len(known) == len(self.findings) else ()


def accepted(case: Case) -> Fit | None:
    """A person of the repository lives with it."""
    if not case.acceptances:
        return None
    entry = case.acceptances[0]
    return Fit(
        "accepted",
        Decision.ACCEPTED,
        f"Accepted by {entry.by} until {entry.until.isoformat()}: {entry.reason}",
        (f".secai.yaml line {entry.line}",),
    )


def suppressed(case: Case) -> Fit | None:
    """Every scanner that sees it says that it was suppressed."""
    if not case.findings or not all(f.result.suppressed for f in case.findings):
        return None
    return Fit(
        "suppressed",
        Decision.FALSE_POSITIVE,
        "Whoever looked at it told the scanner that it is none.",
        tuple(
            f"{f.result.tool} marks {f.result.rule_id} as suppressed ({f.result.evidence.file})"
            for f in case.findings
        ),
    )


def test_code(case: Case) -> Fit | None:
    """It stands in tests, which are not delivered."""
    found = [(p, _pattern(p, case.settings.test_paths)) for p in case.code_paths]
    if case.exploited or not found or not all(pattern for _, pattern in found):
        return None
    return Fit(
        "test_code",
        Decision.FALSE_POSITIVE,
        "It is in code of tests, which is not delivered.",
        tuple(f"{path} matches {pattern}" for path, pattern in found),
    )


def generated_code(case: Case) -> Fit | None:
    """A build writes the file anew."""
    found = [(path, _generated(case, path)) for path in case.code_paths]
    if case.exploited or not found or not all(why for _, why in found):
        return None
    return Fit(
        "generated_code",
        Decision.NOT_FIXABLE_HERE,
        "The file is generated: change what generates it, or the change is lost.",
        tuple(f"{path} {why}" for path, why in found),
    )


def tooling_dependency(case: Case) -> Fit | None:
    """Its lockfile says that it is only there for the build's tools or for tests."""
    evidence: list[str] = []
    for finding in case.findings:
        package, place = finding.result.package, finding.result.location
        if package is None or not isinstance(place, LockfileLocation):
            return None
        scopes = case.source.scopes(place.path, package)
        if not scopes or not all(_tooling(scope, case.settings) for scope in scopes):
            return None
        shown = ", ".join(scopes[:5]) + (" ..." if len(scopes) > 5 else "")
        evidence.append(f"{place.path} has {package.name} {package.version} for {shown} only")
    hostile = any(a.startswith("MAL-") for a in case.problem.advisories)  # runs when installed
    if case.exploited or hostile or not evidence:
        return None
    return Fit(
        "tooling_dependency",
        Decision.FALSE_POSITIVE,
        "The package is there for tools of the build or for tests, and is not delivered.",
        tuple(dict.fromkeys(evidence)),
    )


def os_without_fix(case: Case) -> Fit | None:
    """A package of an image's system for which there is no fixed version yet."""
    evidence: list[str] = []
    for finding in case.findings:
        package = finding.result.package
        if package is None or not isinstance(finding.result.location, ImageLocation):
            return None
        if package.fixed_versions or any(r.fixed for r in package.ranges):
            return None
        evidence.append(
            f"{finding.result.tool} names no fixed version of {package.ecosystem} "
            f"{package.name} {package.version}"
        )
    if case.exploited or not evidence:
        return None
    return Fit(
        "os_without_fix",
        Decision.NOT_FIXABLE_HERE,
        "The image's system has no fixed version yet; build the image anew when it has.",
        tuple(dict.fromkeys(evidence)),
    )


def over_broad(case: Case) -> Fit | None:
    """Its rule fires on everything."""
    if case.broad is None or case.exploited or case.problem.category is Category.SECRET:
        return None
    return Fit(
        "over_broad",
        Decision.FALSE_POSITIVE,
        "The scanner's rule fires on code that has nothing in common; narrow the rule.",
        case.broad,
    )


RULES: tuple[Callable[[Case], Fit | None], ...] = (
    accepted,
    suppressed,
    test_code,
    generated_code,
    tooling_dependency,
    os_without_fix,
    over_broad,
)
"""`duplicate` comes last, elsewhere: it compares problems that none of these fits."""


def _pattern(path: str, patterns: Sequence[str]) -> str:
    return next((pattern for pattern in patterns if fnmatchcase(path, pattern)), "")


def _generated(case: Case, path: str) -> str:
    if pattern := _pattern(path, case.settings.generated_paths):
        return f"matches {pattern}"
    head = case.source.head(path)
    mark = next((mark for mark in case.settings.generated_marks if mark in head), "")
    return f"says {mark!r}" if mark else ""


def _tooling(scope: str, settings: TriageSettings) -> bool:
    return scope == "dev" or bool(_pattern(scope, settings.tooling_configurations))
