"""What each problem is worth: rules first, each with what it rests on."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.fix import SourceFiles
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.settings import TriageSettings
from secai_lib.core.triage import Acceptance, Decision, Policy, Triage
from secai_lib.problems.triage_rules import RULES, Case, Fit, Source
from secai_lib.problems.triage_statistics import over_broad

Files = Callable[[str, str], SourceFiles | None]
"""The files of a repository's commit; None when they are not here."""


def triage(
    problems: Sequence[Problem],
    findings: Mapping[str, Finding],
    *,
    files: Files,
    policies: Sequence[Policy],
    settings: TriageSettings,
) -> tuple[list[Triage], list[Policy]]:
    """One decision for each of `problems`, in their order, and `policies` with what they matched.

    Args:
        problems: The problems of all repositories and branches.
        findings: Fingerprint -> the newest finding with it.
        files: Where files are read.
        policies: What people accept, for places that have a file.
        settings: Which rules are asked, and their numbers.
    """
    broad = over_broad(problems, findings, settings) if settings.over_broad else {}
    counting = {(p.repository, p.branch): _counting(p) for p in policies}
    used: dict[tuple[str, str], set[int]] = defaultdict(set)
    judged: dict[str, list[Fit]] = {}
    exploited: set[str] = set()
    sources: dict[tuple[str, str], Source] = {}
    for problem in problems:
        place = (problem.repository, problem.branch)
        shown = tuple(findings[f] for f in problem.fingerprints if f in findings)
        matching = [a for a in counting.get(place, ()) if matches(a, problem, shown)]
        used[place] |= {acceptance.line for acceptance in matching}
        commit = (problem.repository, problem.commit)
        if commit not in sources:
            sources[commit] = Source(files(*commit))
        case = Case(
            problem, shown, sources[commit], settings, tuple(matching), broad.get(problem.id)
        )
        exploited |= {problem.id} if case.exploited else set()
        judged[problem.id] = [
            fit for rule in RULES if getattr(settings, rule.__name__) and (fit := rule(case))
        ]
    if settings.duplicate:
        for twin, fit in _duplicates(problems, judged):
            judged[twin].append(fit)
    told = [
        policy.model_copy(
            update={
                "expired": tuple(a.line for a in policy.acceptances if a.until < policy.judged),
                "unmatched": tuple(
                    a.line
                    for a in _counting(policy)
                    if a.line not in used[(policy.repository, policy.branch)]
                ),
            }
        )
        for policy in policies
    ]
    return [_decided(p, judged[p.id], p.id in exploited) for p in problems], told


def matches(acceptance: Acceptance, problem: Problem, shown: Iterable[Finding]) -> bool:
    """Whether `acceptance` is about `problem`: all that scanners see there, or its fingerprint."""
    if acceptance.fingerprint:
        return acceptance.fingerprint in problem.fingerprints
    mine = list(shown)
    return bool(mine) and all(
        f"{f.result.tool}:{f.result.rule_id}" == acceptance.rule
        and f.result.path is not None
        and fnmatchcase(f.result.path, acceptance.path)
        for f in mine
    )


def _counting(policy: Policy) -> list[Acceptance]:
    return [a for a in policy.acceptances if a.until >= policy.judged]


def _decided(problem: Problem, fits: Sequence[Fit], exploited: bool) -> Triage:
    first = fits[0] if fits else Fit(
        "none",
        Decision.ACTIONABLE,
        "No rule speaks against it.",
        (f"{problem.severity.value} severity, seen by {', '.join(problem.tools)}",),
    )  # fmt: skip
    return Triage(
        problem=problem.id,
        repository=problem.repository,
        branch=problem.branch,
        decision=first.decision,
        rule=first.rule,
        reason=first.reason,
        evidence=first.evidence,
        exploited=exploited,
        fits=tuple(fit.rule for fit in fits),
    )


def _duplicates(
    problems: Iterable[Problem], judged: Mapping[str, list[Fit]]
) -> Iterable[tuple[str, Fit]]:
    """Problems that another one stands for; that one is open and actionable itself."""
    by_line: dict[tuple[str, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        place = problem.location
        alone = problem.state is ProblemState.OPEN and not judged[problem.id]
        if alone and isinstance(place, SourceLocation) and place.start_line:
            line = (problem.repository, problem.branch, place.path, str(place.start_line))
            by_line[line].append(problem)
    for where in sorted(by_line):
        kept: list[Problem] = []
        for problem in sorted(by_line[where], key=lambda p: (p.severity.rank, p.id)):
            twin = next((k for k in kept if _same(k, problem)), None)
            if twin is None:
                kept.append(problem)
                continue
            cwes = sorted(set(twin.cwes) & set(problem.cwes))
            yield (
                problem.id,
                Fit(
                    "duplicate",
                    Decision.DUPLICATE,
                    f"{', '.join(twin.tools)} says the same of the same line; problem {twin.id} "
                    "stands for it.",
                    (f"{where[2]}:{where[3]}", ", ".join(cwes), f"problem {twin.id}"),
                ),
            )


def _same(one: Problem, other: Problem) -> bool:
    return bool(set(one.cwes) & set(other.cwes)) and not set(one.tools) & set(other.tools)
