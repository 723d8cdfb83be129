"""Does every row of Stage 2 follow from a proof?"""

from collections.abc import Mapping

from secai_lib.core.settings import DatasetSettings, Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.datasets import Rows, no_leak
from secai_lib.quality.limits import at_most


def no_leak_across(
    stage1: Rows, stage2: Rows, settings: DatasetSettings, quality: Quality
) -> Verdict:
    """What one stage is tested on, no other part of the other stage has."""
    made = no_leak([*stage1, *stage2], settings, quality)
    return made.model_copy(update={"name": "no_leak_across"})


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
