"""The verdict on every problem: which rule of triage fits first, and on what evidence.

A rule answers from facts alone: what the reports, the lockfile and the repository say. One that
does not know says nothing, and what no rule speaks of is for people to mend.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from secai_lib.core.finding import (
    Category,
    Finding,
    ImageLocation,
    LockfileLocation,
    SourceLocation,
)
from secai_lib.core.fix import SourceFiles
from secai_lib.core.problem import Problem
from secai_lib.core.triage import Acceptance, Grounds, Policy, Triage, Verdict
from secai_lib.core.triage_settings import PathRule, TriageSettings
from secai_lib.problems.policy import FILE, covers

_KEV = "known_exploited_vulnerabilities"
"""In a link to CISA's catalogue of weaknesses that are used in attacks."""
_NOTHING = Grounds(
    rule="none",
    verdict=Verdict.ACTIONABLE,
    reason="No rule of triage speaks against mending it.",
    evidence=(),
)
_SHOWN = 5
"""Facts that are listed; the rest is counted."""


@dataclass(frozen=True)
class Case:
    """A problem with all that is known of it."""

    problem: Problem
    findings: Sequence[Finding]
    """Its findings, the one that speaks for it first."""
    files: SourceFiles | None
    """The commit's files; None when they are not here."""


@dataclass
class Branch:
    """What all problems of a branch say together."""

    settings: TriageSettings
    today: date
    policy: Policy | None = None
    by_rule: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Tool and rule -> findings."""
    by_tool: Counter[str] = field(default_factory=Counter)
    """Tool -> findings."""
    paths: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Tool and rule -> files."""
    lockfiles: dict[str, Mapping[tuple[str, str], bool]] = field(default_factory=dict)
    """Path of an npm lockfile -> package and version -> whether only development needs it."""


def triage_branch(
    problems: Sequence[Problem],
    findings: Mapping[str, Finding],
    files: SourceFiles | None,
    policy: Policy | None,
    settings: TriageSettings,
    today: date,
) -> list[Triage]:
    """A verdict on every finding of the open `problems` of one branch, by problem and finding.

    The finding that speaks for its problem has the problem's verdict, the others are duplicates of
    it. `findings` are those of the problems by fingerprint.
    """
    branch = Branch(settings, today, policy)
    cases = [_case(problem, findings, files) for problem in problems]
    for finding in (finding for case in cases for finding in case.findings):
        key = (finding.result.tool, finding.result.rule_id)
        branch.by_rule[key] += 1
        branch.by_tool[finding.result.tool] += 1
        branch.paths[key].add(finding.result.path or "")
    rows = [row for case in cases for row in _rows(case, branch)]
    return sorted(rows, key=lambda row: (row.repository, row.branch, row.problem, row.fingerprint))


def unused(policy: Policy, problems: Iterable[Problem]) -> list[Acceptance]:
    """Acceptances that speak of no open problem: what they were for is gone, or they are wrong."""
    still_open = list(problems)
    return [a for a in policy.acceptances if not any(covers(a, p) for p in still_open)]


def _case(problem: Problem, findings: Mapping[str, Finding], files: SourceFiles | None) -> Case:
    mine = [findings[name] for name in problem.fingerprints if name in findings]
    mine.sort(key=lambda f: (f.result.location != problem.location, f.fingerprint))
    return Case(problem, mine, files)


def _rows(case: Case, branch: Branch) -> Iterator[Triage]:
    problem = case.problem
    grounds = [found for rule in _RULES if (found := rule(case, branch)) is not None]
    first = grounds[0] if grounds else _NOTHING
    names = [finding.fingerprint for finding in case.findings] or list(problem.fingerprints)
    yield _row(problem, names[0], first, tuple(grounds[1:]))
    for name in names[1:]:
        joined = Grounds(
            rule="joined",
            verdict=Verdict.DUPLICATE,
            reason=f"It is the same problem as {names[0]}, which has the verdict.",
            evidence=(names[0], *problem.advisories[:_SHOWN]),
        )
        yield _row(problem, name, joined, ())


