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
    """Every open problem has exactly one verdict."""
    return at_most(
        "triaged",
        counts["untriaged"],
        quality.problems_max_untriaged,
        good=f"All {counts['open']} open problems have a verdict.",
        bad=f"{counts['untriaged']} open problems have no verdict.",
    )


def policy_whole(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every `.secai.yaml` could be read whole."""
    return at_most(
        "policy_whole",
        counts["policy_faults"],
        quality.problems_max_policy_faults,
        good="Every .secai.yaml could be read whole.",
        bad=f"{counts['policy_faults']} entries of .secai.yaml do not count: see `policy_faults`.",
    )


def accepted_share(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Not too much is accepted instead of mended."""
    return _share("accepted_share", "accepted", counts, quality.problems_max_accepted)


def false_positive_share(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Not too much is silenced by rules: then a rule of triage or of a scanner needs a look."""
    limit = quality.problems_max_false_positive
    return _share("false_positive_share", "false_positive", counts, limit)


def _share(name: str, count: str, counts: Mapping[str, int], limit: float) -> Verdict:
    share = counts[count] / counts["open"] if counts["open"] else 0.0
    said = f"{counts[count]} of {counts['open']} open problems are {count.replace('_', ' ')}"
    return at_most(name, round(share, 4), limit, good=f"{said}.",
                   bad=f"{said}: see `by_triage_rule`.")  # fmt: skip
