"""Is every forged pair proven, may it be used, and are there enough kinds?"""

from collections.abc import Sequence

from secai_lib.core.fix import ProofVerdict
from secai_lib.core.record import sha256_hex
from secai_lib.core.settings import Quality
from secai_lib.core.training import ForgedPair
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most

SEED_LICENCE = "Apache-2.0"
"""What the files that we wrote ourselves are under."""


def proven(pairs: Sequence[ForgedPair], quality: Quality) -> Verdict:
    """Every certificate says proven, and its edits lead from the weak text to the clean one."""
    bad = [pair.id for pair in pairs if not _holds(pair)]
    return at_most(
        "proven",
        len(bad),
        quality.fixes_max_unproven,
        good=f"{len(pairs)} forged pairs, every one proven and applied again.",
        bad=f"{len(bad)} forged pairs have no proof that holds: {', '.join(bad[:5])}.",
    )


def licence(pairs: Sequence[ForgedPair]) -> Verdict:
    """Every pair says what its text is under, if only that nobody knows."""
    bad = [
        p.id for p in pairs if not p.licence or (p.origin == "seed") > (p.licence == SEED_LICENCE)
    ]
    unknown = sum(pair.licence == "unknown" for pair in pairs)
    return at_most(
        "licence",
        len(bad),
        0,
        good=f"Every pair names its licence; of {unknown} the repository does not say it.",
        bad=f"{len(bad)} forged pairs do not name the licence of their text: {', '.join(bad[:5])}.",
    )


def kinds(pairs: Sequence[ForgedPair], quality: Quality) -> Verdict:
    """How many kinds of weakness there are."""
    found = {pair.kind for pair in pairs}
    return at_least(
        "kinds",
        len(found),
        quality.forge_min_kinds,
        good=f"{len(found)} kinds of weakness.",
        bad=f"Only {len(found)} kinds of weakness; are the scanners installed (secai doctor)?",
    )


def _holds(pair: ForgedPair) -> bool:
    certificate = pair.fix.certificate
    said = certificate.verdict is ProofVerdict.PROVEN and all(c.passed for c in certificate.checks)
    text = pair.weak.get(pair.path, "")
    before = {path: sha256_hex(weak.encode()) for path, weak in pair.weak.items()}
    for edit in sorted(certificate.edits, key=lambda edit: (edit.start, edit.end), reverse=True):
        text = text[: edit.start] + edit.replacement + text[edit.end :]
    after = {pair.path: sha256_hex(text.encode())}
    same = certificate.edits == pair.fix.proposal.edits and certificate.finding == (
        pair.finding.result
    )
    return (
        said
        and same
        and before == dict(certificate.base_sha256)
        and after == dict(certificate.fixed_sha256)
    )
