"""A proof is replayed, not believed: the same edits on the same files, the scanners once more."""

from collections.abc import Mapping, Sequence

from secai_lib.core.fix import (
    Certificate,
    ProofCheck,
    ProofVerdict,
    Proposal,
    Rescan,
    Rescanner,
    SourceFiles,
)
from secai_lib.core.record import content_hash, sha256_hex
from secai_lib.fixes.certify import BASE, TOOLS, Claim, certify, method_of
from secai_lib.fixes.edits import EditError, fixed_texts
from secai_lib.fixes.rule import FixRule

FIXED = "fixed"
"""Name of the variant that holds the fixed files of one proof."""


def replay(
    certificates: Sequence[Certificate],
    files: SourceFiles,
    rescan: Rescanner,
    *,
    rules: Sequence[FixRule],
) -> list[Certificate]:
    """A fresh certificate for each of `certificates`, in their order; one scan serves them all.

    A proof holds when its fresh verdict is `proven`. A certificate that does not fit the files of
    the commit, or was tampered with, comes back refuted with the check `replayable` failed.
    """
    return replay_each([(c, files) for c in certificates], rescan, rules=rules)


def replay_each(
    proofs: Sequence[tuple[Certificate, SourceFiles]],
    rescan: Rescanner,
    *,
    rules: Sequence[FixRule],
) -> list[Certificate]:
    """`replay` where each certificate is about files of its own; one scan serves them all."""
    claims: dict[int, Claim] = {}
    refused: dict[int, str] = {}
    variants: dict[str, Mapping[str, str]] = {}
    names: dict[int, tuple[str, str]] = {}
    for number, (certificate, files) in enumerate(proofs):
        try:
            claim, fixed = _claim(certificate, files, rules), _texts(certificate, files)
        except EditError as error:
            refused[number] = str(error)
            continue
        base = {path: files.read(path) or "" for path in fixed}
        claims[number], names[number] = claim, (content_hash(base), f"proof{number}")
        variants |= dict(zip(names[number], (base, fixed), strict=True))
    scan = rescan(variants, TOOLS) if claims else None
    fresh = []
    for number, (certificate, files) in enumerate(proofs):
        if scan is None or number in refused:
            fresh.append(_refuted(certificate, refused[number]))
            continue
        fresh.append(certify(claims[number], files, _of(scan, names[number]), FIXED))
    return fresh


def _of(scan: Rescan, names: tuple[str, str]) -> Rescan:
    """What `scan` says about the two variants of one proof; nothing about one it left out."""
    wanted = zip((BASE, FIXED), names, strict=True)
    found = {role: scan.results[name] for role, name in wanted if name in scan.results}
    return Rescan(runs=scan.runs, results=found)


def _claim(certificate: Certificate, files: SourceFiles, rules: Sequence[FixRule]) -> Claim:
    claimed = all(check.passed for check in certificate.checks) and bool(certificate.checks)
    if certificate.verdict != ProofVerdict.PROVEN or not claimed:
        raise EditError("The certificate does not claim a proof: its verdict or a check says no.")
    for path, digest in certificate.base_sha256.items():
        text = files.read(path)
        if text is None or sha256_hex(text.encode()) != digest:
            raise EditError(
                f"{path} is not the file that this certificate is about: it was made for commit "
                f"{certificate.commit[:12]}, and the file there has another text."
            )
    rule = next((rule for rule in rules if rule.takes_result(certificate.finding)), None)
    if rule is None:
        raise EditError(f"No fix rule knows {certificate.finding.rule_id} any more.")
    if certificate.method != method_of(rule, certificate.finding):
        raise EditError(f"A proof of {certificate.finding.rule_id} does not rest on "
                        f"{certificate.method.value}.")  # fmt: skip
    return Claim(
        id=certificate.fix,
        repository=certificate.repository,
        commit=certificate.commit,
        finding=certificate.finding,
        proposal=Proposal(
            kind=rule.kind,
            title=rule.title,
            explanation=rule.explanation,
            edits=certificate.edits,
        ),
        rule=rule,
        advisories=certificate.advisories,
    )


def _texts(certificate: Certificate, files: SourceFiles) -> dict[str, str]:
    texts = dict(fixed_texts(files, certificate.edits))
    digests = {path: sha256_hex(text.encode()) for path, text in texts.items()}
    if digests != dict(certificate.fixed_sha256) or texts.keys() != certificate.base_sha256.keys():
        raise EditError("The edits do not lead to the files that were certified.")
    return texts


def _refuted(certificate: Certificate, why: str) -> Certificate:
    check = ProofCheck(name="replayable", passed=False, detail=why)
    return certificate.model_copy(update={"checks": (check,), "verdict": ProofVerdict.REFUTED})
