"""Is every raw result accounted for, once?"""

from collections.abc import Mapping

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most


def accounted(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every raw result is a finding, evidence of one, or skipped with a reason."""
    taken, skipped = counts["evidence"], counts["skipped_results"]
    missing = abs(counts["raw_results"] - taken - skipped)
    return at_most(
        "accounted",
        missing,
        quality.findings_max_unaccounted,
        good=f"{counts['raw_results']} raw results: {taken} in findings, {skipped} skipped.",
        bad=f"{missing} raw results are in no finding and not skipped: a parser loses results.",
    )


def unique_ids(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """No two findings of the run share a fingerprint."""
    double = counts["findings"] - counts["distinct_fingerprints"]
    return at_most(
        "unique_ids",
        double,
        quality.findings_max_duplicates,
        good=f"{counts['findings']} findings, every fingerprint once.",
        bad=f"{double} findings share a fingerprint with another one.",
    )


def readable(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """No report or result was broken."""
    return at_most(
        "readable",
        counts["malformed"],
        quality.findings_max_malformed,
        good="Every report could be read.",
        bad=f"{counts['malformed']} reports or results are broken; see the table of the skipped.",
    )


def severity_known(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Most findings say how bad they are."""
    total = counts["findings"]
    share = 1 - counts["severity_unknown"] / total if total else 1.0
    return at_least(
        "severity_known",
        round(share, 4),
        quality.findings_min_severity_known,
        good=f"{share:.0%} of the findings have a severity.",
        bad=f"Only {share:.0%} of the findings have a severity.",
    )
