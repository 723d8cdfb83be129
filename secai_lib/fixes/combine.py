"""All proven fixes of a repository in one set of files, proven again together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from secai_lib.core.finding import Finding, Location, LockfileLocation, Result, SourceLocation
from secai_lib.core.fix import Edit, ProofMethod, Rescan, Rescanner, SourceFiles
from secai_lib.core.scan import ToolRun
from secai_lib.fixes.advisory import still_asked_for
from secai_lib.fixes.attempt import Attempt, propose
from secai_lib.fixes.certify import BASE, TOOLS, method_of
from secai_lib.fixes.compare import (
    LineTarget,
    find_target,
    leftovers,
    line_of,
    new_results,
    path_of,
    rule_of,
)
from secai_lib.fixes.edits import (
    EditError,
    LineChain,
    LineMap,
    Overlay,
    apply_edits,
    by_path,
)
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.syntax import check_syntax

MAX_ROUNDS = 4
"""Scans of the combined files at most; then the files that still fail are left out."""

COMBINED = "combined"


@dataclass
class Build:
    """Files with fixes put in one after the other."""

    peers: Peers
    """The findings, with their lines where they are in `texts`."""
    texts: dict[str, str] = field(default_factory=dict)
    """Path -> text."""
    chains: dict[str, LineChain] = field(default_factory=dict)
    """Path -> where the commit's lines went."""
    inside: list[Attempt] = field(default_factory=list)
    """Attempts whose edits were put in, in order."""
    covered: list[Attempt] = field(default_factory=list)
    """Attempts that the others' edits may have made needless; the scan tells."""


@dataclass(frozen=True)
class Combined:
    """The outcome."""

    texts: Mapping[str, str]
    """Path -> text with every fix of the patch."""
    included: frozenset[str]
    """Ids of the fixes that hold in these texts."""
    dropped: Mapping[str, str]
    """Fix id -> why it is not in the patch."""
    runs: tuple[ToolRun, ...]
    """The scanners of the last scan; empty when none was needed."""


def combine(
    attempts: Iterable[Attempt],
    peers: Peers,
    files: SourceFiles,
    rescan: Rescanner,
) -> Combined:
    """One text per file with as many of the proven `attempts` as hold together.

    `peers` are all open findings of the repository, which rules may look at.

    Each rule proposes again on the evolving text, so that two fixes of one place do not
    collide. A file that was not proven in exactly this shape is scanned beside the unfixed
    one; the fix at fault is left out and the rest scanned again, `MAX_ROUNDS` times at most.
    """
    ordered = sorted(attempts, key=lambda a: (*_first_place(a), a.claim.id))
    dropped: dict[str, str] = {}
    runs: tuple[ToolRun, ...] = ()
    for number in range(MAX_ROUNDS + 1):
        left = [attempt for attempt in ordered if attempt.claim.id not in dropped]
        build = _honest_build(left, peers, files, dropped)
        open_paths = _unproven_paths(build)
        if not open_paths:
            break
        if number == MAX_ROUNDS:
            for attempt in left:
                if open_paths & {*attempt.texts, path_of(attempt.finding.result)}:
                    dropped[attempt.claim.id] = "The file's fixes do not hold together."
            continue
        scan = rescan(_variants(build, open_paths, files), TOOLS)
        runs = scan.runs
        bad = _failures(build, open_paths, files, scan)
        if not bad:
            break
        dropped.update(bad)
    else:
        left = [attempt for attempt in ordered if attempt.claim.id not in dropped]
        build = _honest_build(left, peers, files, dropped)
    included = {a.claim.id for a in (*build.inside, *build.covered)} - set(dropped)
    return Combined(build.texts, frozenset(included), dropped, runs)


def _honest_build(
    attempts: Sequence[Attempt],
    peers: Peers,
    files: SourceFiles,
    dropped: dict[str, str],
) -> Build:
    """The build in which every version fix holds: no scanner of the proof reads versions."""
    left = list(attempts)
    while True:
        build = _build(left, peers, files, dropped)
        bad = _unmet(build, files)
        if not bad:
            return build
        dropped.update(bad)
        left = [attempt for attempt in left if attempt.claim.id not in dropped]


def _unmet(build: Build, files: SourceFiles) -> dict[str, str]:
    """Id of a version fix -> why the combined build files do not hold it."""
    after = Overlay(files, build.texts)
    bad = {}
    for attempt in (*build.inside, *build.covered):
        claim = attempt.claim
        if claim.id not in bad and not _scanned(attempt):
            left = still_asked_for(claim.finding, claim.advisories, files, after)
            if left:
                bad[claim.id] = f"Together with the other fixes: {left}."
    return bad


def _build(
    attempts: Sequence[Attempt],
    peers: Peers,
    files: SourceFiles,
    dropped: dict[str, str],
) -> Build:
    build = Build(peers.copy())
    done: set[tuple[Edit, ...]] = set()
    for attempt in attempts:
        if attempt.claim.proposal.edits in done:
            build.covered.append(attempt)
            continue
        try:
            edits = _again(attempt, build, files)
        except Abstain:
            build.covered.append(attempt)
            continue
        except EditError as error:
            dropped[attempt.claim.id] = f"It conflicts with another fix: {error}"
            continue
        done.add(attempt.claim.proposal.edits)
        build.inside.append(attempt)
        for path, group in by_path(edits).items():
            _put_in(build, path, build.texts.get(path) or files.read(path) or "", group)
    return build


