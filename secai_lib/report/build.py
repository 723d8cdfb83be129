"""Builds the report of one repository from the records of the rooms before."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Evidence, Finding, Result, Skipped
from secai_lib.core.fix import Abstention, Fix, ProofVerdict
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.scan import GithubScan, ScanRun, ToolRun, ToolStatus
from secai_lib.core.triage import Triage
from secai_lib.report.changes import changes
from secai_lib.report.counts import count_all
from secai_lib.report.model import RepositoryReport
from secai_lib.report.ranking import first_steps, ranked

_BEST = (ToolStatus.RAN, ToolStatus.FAILED, ToolStatus.ABSENT)


def build_report(
    *,
    repository: str,
    commit: str,
    branch: str,
    scans: Sequence[ScanRun],
    raw_results: int,
    findings: Sequence[Finding],
    skipped: Sequence[Skipped],
    contexts: Sequence[CodeContext],
    problems: Sequence[Problem],
    fixes: Sequence[Fix],
    abstentions: Sequence[Abstention],
    patch: str,
    left_out: Mapping[str, str] | None = None,
    certificates: str = "certificates",
    triage: Mapping[str, Triage] | None = None,
) -> RepositoryReport:
    """The report of `repository` at `commit`, in an order that depends on the records alone.

    `patch` and `left_out` (fix id -> why it is not in the patch) come from the fixes room;
    `triage` maps problem id -> what it is worth.
    `certificates` is the folder to name in `secai verify`, as the reader sees it.
    `raw_results` is the number of raw results in all report files, so that the page can say
    whether each of them is accounted for. Records of other repositories, problems of other
    branches (where `branch` is known) and closed problems are left out. A fix counts only when
    its certificate says `proven` and no check failed; any other is turned into an abstention,
    unless its problem has one already.
    """
    own = _open(problems, repository, branch)
    ids = {problem.id for problem in own}
    proven = [f for f in fixes if f.problem in ids and _is_proven(f)]
    fixed = frozenset(fix.problem for fix in proven)
    told = {key: value for key, value in sorted((triage or {}).items()) if key in ids}
    order = ranked(own, fixed, told, _solved_together(proven))
    proven = _sorted_fixes(proven, order)
    silent = _abstentions(ids - fixed, abstentions, fixes)
    wanted = {fingerprint for problem in order for fingerprint in problem.fingerprints}
    own_findings = [f for f in findings if f.repository == repository]
    return RepositoryReport(
        repository=repository,
        repository_url=_repository_url(scans),
        commit=commit,
        branch=branch,
        runs=tuple(sorted({scan.key for scan in scans})),
        tools=_merged_tools(scans),
        counts=count_all(
            scans,
            raw_results,
            own_findings,
            skipped,
            contexts,
            order,
            proven,
            silent,
            told.values(),
        ),
        problems=order,
        first=first_steps(
            order,
            {fix.problem: fix for fix in reversed(proven)},
            told,
            _solved_together(proven),
        ),
        results=_results(own_findings, wanted),
        contexts={c.fingerprint: c for c in _by_fingerprint(contexts, wanted)},
        triage=told,
        fixes=tuple(proven),
        abstentions=silent,
        patch=patch,
        left_out=dict(sorted((left_out or {}).items())),
        certificates=certificates,
    )


def _open(problems: Sequence[Problem], repository: str, branch: str) -> list[Problem]:
    """The open problems of the repository's branch, one an id: the one seen last."""
    own = [
        problem
        for problem in sorted(problems, key=lambda p: (p.last_seen, p.run))
        if problem.repository == repository
        and problem.state is ProblemState.OPEN
        and (not branch or problem.branch in ("", branch))
    ]
    return list({problem.id: problem for problem in own}.values())


def _is_proven(fix: Fix) -> bool:
    certificate = fix.certificate
    return certificate.verdict is ProofVerdict.PROVEN and all(c.passed for c in certificate.checks)


def _sorted_fixes(fixes: Iterable[Fix], order: Sequence[Problem]) -> list[Fix]:
    place = {problem.id: index for index, problem in enumerate(order)}
    unique = {fix.id: fix for fix in fixes}.values()
    return sorted(unique, key=lambda f: (f.proposal.kind, place[f.problem], not f.in_patch, f.id))


def _solved_together(fixes: Sequence[Fix]) -> Mapping[str, int]:
    """Problem id -> how many problems the largest change among its fixes removes."""
    solved: dict[str, int] = {}
    for change in changes(fixes):
        problems = {fix.problem for fix in change.fixes}
        for problem in problems:
            solved[problem] = max(solved.get(problem, 0), len(problems))
    return solved


def _abstentions(
    unfixed: set[str], abstentions: Sequence[Abstention], fixes: Sequence[Fix]
) -> tuple[Abstention, ...]:
    given = {(a.problem, a.reason_code, a.reason): a for a in abstentions if a.problem in unfixed}
    explained = {problem for problem, _, _ in given}
    for fix in fixes:
        if fix.problem in unfixed and fix.problem not in explained:
            verdict = fix.certificate.verdict.value
            failed = [c.name for c in fix.certificate.checks if not c.passed]
            why = f" (failed: {', '.join(failed)})" if failed else ""
            entry = Abstention(
                problem=fix.problem,
                reason_code="refuted" if verdict == ProofVerdict.REFUTED else "unproven",
                reason=f"A fix was tried, but its proof ended as {verdict}{why}.",
            )
            given[(entry.problem, entry.reason_code, entry.reason)] = entry
    return tuple(given[key] for key in sorted(given, key=lambda k: (k[1], k[0], k[2])))


def _repository_url(scans: Sequence[ScanRun]) -> str:
    names = sorted({s.request.repository for s in scans if isinstance(s.request, GithubScan)})
    return f"https://github.com/{names[0]}" if len(names) == 1 else ""


def _merged_tools(scans: Sequence[ScanRun]) -> tuple[ToolRun, ...]:
    """One entry a scanner: the best that became of it, with every version that ran."""
    tools: dict[str, list[ToolRun]] = {}
    for scan in scans:
        for run in scan.tools:
            tools.setdefault(run.tool, []).append(run)
    merged: list[ToolRun] = []
    for tool, entries in tools.items():
        status = min((run.status for run in entries), key=_BEST.index)
        same = [run for run in entries if run.status is status]
        versions = sorted({run.version for run in same if run.version})
        details = sorted({run.detail for run in same if run.detail})
        merged.append(
            ToolRun(tool=tool, status=status, version=", ".join(versions), detail=" ".join(details))
        )
    return tuple(sorted(merged, key=lambda run: (_BEST.index(run.status), run.tool)))


def _results(findings: Sequence[Finding], wanted: set[str]) -> Mapping[str, Result]:
    """Fingerprint -> result; the newest run wins where several runs show the same finding.

    The pointer into the report file is dropped: nothing in the pages uses it, and it would make
    equal reports differ by the order of a scanner's output.
    """
    nowhere = Evidence(file="", pointer="")
    chosen: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda f: (f.run, f.result.tool, f.result.message)):
        if finding.fingerprint in wanted:
            chosen[finding.fingerprint] = finding
    return {
        key: chosen[key].result.model_copy(update={"evidence": nowhere}) for key in sorted(chosen)
    }


def _by_fingerprint(contexts: Sequence[CodeContext], wanted: set[str]) -> list[CodeContext]:
    own = (context for context in contexts if context.fingerprint in wanted)
    return sorted(own, key=lambda context: (context.fingerprint, context.status, context.path))