def _row(problem: Problem, name: str, grounds: Grounds, others: tuple[Grounds, ...]) -> Triage:
    return Triage(
        problem=problem.id,
        fingerprint=name,
        repository=problem.repository,
        branch=problem.branch,
        verdict=grounds.verdict,
        rule=grounds.rule,
        reason=grounds.reason,
        evidence=grounds.evidence,
        others=others,
    )


def _accepted(case: Case, branch: Branch) -> Grounds | None:
    for accepted in branch.policy.acceptances if branch.policy else ():
        if covers(accepted, case.problem) and accepted.until >= branch.today:
            who = f" by {accepted.by}" if accepted.by else ""
            return Grounds(
                rule="policy",
                verdict=Verdict.ACCEPTED,
                reason=f"Accepted{who} until {accepted.until}: {accepted.reason}",
                evidence=(f"{FILE}:{accepted.line}",),
            )
    return None


def _suppressed(case: Case, branch: Branch) -> Grounds | None:
    rule = branch.settings.suppressed
    marked = [f"{f.result.tool}: {f.evidence[0].file} {f.evidence[0].pointer}".strip()
              for f in case.findings if f.result.suppressed]  # fmt: skip
    if not rule.enabled or not marked or len(marked) < len(case.findings):
        return None
    return Grounds(
        rule="suppressed",
        verdict=rule.verdict,
        reason="The scanner's own report marks it as suppressed.",
        evidence=_some(marked),
    )


def _test_code(case: Case, branch: Branch) -> Grounds | None:
    rule = branch.settings.test_code
    if case.problem.category is Category.SECRET:
        return None  # a password of a test is a password
    if not rule.enabled or not (paths := _all_in(case, rule)):
        return None
    return Grounds(
        rule="test_code",
        verdict=rule.verdict,
        reason="It stands in the tests, which are not shipped.",
        evidence=_some(paths),
    )


def _generated(case: Case, branch: Branch) -> Grounds | None:
    rule = branch.settings.generated_code
    if not rule.enabled:
        return None
    facts = []
    for path in _source_paths(case):
        fact = path if _matches(path, rule) else _mark(case, path, branch)
        if not fact:
            return None
        facts.append(fact)
    if not facts:
        return None
    return Grounds(
        rule="generated_code",
        verdict=rule.verdict,
        reason="Nobody writes this file by hand: change what generates it, or where it comes from.",
        evidence=_some(facts),
    )


def _mark(case: Case, path: str, branch: Branch) -> str:
    """The line at the file's beginning that says that it is generated; empty without one."""
    rule = branch.settings.generated_code
    text = case.files.read(path) if case.files and rule.lines else None
    for number, line in enumerate((text or "").split("\n", rule.lines)[: rule.lines], 1):
        if any(mark in line.lower() for mark in rule.marks):
            return f"{path}:{number}"
    return ""


def _tooling_only(case: Case, branch: Branch) -> Grounds | None:
    rule = branch.settings.tooling_only
    if not rule.enabled or case.files is None or not case.findings:
        return None
    facts = []
    for finding in case.findings:
        place, package = finding.result.location, finding.result.package
        if package is None or not isinstance(place, LockfileLocation):
            return None  # seen in an image or an archive, it is shipped
        text = case.files.read(place.path)
        fact = _only_tools(place.path, text or "", package.name, package.version, branch)
        if not fact:
            return None
        facts.append(fact)
    return Grounds(
        rule="tooling_only",
        verdict=rule.verdict,
        reason="Only the build or the tests use this package; it is not part of what is shipped.",
        evidence=_some(facts),
    )


def _only_tools(path: str, text: str, name: str, version: str, branch: Branch) -> str:
    """The line of the lockfile that says so; empty when it says otherwise or nothing."""
    if path.endswith(".lockfile"):
        for number, line in enumerate(text.splitlines(), 1):
            module, _, used = line.partition("=")
            if module == f"{name}:{version}" and used:
                tools = all(_is_tool(one.strip(), branch) for one in used.split(","))
                return f"{path}:{number} {used}" if tools else ""
    if path.rpartition("/")[2] in ("package-lock.json", "npm-shrinkwrap.json"):
        if path not in branch.lockfiles:
            branch.lockfiles[path] = _npm_development(text)
        if branch.lockfiles[path].get((name, version)):
            return f'{path} "dev": true'
    return ""


