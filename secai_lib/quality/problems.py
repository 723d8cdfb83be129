"""Did every finding reach a problem?"""

from collections.abc import Mapping

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.findings import accounted, unique_ids
from secai_lib.quality.limits import at_most


def acceptable(findings: Mapping[str, int], quality: Quality) -> bool:
    """Whether a scan run may enter the corpus: it meets the blocking rules of its own step."""
    return accounted(findings, quality).passed and unique_ids(findings, quality).passed


def parity(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every finding of the accepted runs is in exactly one problem."""
    return at_most(
        "parity",
        counts["unmatched"],
        quality.problems_max_unmatched,
        good=f"{counts['findings']} findings are in {counts['problems']} problems.",
        bad=f"{counts['unmatched']} findings are in no problem.",
    )


def quarantine_ratio(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Few scan runs were left out because their own checks failed."""
    total = counts["runs"] + counts["quarantined"]
    share = counts["quarantined"] / total if total else 0.0
    return at_most(
        "quarantine_ratio",
        round(share, 4),
        quality.problems_max_quarantined,
        good=f"{counts['quarantined']} of {total} scan runs are left out.",
        bad=f"{counts['quarantined']} of {total} scan runs are left out: see checks of findings.",
    )
