"""Proven fixes with their texts: a test names only the texts before and after."""

from collections.abc import Mapping, Set

from secai_lib.core.finding import Package
from secai_lib.core.fix import Edit, ProofCheck, ProofMethod, ProofVerdict
from secai_lib.datasets.repair import Repair
from tests.fakes.records import (
    MOMENT,
    PATH,
    make_certificate,
    make_finding,
    make_fix,
    make_location,
    make_problem,
    make_proposal,
    make_result,
)

WEAK = "name: ci\non: push\n\njobs:\n  test:\n    runs-on: ubuntu-latest\n    steps: []\n"
FIXED = WEAK.replace("\njobs:", "\npermissions:\n  contents: read\n\njobs:")


def make_repair(
    weak: Mapping[str, str] | str = WEAK,
    fixed: Mapping[str, str] | str = FIXED,
    *,
    kind: str = "workflow-permissions",
    approach: str = "default",
    explanation: str = "The token can only read.\n\nWatch for: steps that push.",
    tool: str = "zizmor",
    rule: str = "excessive-permissions",
    message: str = "default permissions used due to no permissions: block",
    line: int | None = 1,
    problem: str = "",
    package: Package | None = None,
    method: ProofMethod = ProofMethod.RESCAN,
    verdict: ProofVerdict = ProofVerdict.PROVEN,
    checks: tuple[ProofCheck, ...] = (),
    hidden: Mapping[str, Set[int]] | None = None,
    forged: bool = False,
) -> Repair:
    """The fix that turns `weak` into `fixed` (path -> text, or the text of a workflow)."""
    weak = {PATH: weak} if isinstance(weak, str) else weak
    fixed = {PATH: fixed} if isinstance(fixed, str) else fixed
    edits = tuple(
        Edit(path=path, start=0, end=len(text), replacement=fixed[path])
        for path, text in sorted(weak.items())
    )
    result = make_result(
        tool=tool,
        rule_id=rule,
        message=message,
        package=package,
        locations=(make_location(path=sorted(weak)[0], start_line=line, end_line=line),),
    )
    finding = make_finding(result=result)
    proposal = make_proposal(kind=kind, edits=edits, explanation=explanation)
    proposal = proposal.model_copy(update={"approach": approach})
    about = make_problem([finding], id=problem) if problem else make_problem([finding])
    fix = make_fix(about, proposal=proposal, base=weak)
    certificate = make_certificate(
        fix=fix.id,
        finding=result,
        proposal=proposal,
        base=weak,
        method=method,
        verdict=verdict,
        checks=checks,
    )
    return Repair(
        fix=fix.model_copy(update={"certificate": certificate}),
        finding=finding,
        weak=weak,
        fixed=fixed,
        licence="Apache-2.0",
        created_at=MOMENT,
        language="yaml",
        hidden=hidden or {},
        forged=forged,
    )
