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


def triaged(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every problem has exactly one decision."""
    return at_most(
        "triaged",
        counts["untriaged"],
        quality.problems_max_untriaged,
        good=f"Each of {counts['problems']} problems has one decision.",
        bad=f"{counts['untriaged']} problems have no decision, or several.",
    )


def policy_whole(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every `.secai.yaml` could be read."""
    expired, unmatched = counts["policy_expired"], counts["policy_unmatched"]
    told = f"{expired} acceptances are expired, {unmatched} match no problem."
    return at_most(
        "policy_whole",
        counts["policy_faults"],
        quality.problems_max_policy_faults,
        good=f"What people accept could be read; {told}",
        bad=f"{counts['policy_faults']} entries of .secai.yaml do not count: the table `policies` "
        f"says which line is wrong; {told}",
    )


def accepted_share(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """People accept few of the open problems."""
    return at_most(
        "accepted_share",
        _share(counts, "accepted"),
        quality.problems_max_accepted,
        good=f"{counts['accepted']} of {counts['open']} open problems are accepted.",
        bad=f"{counts['accepted']} of {counts['open']} open problems are accepted: look at the "
        "reasons in .secai.yaml again.",
    )


def false_positive_share(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Few of the open problems are judged false positives."""
    silent = counts["false_positive"]
    return at_most(
        "false_positive_share",
        _share(counts, "false_positive"),
        quality.problems_max_false_positive,
        good=f"{silent} of {counts['open']} open problems are judged false positives.",
        bad=f"{silent} of {counts['open']} open problems are judged false positives: narrow the "
        "scanners' rules, or the rules of config/triage.yaml.",
    )


def _share(counts: Mapping[str, int], decision: str) -> float:
    return round(counts[decision] / counts["open"], 4) if counts["open"] else 0.0