def _put_in(build: Build, path: str, text: str, group: tuple[Edit, ...]) -> None:
    step = LineMap(text, group)
    chain = build.chains.get(path, LineChain())
    build.chains[path] = LineChain((*chain.maps, step))
    build.texts[path] = apply_edits(text, group)
    build.peers.moved(path, lambda finding: _moved(finding, path, step))


def _again(attempt: Attempt, build: Build, files: SourceFiles) -> tuple[Edit, ...]:
    """The attempt's edits on the evolving texts; raises `EditError` when it is another fix."""
    claim = attempt.claim
    if not set(attempt.texts) & set(build.texts):
        return claim.proposal.edits
    finding = build.peers.get(attempt.finding.fingerprint) or attempt.finding
    overlay = Overlay(files, build.texts)
    wanted = claim.proposal.kind, claim.proposal.approach
    for proposal in propose(claim.rule, finding, build.peers, overlay):
        if (proposal.kind, proposal.approach) == wanted:
            same = sorted(e.replacement for e in proposal.edits) == sorted(
                e.replacement for e in claim.proposal.edits
            )
            if method_of(claim.rule, claim.finding) == ProofMethod.ADVISORY and not same:
                raise EditError("the version differs.")
            for path, group in by_path(proposal.edits).items():
                apply_edits(overlay.read(path) or "", group)
            return proposal.edits
    raise EditError("the rule proposes something else now.")


def _moved(finding: Finding, path: str, step: LineMap) -> Finding:
    """`finding` with its lines where they are after one more fix of the file."""
    places: list[Location] = []
    for place in finding.result.locations:
        if isinstance(place, SourceLocation | LockfileLocation) and place.path == path:
            place = _moved_place(place, step)
        places.append(place)
    result = finding.result.model_copy(update={"locations": tuple(places)})
    return finding.model_copy(update={"result": result})


def _moved_place(
    place: SourceLocation | LockfileLocation, step: LineMap
) -> SourceLocation | LockfileLocation:
    change = {}
    if place.start_line is not None:
        low, high = step.target(place.start_line)
        change["start_line"] = low
        if isinstance(place, SourceLocation) and place.end_line is not None:
            change["end_line"] = max(high, step.target(place.end_line)[1])
    return place.model_copy(update=change)


def _unproven_paths(build: Build) -> set[str]:
    """Paths whose text is not exactly the one that was proven for every fix in it."""
    found = {
        path
        for attempt in build.inside
        for path, text in attempt.texts.items()
        if build.texts.get(path) != text
    }
    for attempt in build.covered:
        path = path_of(attempt.finding.result)
        if path in build.texts and attempt.texts.get(path) != build.texts[path]:
            found.add(path)
    return found


def _variants(build: Build, paths: Iterable[str], files: SourceFiles) -> dict[str, dict[str, str]]:
    ordered = sorted(paths)
    return {
        BASE: {path: files.read(path) or "" for path in ordered},
        COMBINED: {path: build.texts[path] for path in ordered},
    }


def _failures(
    build: Build, paths: Iterable[str], files: SourceFiles, scan: Rescan
) -> dict[str, str]:
    """Fix id -> why it has to be left out; empty when every file holds."""
    bad: dict[str, str] = {}
    for path in sorted(paths):
        before, after = scan.on(BASE, [path]), scan.on(COMBINED, [path])
        base = files.read(path) or ""
        here = [a for a in build.inside if path in a.texts]
        bad.update(_still_found(build, path, before, after))
        more = new_results(before, after)
        syntax = check_syntax(path, build.texts[path], base)
        if here and (more or not syntax.passed) and not any(a.claim.id in bad for a in here):
            why = f"new findings {', '.join(more)}" if more else syntax.detail.rstrip(".")
            bad[here[-1].claim.id] = f"Together with the file's other fixes: {why}."
    return bad


def _still_found(
    build: Build, path: str, before: Sequence[Result], after: Sequence[Result]
) -> dict[str, str]:
    """The fixes whose finding is still in the combined file."""
    aims = [a for a in (*build.inside, *build.covered)
            if path_of(a.finding.result) == path and _scanned(a)]  # fmt: skip
    places = {a.claim.id: find_target(a.finding.result, before) for a in aims}
    survivors = [r for index, r in enumerate(before) if index not in places.values()]
    target: LineTarget = build.chains[path].target
    bad: dict[str, str] = {}
    for rule in sorted({rule_of(a.finding.result) for a in aims}):
        for line in leftovers(rule, path, survivors, after, {path: target}):
            near = [a for a in aims if rule_of(a.finding.result) == rule]
            near.sort(key=lambda a: _distance(target(line_of(a.finding.result)), line))
            bad[near[0].claim.id] = "Together with the file's other fixes it is still found."
    lost = [name for name, index in places.items() if index is None]
    return bad | dict.fromkeys(lost, "The scanner does not find it in the unfixed file.")


def _scanned(attempt: Attempt) -> bool:
    return method_of(attempt.claim.rule, attempt.finding.result) != ProofMethod.ADVISORY


def _distance(span: tuple[int, int], line: int) -> int:
    return max(span[0] - line, line - span[1], 0)


def _first_place(attempt: Attempt) -> tuple[str, int]:
    first = min(attempt.claim.proposal.edits, key=lambda edit: (edit.path, edit.start))
    return first.path, first.start