def _is_tool(configuration: str, branch: Branch) -> bool:
    rule = branch.settings.tooling_only
    return configuration in rule.configurations or configuration.startswith(rule.prefixes)


def _npm_development(text: str) -> Mapping[tuple[str, str], bool]:
    """Package and version -> whether every place of it in the lockfile is for development."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    found: dict[tuple[str, str], bool] = {}
    for name, entry in _npm_packages(held):
        key = (name, str(entry.get("version", "")))
        found[key] = found.get(key, True) and entry.get("dev") is True
    return found


def _npm_packages(held: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    packages = held.get("packages") if isinstance(held, dict) else None
    if isinstance(packages, dict):
        for path, entry in packages.items():
            if isinstance(entry, dict) and "node_modules/" in path:
                yield path.rpartition("node_modules/")[2], entry
        return
    waiting = [held] if isinstance(held, dict) else []
    while waiting:  # version 1 nests
        inner = waiting.pop().get("dependencies")
        for name, entry in inner.items() if isinstance(inner, dict) else ():
            if isinstance(entry, dict):
                yield name, entry
                waiting.append(entry)


def _no_fix(case: Case, branch: Branch) -> Grounds | None:
    rule = branch.settings.no_fix_published
    if not rule.enabled or not case.findings:
        return None
    facts = []
    for finding in case.findings:
        package = finding.result.package
        if package is None or package.fixed_versions or any(r.fixed for r in package.ranges):
            return None
        facts.append(
            f"{finding.result.rule_id}: {package.name} {package.version}, no fixed version"
        )
    system = all(isinstance(f.result.location, ImageLocation) for f in case.findings)
    what = "The distribution" if system else "Nobody"
    return Grounds(
        rule="no_fix_published",
        verdict=rule.verdict,
        reason=f"{what} has published no version without it; watch the advisory.",
        evidence=_some(facts),
    )


def _over_broad(case: Case, branch: Branch) -> Grounds | None:
    rule, problem = branch.settings.over_broad, case.problem
    if not rule.enabled or not case.findings or problem.severity in rule.spared:
        return None
    facts = []
    for finding in case.findings:
        result = finding.result
        key = (result.tool, result.rule_id)
        told = result.flow or any(_KEV in link for link in result.references)
        if told or result.package is not None or not isinstance(result.location, SourceLocation):
            return None
        number, files = branch.by_rule[key], len(branch.paths[key])
        share = number / branch.by_tool[result.tool]
        broad = number >= rule.findings and files >= rule.files and share >= rule.share
        if not broad or number / files < rule.per_file:
            return None
        facts.append(f"{result.tool} {result.rule_id}: {number} findings in {files} files, "
                     f"{share:.0%} of all of {result.tool}")  # fmt: skip
    if len(problem.tools) > 1:
        return None  # another scanner sees it too
    return Grounds(
        rule="over_broad",
        verdict=rule.verdict,
        reason="The scanner's rule fires nearly everywhere and says nothing about this place.",
        evidence=_some(facts),
    )


_RULES: tuple[Callable[[Case, Branch], Grounds | None], ...] = (
    _accepted,
    _suppressed,
    _test_code,
    _generated,
    _tooling_only,
    _no_fix,
    _over_broad,
)
"""In the order in which they are asked."""


def _source_paths(case: Case) -> list[str]:
    """The files of all places of all findings; none when one place is no file of code."""
    places = [place for finding in case.findings for place in finding.result.locations]
    if not all(isinstance(place, SourceLocation) for place in places):
        return []
    return sorted({place.path for place in places if isinstance(place, SourceLocation)})


def _all_in(case: Case, rule: PathRule) -> list[str]:
    paths = _source_paths(case)
    return paths if paths and all(_matches(path, rule) for path in paths) else []


def _matches(path: str, rule: PathRule) -> bool:
    *folders, name = path.split("/")
    return not set(rule.folders).isdisjoint(folders) or any(
        fnmatchcase(name, pattern) for pattern in rule.files
    )


def _some(facts: Iterable[str]) -> tuple[str, ...]:
    listed = list(dict.fromkeys(facts))
    more = len(listed) - _SHOWN
    return (*listed[:_SHOWN], f"and {more} more") if more > 0 else tuple(listed)
