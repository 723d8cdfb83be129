"""Proven fixes for the open problems of a repository at one commit.

The scanners start slowly, so one call takes the unfixed files and every proposal, a second
the files with all proven fixes together (`combine` says how many more there can be).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from secai_lib.core.finding import Finding, LockfileLocation, SourceLocation
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
from secai_lib.fixes.combine import Combined, combine
from secai_lib.fixes.patch import NoSecrets, Secrets, SecretShown, git_patch, shown_diff
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import FixRule
from secai_lib.fixes.rules import RULES

_NO_PATCH = (
    "A secret stands in or right below the change, and a patch would show it: take the secret out "
    "of the file first, then scan again."
)

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
    secrets: Secrets | None = None,
    on_progress: Progress = lambda _what, _done, _all: None,
) -> FixOutcome:
    """Proven fixes and abstentions for the open `problems` of `repository` at `commit`.

    `findings` are all open findings of the repository; problems and findings of other
    repositories are left alone. `secrets` says what no text of a fix may show.
    """
    veil = secrets or NoSecrets()
    known = Peers(f for f in findings if f.repository == repository)
    todo = [p for p in problems if p.repository == repository and p.state == ProblemState.OPEN]
    attempts: list[Attempt] = []
    abstentions: list[Abstention] = []
    for number, problem in enumerate(sorted(todo, key=_file_by_file)):
        on_progress("proposing", number, len(todo))
        answer = attempts_for(problem, known, files, rules, commit)
        if isinstance(answer, Abstention):
            abstentions.append(answer)
        elif any(_tells(attempt, veil) for attempt in answer):
            abstentions.append(_secret_inside(problem))
        else:
            attempts += answer
    on_progress("scanning the proposals", 0, len(attempts))
    scan = rescan(_variants(attempts, files), TOOLS) if attempts else Rescan(runs=(), results={})
    tried = _tried(attempts, files, scan, veil, on_progress)
    on_progress("combining", 0, 1)
    outcome = _outcome(attempts, tried, abstentions, known, files, rescan, scan, veil)
    on_progress("combining", 1, 1)
    return outcome


def _file_by_file(problem: Problem) -> tuple[str, str]:
    """The order in which a file that was parsed serves all its problems."""
    place = problem.location
    path = place.path if isinstance(place, SourceLocation | LockfileLocation) else ""
    return path, problem.id


def _variants(attempts: Sequence[Attempt], files: SourceFiles) -> dict[str, dict[str, str]]:
    paths = sorted({path for attempt in attempts for path in attempt.texts})
    variants = {BASE: {path: files.read(path) or "" for path in paths}}
    return variants | {attempt.variant: dict(attempt.texts) for attempt in attempts}


def _tried(
    attempts: Sequence[Attempt],
    files: SourceFiles,
    scan: Rescan,
    secrets: Secrets,
    on_progress: Progress,
) -> list[Fix]:
    """A fix with its certificate for each attempt, in their order.

    Attempts with the same texts are judged one after the other, while those texts are still
    parsed: reading YAML is what takes the time here.
    """
    names = [attempt.variant for attempt in attempts]
    tried: dict[int, Fix] = {}
    for number in sorted(range(len(attempts)), key=lambda number: (names[number], number)):
        on_progress("proving", len(tried), len(attempts))
        tried[number] = tried_fix(attempts[number], files, scan, secrets)
    return [tried[number] for number in range(len(attempts))]


def tried_fix(attempt: Attempt, files: SourceFiles, scan: Rescan, secrets: Secrets) -> Fix:
    """The fix that `attempt` is, with its certificate, whatever that says.

    `scan` holds what the scanners say about the unfixed files (`BASE`) and `attempt.variant`.
    """
    claim = attempt.claim
    certificate = certify(claim, files, scan, attempt.variant)
    path = claim.finding.path or ""
    checks = (
        check.model_copy(update={"detail": secrets.masked(path, check.detail)})
        for check in certificate.checks
    )
    return Fix(
        id=claim.id,
        problem=attempt.problem,
        fingerprint=attempt.finding.fingerprint,
        proposal=claim.proposal,
        diff=shown_diff(_base(attempt.texts, files), attempt.texts, secrets),
        certificate=certificate.model_copy(update={"checks": tuple(checks)}),
    )


def _base(paths: Iterable[str], files: SourceFiles) -> dict[str, str]:
    return {path: files.read(path) or "" for path in paths}


def _tells(attempt: Attempt, secrets: Secrets) -> bool:
    """Whether the proposal itself holds a secret, as when a whole line is written anew."""
    proposal = attempt.claim.proposal
    path = attempt.claim.finding.path or ""
    texts = [(edit.path, edit.replacement) for edit in proposal.edits]
    texts += [(path, proposal.title), (path, proposal.explanation)]
    return any(secrets.masked(path, text) != text for path, text in texts)


def _secret_inside(problem: Problem) -> Abstention:
    reason = (
        "The fix would have to repeat a secret that stands in the same line: take the secret out "
        "of the file first, then scan again."
    )
    return Abstention(problem=problem.id, reason_code="secret_beside", reason=reason)


def _outcome(
    attempts: Sequence[Attempt],
    tried: Sequence[Fix],
    abstentions: Sequence[Abstention],
    peers: Peers,
    files: SourceFiles,
    rescan: Rescanner,
    scan: Rescan,
    secrets: Secrets,
) -> FixOutcome:
    good = [fix for fix in tried if fix.certificate.verdict == ProofVerdict.PROVEN]
    bad = [fix for fix in tried if fix.certificate.verdict != ProofVerdict.PROVEN]
    solved = {fix.problem for fix in good}
    first = {fix.problem: fix.id for fix in reversed(good)}  # the preferred one of each problem
    chosen = [attempt for attempt in attempts if first.get(attempt.problem) == attempt.claim.id]
    together, patch, unsaid = _combined(chosen, peers, files, rescan, secrets)
    others = {fix.id: "Another fix of the same problem is in the patch." for fix in good
              if first[fix.problem] != fix.id}  # fmt: skip
    others |= dict.fromkeys(unsaid, _NO_PATCH)
    failures = {fix.problem: fix for fix in reversed(bad) if fix.problem not in solved}
    order = sorted(good, key=lambda fix: (fix.problem, fix.id))
    return FixOutcome(
        fixes=tuple(f.model_copy(update={"in_patch": f.id in together.included}) for f in order),
        abstentions=tuple(
            sorted((*abstentions, *map(_refusal, failures.values())), key=lambda a: a.problem)
        ),
        attempts=tuple(sorted(bad, key=lambda fix: (fix.problem, fix.id))),
        combined=dict(sorted(together.texts.items())),
        patch=patch,
        left_out=dict(sorted((others | dict(together.dropped)).items())),
        scanners=tuple(sorted(scan.runs, key=lambda run: run.tool)),
    )


def _combined(
    attempts: Sequence[Attempt],
    peers: Peers,
    files: SourceFiles,
    rescan: Rescanner,
    secrets: Secrets,
) -> tuple[Combined, str, list[str]]:
    """The files with all fixes, their patch, and the fixes that no patch can say unseen."""
    able = [attempt for attempt in attempts if _can_be_said(attempt, files, secrets)]
    while True:
        together = combine(able, peers, files, rescan)
        try:
            patch = git_patch(_base(together.texts, files), together.texts, secrets)
        except SecretShown as shown:  # two changes together leave no plain line between them
            able = [attempt for attempt in able if shown.path not in attempt.texts]
            continue
        said = {attempt.claim.id for attempt in able}
        return together, patch, sorted({a.claim.id for a in attempts} - said)


def _can_be_said(attempt: Attempt, files: SourceFiles, secrets: Secrets) -> bool:
    try:
        git_patch(_base(attempt.texts, files), attempt.texts, secrets)
    except SecretShown:
        return False
    return True


def _refusal(fix: Fix) -> Abstention:
    """Why a fix that was tried is not offered."""
    said = f"A fix was tried ({fix.proposal.title}) and not accepted: {failed(fix.certificate)}"
    code = fix.certificate.verdict.value
    return Abstention(problem=fix.problem, reason_code=code, reason=said)
