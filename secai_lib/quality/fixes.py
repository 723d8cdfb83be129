"""Is every offered fix proven?"""

from collections.abc import Sequence

from secai_lib.core.fix import Fix, ProofVerdict
from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most


def proven(fixes: Sequence[Fix], quality: Quality) -> Verdict:
    """Every offered fix has a certificate that says proven, with every check passed."""
    bad = [
        f
        for f in fixes
        if f.certificate.verdict is not ProofVerdict.PROVEN
        or not all(c.passed for c in f.certificate.checks)
    ]
    return at_most(
        "proven",
        len(bad),
        quality.fixes_max_unproven,
        good=f"{len(fixes)} offered fixes, every one proven.",
        bad=f"{len(bad)} offered fixes are not proven: " + ", ".join(f.id for f in bad[:5]),
    )


def no_new_findings(fixes: Sequence[Fix], quality: Quality) -> Verdict:
    """After no offered fix does any scanner report something new."""
    bad = [
        f
        for f in fixes
        if any(c.name == "nothing_new" and not c.passed for c in f.certificate.checks)
    ]
    return at_most(
        "no_new_findings",
        len(bad),
        quality.fixes_max_new_findings,
        good="No offered fix makes any scanner report something new.",
        bad=f"{len(bad)} offered fixes uncover or cause something new.",
    )


def abstention(open_problems: int, fixed: int, quality: Quality) -> Verdict:
    """The share of open problems without a fix."""
    share = 1 - fixed / open_problems if open_problems else 0.0
    return at_most(
        "abstention",
        round(share, 4),
        quality.fixes_max_abstained,
        good=f"{fixed} of {open_problems} open problems have a proven fix.",
        bad=f"Only {fixed} of {open_problems} open problems have a proven fix.",
    )
