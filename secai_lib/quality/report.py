"""Can the report be used?"""

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most


def sarif_valid(problems: list[str]) -> Verdict:
    """The SARIF obeys the specification where consumers rely on it."""
    return at_most(
        "sarif_valid",
        len(problems),
        0,
        good="Every SARIF file is valid.",
        bad="SARIF is broken: " + "; ".join(problems[:5]),
    )


def size(largest_bytes: int, quality: Quality) -> Verdict:
    """No file of the report is too large to open."""
    return at_most(
        "size",
        largest_bytes,
        quality.report_max_bytes,
        good=f"The largest file has {largest_bytes:,} bytes.",
        bad=f"The largest file has {largest_bytes:,} bytes; browsers grow slow.",
    )
