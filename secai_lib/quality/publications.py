"""May what was written leave, and is it what was meant to be written?"""

from collections.abc import Sequence

from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most

NONE = 0
"""Of neither may there be any; no setting changes that."""
SHOWN = 5


def guard(findings: Sequence[str], files: int) -> Verdict:
    """No file holds a secret, a private path or host, an unknown licence or an unsafe format."""
    return at_most(
        "guard",
        len(findings),
        NONE,
        good=f"{files} files: no secret, private path or host, unknown licence or unsafe format.",
        bad=f"{len(findings)} finding(s), nothing of this may leave: {_some(findings)}",
    )


def round_trip(differences: Sequence[str], files: int, *, pushed: bool) -> Verdict:
    """What is there, read again, has the hashes of what was released."""
    where = "in the folder and on the Hub" if pushed else "in the folder"
    return at_most(
        "round_trip",
        len(differences),
        NONE,
        good=f"{files} files {where} are byte for byte what was released.",
        bad=f"{len(differences)} file(s) differ, publish again: {_some(differences)}",
    )


def _some(lines: Sequence[str]) -> str:
    more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return "; ".join(lines[:SHOWN]) + more
