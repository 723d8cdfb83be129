"""The problems of every repository and branch, with their history."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from secai_lib.core.finding import Finding, LockfileLocation, Severity, SourceLocation
from secai_lib.core.problem import Alias, EventKind, Problem, ProblemEvent, ProblemState, Rename
from secai_lib.core.record import content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.problems.history import Event, timeline
from secai_lib.problems.join import join
from secai_lib.problems.renames import Fingerprints, Renamed, follow

Place = tuple[str, str]


@dataclass(frozen=True)
class Corpus:
    """What all scan runs together say."""

    problems: list[Problem] = field(default_factory=list)
    """Every problem that was ever seen, sorted by repository, branch and id."""
    history: list[ProblemEvent] = field(default_factory=list)
    """What happened to them, sorted by repository, branch, time and problem."""
    aliases: list[Alias] = field(default_factory=list)
    """The findings that are one problem because they share an advisory, sorted like these."""
    renames: list[Rename] = field(default_factory=list)
    """The findings that went on in a renamed file, by repository, branch and run."""


def build_problems(
    runs: Sequence[ScanRun],
    findings: Iterable[Finding],
    *,
    renamed: Renamed,
    fingerprints: Fingerprints,
) -> Corpus:
    """Every problem that `runs` ever showed, and how that is known.

    A problem is open while one of its scanners, in the newest run in which that scanner ran, shows
    it. The order in which runs arrive makes no difference: their times do.

    Args:
        runs: The scan runs.
        findings: All findings of theirs.
        renamed: Which files git saw renamed between two commits.
        fingerprints: How findings are named, to follow those of renamed files.
    """
    by_place: dict[Place, list[ScanRun]] = defaultdict(list)
    for run in sorted(runs, key=_order):
        by_place[(run.request.repository, run.request.branch)].append(run)
    by_run: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        by_run[finding.run].append(finding)
    corpus = Corpus()
    for _, mine in sorted(by_place.items()):
        _add_place(corpus, mine, by_run, renamed, fingerprints)
    corpus.problems.sort(key=lambda p: (p.repository, p.branch, p.id))
    corpus.history.sort(key=lambda e: (e.repository, e.branch, e.time, e.run, e.problem))
    corpus.aliases.sort(key=lambda a: (a.problem, a.advisory, a.fingerprint))
    return corpus


def _order(run: ScanRun) -> tuple[object, str]:
    return run.request.created_at, run.key


def _add_place(
    corpus: Corpus,
    runs: Sequence[ScanRun],
    by_run: Mapping[str, list[Finding]],
    renamed: Renamed,
    fingerprints: Fingerprints,
) -> None:
    """Add what the runs of one branch (oldest first) say to `corpus`."""
    moves = follow(runs, by_run, renamed, fingerprints)
    corpus.renames.extend(moves)
    found = [finding for run in runs for finding in by_run.get(run.key, ())]
    groups = join(found, [(move.old_fingerprint, move.new_fingerprint) for move in moves])
    seen: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, group in enumerate(groups):
        for finding in group:
            seen[finding.run][finding.result.tool].add(number)
    told = timeline(runs, seen)
    by_key = {run.key: run for run in runs}
    for number, group in enumerate(groups):
        problem = _problem(group, by_key, told.events[number], told.holders.get(number))
        corpus.problems.append(problem)
        corpus.history.extend(_event(problem, event) for event in told.events[number])
        corpus.aliases.extend(_aliases(problem, group, by_key))


def _problem(
    group: list[Finding],
    by_key: Mapping[str, ScanRun],
    events: Sequence[Event],
    holders: frozenset[str] | None,
) -> Problem:
    last = max((by_key[finding.run] for finding in group), key=_order)
    first = min((by_key[finding.run] for finding in group), key=_order)
    shown = _newest_of(group, holders, by_key) if holders else []
    shown = shown or [f for f in group if f.run == last.key]
    main = min(shown, key=_says_most)
    scores = [f.result.severity_score for f in shown if f.result.severity_score is not None]
    request = last.request
    return Problem(
        # named after what was seen first, so that a scanner added later does not rename it
        id=content_hash(
            request.repository,
            request.branch,
            min(f.fingerprint for f in group if f.run == first.key),
        ),
        repository=request.repository,
        branch=request.branch,
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
        state=ProblemState.OPEN if holders else ProblemState.FIXED,
        first_seen=first.request.created_at,
        last_seen=last.request.created_at,
        fixed_at=None if holders else events[-1].run.request.created_at,
        reopened=sum(event.kind is EventKind.REOPENED for event in events),
    )


def _newest_of(
    group: Sequence[Finding], holders: frozenset[str], by_key: Mapping[str, ScanRun]
) -> list[Finding]:
    """Of each scanner that holds the group, what its newest run that shows it says."""
    newest: dict[str, ScanRun] = {}
    for finding in group:
        tool, run = finding.result.tool, by_key[finding.run]
        if tool in holders:
            newest[tool] = max(newest.get(tool, run), run, key=_order)
    return [f for f in group if f.result.tool in newest and newest[f.result.tool].key == f.run]


def _event(problem: Problem, event: Event) -> ProblemEvent:
    request = event.run.request
    return ProblemEvent(
        problem=problem.id,
        repository=problem.repository,
        branch=problem.branch,
        event=event.kind,
        run=event.run.key,
        commit=request.commit,
        time=request.created_at,
        tools=event.tools,
    )


def _aliases(
    problem: Problem, group: Sequence[Finding], by_key: Mapping[str, ScanRun]
) -> Iterable[Alias]:
    """The findings that share an advisory with another one, each from its newest run."""
    newest: dict[str, Finding] = {}
    for finding in group:
        known = newest.get(finding.fingerprint)
        if known is None or _order(by_key[known.run]) < _order(by_key[finding.run]):
            newest[finding.fingerprint] = finding
    named = Counter(a for f in newest.values() if f.result.package for a in f.result.advisories)
    for finding in newest.values():
        result = finding.result
        if result.package is None:
            continue
        for advisory in result.advisories:
            if named[advisory] > 1:
                yield Alias(
                    problem=problem.id,
                    advisory=advisory,
                    fingerprint=finding.fingerprint,
                    tool=result.tool,
                    rule_id=result.rule_id,
                    package_version=result.package.version,
                    run=finding.run,
                    file=result.evidence.file,
                    pointer=result.evidence.pointer,
                )


def _says_most(finding: Finding) -> tuple[int, int, str]:
    """Places in the repository first: they can be fixed; then the worse, then by fingerprint."""
    in_repository = isinstance(finding.result.location, SourceLocation | LockfileLocation)
    severity = finding.result.severity
    rank = severity.rank if severity is not Severity.UNKNOWN else len(Severity)
    return (0 if in_repository else 1, rank, finding.fingerprint)


def _union(values: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({item for value in values for item in value}))
