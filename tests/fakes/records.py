"""Records with sensible defaults: a test names only what it is about."""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from secai_lib.core.context import CodeContext, CodeScope, ContextStatus, RouteMatch
from secai_lib.core.finding import (
    Category,
    Evidence,
    Finding,
    Location,
    Package,
    Result,
    Severity,
    Skipped,
    SourceLocation,
)
from secai_lib.core.fix import (
    Abstention,
    Certificate,
    Edit,
    Fix,
    ProofCheck,
    ProofMethod,
    ProofVerdict,
    Proposal,
)
from secai_lib.core.model import Model
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.scan import (
    GithubScan,
    LocalScan,
    RawFile,
    ScanRequest,
    ScanRun,
    ToolRun,
    ToolStatus,
)

REPOSITORY = "acme/shop"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BRANCH = "main"
RUN = "local-0123456789ab"
MOMENT = datetime(2025, 9, 11, 12, 0, tzinfo=UTC)
PATH = ".github/workflows/ci.yml"
BASE = "name: ci\non: push\njobs:\n  test:\n    runs-on: ubuntu-latest\n"


def identifier(*parts: object) -> str:
    """16 hex digits that depend on `parts` alone."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def make_evidence(*, file: str = "zizmor.sarif", pointer: str = "/runs/0/results/0") -> Evidence:
    return Evidence(file=file, pointer=pointer)


def make_location(
    *, path: str = PATH, start_line: int | None = 4, end_line: int | None = 5, snippet: str = ""
) -> SourceLocation:
    return SourceLocation(path=path, start_line=start_line, end_line=end_line, snippet=snippet)


def make_package(
    *,
    ecosystem: str = "npm",
    name: str = "lodash",
    version: str = "4.17.19",
    fixed_versions: tuple[str, ...] = ("4.17.21",),
) -> Package:
    return Package(ecosystem=ecosystem, name=name, version=version, fixed_versions=fixed_versions)


def make_result(
    *,
    tool: str = "zizmor",
    tool_version: str = "1.32.0",
    rule_id: str = "excessive-permissions",
    title: str = "Overly broad permissions",
    message: str = "default permissions used due to no permissions: block",
    severity: Severity = Severity.MEDIUM,
    severity_score: float | None = None,
    severity_origin: str = "level",
    cwes: tuple[str, ...] = (),
    advisories: tuple[str, ...] = (),
    locations: tuple[Location, ...] = (),
    package: Package | None = None,
    help: str = "",
    references: tuple[str, ...] = (),
    confidence: str = "",
    evidence: Evidence | None = None,
) -> Result:
    return Result(
        tool=tool,
        tool_version=tool_version,
        rule_id=rule_id,
        title=title,
        message=message,
        severity=severity,
        severity_score=severity_score,
        severity_origin=severity_origin,
        cwes=cwes,
        advisories=advisories,
        locations=locations or (make_location(),),
        package=package,
        help=help,
        references=references,
        confidence=confidence,
        evidence=evidence or make_evidence(),
    )


def make_finding(
    *,
    fingerprint: str = "",
    repository: str = REPOSITORY,
    run: str = RUN,
    commit: str = COMMIT,
    category: Category = Category.INFRASTRUCTURE,
    result: Result | None = None,
    evidence: tuple[Evidence, ...] = (),
) -> Finding:
    result = result or make_result()
    return Finding(
        fingerprint=fingerprint
        or identifier(repository, result.tool, result.rule_id, result.path, result.message),
        repository=repository,
        run=run,
        commit=commit,
        category=category,
        result=result,
        evidence=evidence or (result.evidence,),
    )


def make_problem(
    findings: Sequence[Finding] = (),
    *,
    id: str = "",
    title: str = "",
    branch: str = BRANCH,
    state: ProblemState = ProblemState.OPEN,
    repository: str = "",
    severity: Severity | None = None,
    severity_score: float | None = None,
) -> Problem:
    """The problem that `findings` (one default finding when empty) add up to."""
    findings = findings or (make_finding(),)
    first = findings[0]
    results = [finding.result for finding in findings]
    scores = [r.severity_score for r in results if r.severity_score is not None]
    fingerprints = tuple(sorted(finding.fingerprint for finding in findings))
    return Problem(
        id=id or identifier("problem", *fingerprints),
        repository=repository or first.repository,
        branch=branch,
        commit=first.commit,
        run=first.run,
        title=title or first.result.title,
        category=first.category,
        severity=severity or min((r.severity for r in results), key=lambda s: s.rank),
        severity_score=severity_score or max(scores, default=None),
        cwes=tuple(sorted({cwe for r in results for cwe in r.cwes})),
        advisories=tuple(sorted({a for r in results for a in r.advisories})),
        tools=tuple(sorted({r.tool for r in results})),
        rules=tuple(sorted({f"{r.tool}:{r.rule_id}" for r in results})),
        fingerprints=fingerprints,
        location=first.result.location,
        package=first.result.package,
        state=state,
        first_seen=MOMENT,
        last_seen=MOMENT,
    )


def make_context(
    *,
    fingerprint: str = "",
    status: ContextStatus = ContextStatus.EXACT,
    reason: str = "",
    path: str = PATH,
    language: str = "yaml",
    start_line: int = 4,
    end_line: int = 5,
    snippet: str = "  test:\n    runs-on: ubuntu-latest",
    before: str = "jobs:",
    after: str = "",
    function: CodeScope | None = None,
    enclosing: CodeScope | None = None,
    route: RouteMatch | None = None,
) -> CodeContext:
    return CodeContext(
        fingerprint=fingerprint or make_finding().fingerprint,
        status=status,
        reason=reason,
        path=path,
        language=language,
        start_line=start_line,
        end_line=end_line,
        snippet=snippet,
        before=before,
        after=after,
        function=function,
        enclosing=enclosing,
        route=route,
    )


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """`text` with the edits of one file applied."""
    for edit in sorted(edits, key=lambda e: (e.start, e.end), reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    return text


def make_diff(path: str, base: str, fixed: str) -> str:
    """A git-format unified diff of one file whose texts end with a newline."""
    old, new = base.splitlines(keepends=True), fixed.splitlines(keepends=True)
    body = "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"))
    return f"diff --git a/{path} b/{path}\n{body}"


def make_proposal(
    *,
    kind: str = "workflow-permissions",
    title: str = "Give the workflow read-only permissions",
    explanation: str = "Without a `permissions` block the token may write.",
    edits: tuple[Edit, ...] = (),
) -> Proposal:
    default = Edit(path=PATH, start=18, end=18, replacement="permissions:\n  contents: read\n")
    return Proposal(kind=kind, title=title, explanation=explanation, edits=edits or (default,))


def make_tool_run(
    tool: str = "zizmor",
    *,
    status: ToolStatus = ToolStatus.RAN,
    version: str = "1.32.0",
    detail: str = "",
) -> ToolRun:
    return ToolRun(tool=tool, status=status, version=version, detail=detail)


def make_certificate(
    *,
    fix: str = "f" * 16,
    finding: Result | None = None,
    proposal: Proposal | None = None,
    base: Mapping[str, str] | None = None,
    method: ProofMethod = ProofMethod.RESCAN,
    scanners: tuple[ToolRun, ...] = (),
    checks: tuple[ProofCheck, ...] = (),
    verdict: ProofVerdict = ProofVerdict.PROVEN,
) -> Certificate:
    """A certificate whose hashes are those of `base` (path -> text) before and after the edits."""
    proposal, base = proposal or make_proposal(), {PATH: BASE} if base is None else base
    fixed = {
        path: apply_edits(text, [e for e in proposal.edits if e.path == path])
        for path, text in base.items()
    }
    return Certificate(
        fix=fix,
        repository=REPOSITORY,
        commit=COMMIT,
        finding=finding or make_result(),
        edits=proposal.edits,
        base_sha256={p: hashlib.sha256(t.encode()).hexdigest() for p, t in base.items()},
        fixed_sha256={p: hashlib.sha256(t.encode()).hexdigest() for p, t in fixed.items()},
        method=method,
        scanners=scanners or (make_tool_run(),),
        checks=checks
        or (
            ProofCheck(name="base_triggers", passed=True, detail="1 result in the unfixed file"),
            ProofCheck(name="finding_gone", passed=True, detail="0 results in the fixed file"),
            ProofCheck(name="nothing_new", passed=True),
            ProofCheck(name="syntax", passed=True),
        ),
        verdict=verdict,
    )


def make_fix(
    problem: Problem | None = None,
    *,
    proposal: Proposal | None = None,
    base: Mapping[str, str] | None = None,
    certificate: Certificate | None = None,
    method: ProofMethod = ProofMethod.RESCAN,
    diff: str | None = None,
    lane: str = "rule",
    in_patch: bool = True,
) -> Fix:
    """A proven fix of `problem`; `base` holds the unfixed text of every edited file."""
    problem, proposal = problem or make_problem(), proposal or make_proposal()
    base = {PATH: BASE} if base is None else base
    number = identifier("fix", problem.id, proposal.kind, proposal.edits)
    if diff is None:
        edited = {
            path: apply_edits(text, [e for e in proposal.edits if e.path == path])
            for path, text in base.items()
        }
        diff = "".join(make_diff(path, base[path], edited[path]) for path in sorted(base))
    return Fix(
        id=number,
        problem=problem.id,
        fingerprint=problem.fingerprints[0],
        lane=lane,
        proposal=proposal,
        diff=diff,
        certificate=certificate
        or make_certificate(fix=number, proposal=proposal, base=base, method=method),
        in_patch=in_patch,
    )


def make_abstention(
    problem: Problem | None = None,
    *,
    reason_code: str = "no_rule",
    reason: str = "No fix rule knows this kind of finding yet.",
) -> Abstention:
    problem = problem or make_problem()
    return Abstention(problem=problem.id, reason_code=reason_code, reason=reason)


def make_skipped(
    *,
    file: str = "notes.txt",
    reason: str = "The file is no scan report we know.",
    malformed: bool = False,
    results: int = 0,
) -> Skipped:
    return Skipped(file=file, reason=reason, malformed=malformed, results=results)


def make_local_scan(*, repository: str = REPOSITORY) -> LocalScan:
    return LocalScan(
        repository=repository,
        commit=COMMIT,
        branch=BRANCH,
        scanners=("checkov", "zizmor"),
        created_at=MOMENT,
    )


def make_github_scan(*, repository: str = REPOSITORY, run_id: int = 392) -> GithubScan:
    return GithubScan(
        repository=repository, run_id=run_id, commit=COMMIT, branch=BRANCH, created_at=MOMENT
    )


def make_scan_run(
    *,
    key: str = RUN,
    request: ScanRequest | None = None,
    files: Sequence[str] = ("zizmor.sarif",),
    tools: tuple[ToolRun, ...] = (),
) -> ScanRun:
    return ScanRun(
        key=key,
        request=request or make_local_scan(),
        files=tuple(
            RawFile(path=path, sha256="0" * 64, original_sha256="0" * 64, size=100)
            for path in sorted(files)
        ),
        tools=tools or (make_tool_run(),),
    )


def make_model(
    *, name: str = "small", uri: str = "pypi://small==1", architecture: str = "llama"
) -> Model:
    return Model(
        name=name,
        uri=uri,
        revision="1",
        source_sha256="0" * 64,
        licence="Apache-2.0",
        licence_origin="config/models.yaml",
        architecture=architecture,
        parameters=1,
        size_bytes=4,
        folder=name,
        files={},
    )
