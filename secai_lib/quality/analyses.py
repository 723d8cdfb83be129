"""Is what the model said well formed, and does it stay with the evidence?"""

from collections.abc import Sequence

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most


def schema_valid(read: int, broken: Sequence[str], quality: Quality) -> Verdict:
    """Every reading fits its schema; `broken` are the problems whose reading does not."""
    return at_most(
        "schema_valid",
        len(broken),
        quality.analyses_max_invalid,
        good=f"{read} readings, every one fits its schema.",
        bad=f"{len(broken)} readings break their schema: " + ", ".join(broken[:5]),
    )


def grounded(read: int, inventing: Sequence[str], quality: Quality) -> Verdict:
    """No reading names an identifier the finding lacks; `inventing` are problems where one does."""
    return at_most(
        "grounded",
        len(inventing),
        quality.analyses_max_ungrounded,
        good=f"{read} readings, none names anything that is not in its evidence.",
        bad=f"{len(inventing)} readings name what no evidence does: " + ", ".join(inventing[:5]),
    )


def abstention(asked: int, read: int, quality: Quality) -> Verdict:
    """The share of asked problems without a reading."""
    share = 1 - read / asked if asked else 0.0
    return at_most(
        "abstention",
        round(share, 4),
        quality.analyses_max_abstained,
        good=f"{read} of {asked} asked problems have a reading.",
        bad=f"Only {read} of {asked} asked problems have a reading; a larger model reads more.",
    )
