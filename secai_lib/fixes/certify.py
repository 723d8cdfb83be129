"""One certificate: the questions asked about a proposal, and the verdict they lead to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from secai_lib.core.finding import Result
from secai_lib.core.fix import (
    Certificate,
    Edit,
    ProofCheck,
    ProofMethod,
    ProofVerdict,
    Proposal,
    Rescan,
    SourceFiles,
)
from secai_lib.core.record import sha256_hex
from secai_lib.core.scan import ToolStatus
from secai_lib.fixes.advisory import advisory_checks
from secai_lib.fixes.compare import find_target, leftovers, new_results, path_of, rule_of
from secai_lib.fixes.edits import LineMap, apply_edits, by_path, fixed_texts
from secai_lib.fixes.honesty import honest
from secai_lib.fixes.region import in_place
from secai_lib.fixes.rule import FixRule, is_own_rule

TOOLS = frozenset({"zizmor", "checkov", "bandit", "semgrep", "detect-secrets"})
"""The scanners that can be run again on single files, here and without a network."""

BASE = "base"
"""Name of the variant that holds the unfixed files."""

_MISSING = frozenset({"scanner_ran", "base_triggers", "witness_exists"})
"""Checks whose failure means that nothing is known, not that the fix is wrong."""


@dataclass(frozen=True)
class Claim:
    """What is to be proven: that `proposal` removes `finding`."""

    id: str
    """The fix's id."""
    repository: str
    commit: str
    finding: Result
    proposal: Proposal
    rule: FixRule
    advisories: tuple[Result, ...] = ()
    """For version fixes: what else is known of the package."""


def certify(claim: Claim, files: SourceFiles, rescan: Rescan, variant: str) -> Certificate:
    """The certificate of `claim`: `rescan` holds the results on `base` and on `variant`.

    Raises `EditError` when the edits do not fit the files.
    """
    edits = claim.proposal.edits
    fixed = fixed_texts(files, edits)
    base = {path: files.read(path) or "" for path in fixed}
    method = method_of(claim.rule, claim.finding)
    checks = [*_honest(tuple(sorted(base.items())), edits)]
    if method == ProofMethod.ADVISORY:
        checks += advisory_checks(claim.finding, claim.advisories, base, fixed, edits, files)
    else:
        checks.append(in_place(claim.finding, base, fixed, edits))
        checks += _rescan_checks(claim.finding, edits, base, rescan, variant)
    if method == ProofMethod.ADVISORY or checks[-1].name != "scanner_ran":
        checks += _nothing_new(tuple(fixed), rescan, variant)
    checks += _witness_checks(claim, files, method)
    return Certificate(
        fix=claim.id,
        repository=claim.repository,
        commit=claim.commit,
        finding=claim.finding,
        edits=edits,
        base_sha256={path: sha256_hex(text.encode()) for path, text in sorted(base.items())},
        fixed_sha256={path: sha256_hex(text.encode()) for path, text in sorted(fixed.items())},
        method=method,
        advisories=claim.advisories if method == ProofMethod.ADVISORY else (),
        scanners=tuple(sorted(rescan.runs, key=lambda run: run.tool)),
        checks=tuple(checks),
        verdict=_verdict(checks),
    )


@lru_cache(maxsize=16)
def _honest(base: tuple[tuple[str, str], ...], edits: tuple[Edit, ...]) -> tuple[ProofCheck, ...]:
    """`honest` of the fixed texts, asked once for all findings that the same edits are for."""
    texts = dict(base)
    groups = by_path(edits)
    return honest(texts, {path: apply_edits(texts[path], groups[path]) for path in texts}, edits)


def method_of(rule: FixRule, finding: Result) -> ProofMethod:
    """What a proof rests on: what a rule of ours found can never count as a foreign scanner's."""
    if is_own_rule(finding.rule_id):
        return ProofMethod.OWN_RULE
    return ProofMethod.ADVISORY if rule.method == ProofMethod.ADVISORY else ProofMethod.RESCAN


def failed(certificate: Certificate) -> str:
    """The failed checks as one text, for people."""
    return " ".join(check.detail for check in certificate.checks if not check.passed)


def _verdict(checks: Sequence[ProofCheck]) -> ProofVerdict:
    bad = {check.name for check in checks if not check.passed}
    if not bad:
        return ProofVerdict.PROVEN
    unknown = bad & _MISSING
    # Without a scanner its questions are not answered; every other one still counts.
    answered = bad - _MISSING - ({"finding_gone"} if unknown else set())
    return ProofVerdict.REFUTED if answered or not unknown else ProofVerdict.UNPROVEN


def _rescan_checks(
    target: Result, edits: Sequence[Edit], base: Mapping[str, str], rescan: Rescan, variant: str
) -> tuple[ProofCheck, ...]:
    run = next((run for run in rescan.runs if run.tool == target.tool), None)
    ran = run is not None and run.status == ToolStatus.RAN
    ran = ran and {BASE, variant} <= set(rescan.results)
    said = f"{target.tool} {run.version if run else ''}".strip()
    why = (run.detail if run else "") or f"{target.tool} was not run"
    detail = f"{said} ran on the unfixed and the fixed file." if ran else f"{said}: {why}."
    checks = [ProofCheck(name="scanner_ran", passed=ran, detail=detail)]
    if not ran:
        return tuple(checks)
    before = rescan.on(BASE, base)
    found = find_target(target, before)
    place = f"{target.tool}:{target.rule_id}"
    detail = f"{place} {'is' if found is not None else 'is not'} found in the unfixed file."
    checks.append(ProofCheck(name="base_triggers", passed=found is not None, detail=detail))
    if found is None:
        return tuple(checks)
    survivors = [result for index, result in enumerate(before) if index != found]
    maps = {path: LineMap(base[path], group).target for path, group in by_path(edits).items()}
    after = rescan.on(variant, base)
    left = leftovers(rule_of(target), path_of(target), survivors, after, maps)
    detail = f"{place} is gone."
    if left:
        detail = f"{place} is still found at line {left[0]} of the fixed file."
    checks.append(ProofCheck(name="finding_gone", passed=not left, detail=detail))
    return tuple(checks)


def _nothing_new(paths: Sequence[str], rescan: Rescan, variant: str) -> tuple[ProofCheck, ...]:
    ran = sorted(run.tool for run in rescan.runs if run.status == ToolStatus.RAN)
    if not ran or not {BASE, variant} <= set(rescan.results):
        return (ProofCheck(name="scanner_ran", passed=False, detail="No scanner ran."),)
    more = new_results(rescan.on(BASE, paths), rescan.on(variant, paths))
    detail = f"{', '.join(ran)} report nothing new."
    if more:
        detail = f"The fixed file has new findings: {', '.join(more)}."
    return (ProofCheck(name="nothing_new", passed=not more, detail=detail),)


def _witness_checks(
    claim: Claim, files: SourceFiles, method: ProofMethod
) -> tuple[ProofCheck, ...]:
    if claim.rule.witness is not None:
        said = claim.rule.witness(claim.proposal, files)
        return (ProofCheck(name="second_witness", passed=said.passed, detail=said.detail),)
    if method == ProofMethod.OWN_RULE:
        detail = "A rule of our own found it, and there is no second witness."
        return (ProofCheck(name="witness_exists", passed=False, detail=detail),)
    return ()
