"""Is the code round a finding the right code?"""

from collections.abc import Collection, Mapping

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most


def inside_repo(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Every context comes from a file of the scanned commit."""
    outside = counts["outside"]
    return at_most(
        "inside_repo",
        outside,
        quality.contexts_max_outside,
        good="Every context comes from the scanned commit.",
        bad=f"{outside} contexts name a file that the scanned commit does not hold.",
    )


def resolved_rate(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """Most findings about code were found again; runs whose source is not here pass."""
    wanted = counts["exact"] + counts["relocated"] + counts["not_found"]
    share = (wanted - counts["not_found"]) / wanted if wanted else 1.0
    absent = counts["no_source"]
    note = f" The source of {absent} more is not here." if absent else ""
    return at_least(
        "resolved_rate",
        round(share, 4),
        quality.contexts_min_resolved,
        good=f"{share:.0%} of {wanted} findings about code were found again.{note}",
        bad=f"Only {share:.0%} of {wanted} findings about code were found again: wrong commit?",
    )


def routes_inside(outside: Collection[str], quality: Quality) -> Verdict:
    """Every route is declared in a file of the scanned commit."""
    return at_most(
        "routes_inside",
        len(outside),
        quality.contexts_max_outside,
        good="Every route is declared in the scanned commit.",
        bad="Files that the scanned commit does not hold: " + ", ".join(sorted(outside)[:5]),
    )
