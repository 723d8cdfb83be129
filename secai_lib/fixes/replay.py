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
    claims: dict[int, tuple[Claim, SourceFiles]] = {}
    refused: dict[int, str] = {}
    for number, (certificate, files) in enumerate(proofs):
        try:
            claim, _ = _claim(certificate, files, rules), _texts(certificate, files)
        except EditError as error:
            refused[number] = str(error)
            continue
        claims[number] = (claim, files)
    fresh = dict(zip(claims, certify_each(list(claims.values()), rescan), strict=True))
    return [
        fresh[number] if number in fresh else _refuted(certificate, refused[number])
        for number, (certificate, _) in enumerate(proofs)
    ]


def certify_each(
    claims: Sequence[tuple[Claim, SourceFiles]], rescan: Rescanner
) -> list[Certificate]:
    """A certificate for each of `claims`, each about files of its own; one scan serves them all.

    Raises:
        EditError: the edits of a claim do not fit its files.
    """
    variants: dict[str, Mapping[str, str]] = {}
    names: list[tuple[str, str]] = []
    for claim, files in claims:
        fixed = fixed_texts(files, claim.proposal.edits)
        texts = {path: files.read(path) or "" for path in fixed}, fixed
        names.append((content_hash(texts[0]), content_hash(texts[1])))
        variants |= dict(zip(names[-1], texts, strict=True))
    scan = rescan(variants, TOOLS) if claims else Rescan(runs=(), results={})
    return [
        _certified(claim, files, _of(scan, own))
        for (claim, files), own in zip(claims, names, strict=True)
    ]


def _certified(claim: Claim, files: SourceFiles, scan: Rescan) -> Certificate:
    """The certificate of `claim`; a text that makes a check stumble is no proof of anything."""
    try:
        return certify(claim, files, scan, FIXED)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        detail = f"A check stumbled over the fixed file ({type(error).__name__})."
        fixed = fixed_texts(files, claim.proposal.edits)
        return Certificate(
            fix=claim.id,
            repository=claim.repository,
            commit=claim.commit,
            finding=claim.finding,
            edits=claim.proposal.edits,
            base_sha256={path: sha256_hex((files.read(path) or "").encode()) for path in fixed},
            fixed_sha256={path: sha256_hex(text.encode()) for path, text in fixed.items()},
            method=method_of(claim.rule, claim.finding),
            scanners=scan.runs,
            checks=(ProofCheck(name="judged", passed=False, detail=detail),),
            verdict=ProofVerdict.REFUTED,
        )


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
