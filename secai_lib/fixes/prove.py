"""Proven fixes for the open problems of a repository at one commit.

The scanners start slowly, so one call takes the unfixed files and every proposal, a second
the files with all proven fixes together (`combine` says how many more there can be).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from secai_lib.core.finding import Finding
from secai_lib.core.fix import (
    Abstention,
    Fix,
    ProofVerdict,
    Rescan,
    Rescanner,
    SourceFiles,
)
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import Record
from secai_lib.core.scan import ToolRun
from secai_lib.fixes.attempt import Attempt, attempts_for
from secai_lib.fixes.certify import BASE, TOOLS, certify, failed
from secai_lib.fixes.combine import combine
from secai_lib.fixes.edits import git_patch
from secai_lib.fixes.rule import FixRule
from secai_lib.fixes.rules import RULES

Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""


class FixOutcome(Record):
    """What became of every open problem."""

    fixes: tuple[Fix, ...]
    """Proven fixes, sorted by problem and id."""
    abstentions: tuple[Abstention, ...]
    """One for every open problem without a proven fix, sorted by problem."""
    attempts: tuple[Fix, ...]
    """Proposals that were refuted or not proven, with their certificates; never offered."""
    combined: Mapping[str, str]
    """Path -> text with every fix of the patch."""
    patch: str
    """The patch for the whole repository, in git's format."""
    left_out: Mapping[str, str]
    """Id of a proven fix -> why it is not in the patch."""
    scanners: tuple[ToolRun, ...]
    """Every scanner asked, with whether it ran."""


def make_fixes(
    problems: Sequence[Problem],
    findings: Sequence[Finding],
    files: SourceFiles,
    rescan: Rescanner,
    *,
    repository: str,
    commit: str,
    rules: Sequence[FixRule] = RULES,
    on_progress: Progress = lambda _what, _done, _all: None,
) -> FixOutcome:
    """Proven fixes and abstentions for the open `problems` of `repository` at `commit`.

    `findings` are all open findings of the repository; problems and findings of other
    repositories are left alone.
    """
    known = {f.fingerprint: f for f in findings if f.repository == repository}
    todo = [p for p in problems if p.repository == repository and p.state == ProblemState.OPEN]
    attempts: list[Attempt] = []
    abstentions: list[Abstention] = []
    for number, problem in enumerate(sorted(todo, key=lambda problem: problem.id)):
        on_progress("proposing", number, len(todo))
        answer = attempts_for(problem, known, files, rules, commit)
        if isinstance(answer, Abstention):
            abstentions.append(answer)
        else:
            attempts += answer
    on_progress("scanning the proposals", 0, len(attempts))
    scan = rescan(_variants(attempts, files), TOOLS) if attempts else Rescan(runs=(), results={})
    tried = []
    for number, attempt in enumerate(attempts):
        on_progress("proving", number, len(attempts))
        tried.append(_fix(attempt, files, scan))
    on_progress("combining", 0, 1)
    outcome = _outcome(attempts, tried, abstentions, known.values(), files, rescan, scan)
    on_progress("combining", 1, 1)
    return outcome


def _variants(attempts: Sequence[Attempt], files: SourceFiles) -> dict[str, dict[str, str]]:
    paths = sorted({path for attempt in attempts for path in attempt.texts})
    variants = {BASE: {path: files.read(path) or "" for path in paths}}
    return variants | {attempt.variant: dict(attempt.texts) for attempt in attempts}


def _fix(attempt: Attempt, files: SourceFiles, scan: Rescan) -> Fix:
    claim = attempt.claim
    base = {path: files.read(path) or "" for path in attempt.texts}
    return Fix(
        id=claim.id,
        problem=attempt.problem,
        fingerprint=attempt.finding.fingerprint,
        proposal=claim.proposal,
        diff=git_patch(base, attempt.texts),
        certificate=certify(claim, files, scan, attempt.variant),
    )


def _outcome(
    attempts: Sequence[Attempt],
    tried: Sequence[Fix],
    abstentions: Sequence[Abstention],
    peers: Iterable[Finding],
    files: SourceFiles,
    rescan: Rescanner,
    scan: Rescan,
) -> FixOutcome:
    good = [fix for fix in tried if fix.certificate.verdict == ProofVerdict.PROVEN]
    bad = [fix for fix in tried if fix.certificate.verdict != ProofVerdict.PROVEN]
    solved = {fix.problem for fix in good}
    first = {fix.problem: fix.id for fix in reversed(good)}  # the preferred one of each problem
    chosen = [attempt for attempt in attempts if first.get(attempt.problem) == attempt.claim.id]
    together = combine(chosen, peers, files, rescan)
    others = {fix.id: "Another fix of the same problem is in the patch." for fix in good
              if first[fix.problem] != fix.id}  # fmt: skip
    failures = {fix.problem: fix for fix in reversed(bad) if fix.problem not in solved}
    order = sorted(good, key=lambda fix: (fix.problem, fix.id))
    base = {path: files.read(path) or "" for path in together.texts}
    return FixOutcome(
        fixes=tuple(f.model_copy(update={"in_patch": f.id in together.included}) for f in order),
        abstentions=tuple(
            sorted((*abstentions, *map(_refusal, failures.values())), key=lambda a: a.problem)
        ),
        attempts=tuple(sorted(bad, key=lambda fix: (fix.problem, fix.id))),
        combined=dict(sorted(together.texts.items())),
        patch=git_patch(base, together.texts),
        left_out=dict(sorted((others | dict(together.dropped)).items())),
        scanners=tuple(sorted(scan.runs, key=lambda run: run.tool)),
    )


def _refusal(fix: Fix) -> Abstention:
    """Why a fix that was tried is not offered."""
    said = f"A fix was tried ({fix.proposal.title}) and not accepted: {failed(fix.certificate)}"
    code = fix.certificate.verdict.value
    return Abstention(problem=fix.problem, reason_code=code, reason=said)
