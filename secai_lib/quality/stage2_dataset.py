"""Does every row of Stage 2 follow from a proof?"""

from collections.abc import Mapping

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most


def certificates(doubts: Mapping[str, str], quality: Quality) -> Verdict:
    """Every row's answer leads to a file that a certificate proves; `doubts` are by row id.

    An empty doubt is none.
    """
    bad = [(key, why) for key, why in sorted(doubts.items()) if why]
    said = "; ".join(f"row {key}: {why}" for key, why in bad[:3])
    return at_most(
        "certificates",
        len(bad),
        quality.datasets_max_faults,
        good=f"{len(doubts)} rows, every answer leads to the file that its certificate proves.",
        bad=f"{len(bad)} of {len(doubts)} rows do not follow from their proof: {said}",
    )
