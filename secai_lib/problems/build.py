"""The problems of every repository and branch, with their history."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.finding import Finding, LockfileLocation, Severity, SourceLocation
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import content_hash
from secai_lib.core.scan import ScanRun, ToolStatus
from secai_lib.problems.join import join

Place = tuple[str, str]


def build_problems(runs: Sequence[ScanRun], findings: Iterable[Finding]) -> list[Problem]:
    """Every problem that `runs` ever showed, sorted by repository, branch and id.

    A problem is open while the newest run of one of its tools shows it. A run in which a tool
    is absent or failed says nothing about that tool's findings.
    """
    by_key = {run.key: run for run in runs}
    places: dict[Place, list[Finding]] = defaultdict(list)
    for finding in findings:
        places[(finding.repository, by_key[finding.run].request.branch)].append(finding)
    problems = []
    for place in sorted(places):
        mine = [run for run in runs if (run.request.repository, run.request.branch) == place]
        newest = _newest_run_of_tool(mine)
        problems += [_problem(group, place, by_key, newest) for group in join(places[place])]
    return sorted(problems, key=lambda p: (p.repository, p.branch, p.id))


def _newest_run_of_tool(runs: Iterable[ScanRun]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for run in sorted(runs, key=_order):
        for tool in run.tools:
            if tool.status is ToolStatus.RAN:
                newest[tool.tool] = run.key
    return newest


def _order(run: ScanRun) -> tuple[object, str]:
    return run.request.created_at, run.key


def _problem(
    group: list[Finding], place: Place, by_key: Mapping[str, ScanRun], newest: Mapping[str, str]
) -> Problem:
    last = max((by_key[finding.run] for finding in group), key=_order)
    first = min((by_key[finding.run] for finding in group), key=_order)
    current = [f for f in group if newest.get(f.result.tool) == f.run]
    shown = current or [f for f in group if f.run == last.key]
    main = min(shown, key=_says_most)
    scores = [f.result.severity_score for f in shown if f.result.severity_score is not None]
    repository, branch = place
    return Problem(
        # named after what was seen first, so that a scanner added later does not rename it
        id=content_hash(
            repository, branch, min(f.fingerprint for f in group if f.run == first.key)
        ),
        repository=repository,
        branch=branch,
        commit=main.commit,
        run=main.run,
        title=main.result.title,
        category=main.category,
        severity=min((f.result.severity for f in shown), key=lambda s: s.rank),
        severity_score=max(scores, default=None),
        cwes=_union(f.result.cwes for f in shown),
        advisories=_union(f.result.advisories for f in shown),
        tools=tuple(sorted({f.result.tool for f in shown})),
        rules=tuple(sorted({f"{f.result.tool}:{f.result.rule_id}" for f in shown})),
        fingerprints=tuple(sorted({f.fingerprint for f in shown})),
        location=main.result.location,
        package=main.result.package,
        state=ProblemState.OPEN if current else ProblemState.FIXED,
        first_seen=first.request.created_at,
        last_seen=last.request.created_at,
    )


def _says_most(finding: Finding) -> tuple[int, int, str]:
    """Places in the repository first: they can be fixed; then the worse, then by fingerprint."""
    in_repository = isinstance(finding.result.location, SourceLocation | LockfileLocation)
    severity = finding.result.severity
    rank = severity.rank if severity is not Severity.UNKNOWN else len(Severity)
    return (0 if in_repository else 1, rank, finding.fingerprint)


def _union(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({item for value in values for item in value}))
