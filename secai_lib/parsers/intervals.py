"""Affected versions as Snyk writes them, in OSV's kind of range.

Snyk writes each ecosystem's own notation: `>=1.0.0 <1.2.3` for npm, `[1.0,1.2.3)` for Maven, NuGet
and PyPI, where a missing bound is an empty text.
"""

import re

from secai_lib.core.finding import VersionRange
from secai_lib.parsers.npm_ranges import ranges_of

_INTERVAL = re.compile(r"^[\[(]\s*([^,\[\]()\s]*)\s*,\s*([^,\[\]()\s]*)\s*([\])])$")
_EXACT = re.compile(r"^\[\s*([^,\[\]()\s]+)\s*\]$")


def ranges_in(texts: tuple[str, ...]) -> tuple[VersionRange, ...]:
    """The intervals of `texts`, in their order; none when any of them is not understood.

    A lower bound that is itself not affected (`(1.0,2.0]`) is taken as affected.
    """
    found = [_bracketed(text.strip()) or ranges_of(text) for text in texts]
    return tuple(dict.fromkeys(span for spans in found for span in spans)) if all(found) else ()


def _bracketed(text: str) -> tuple[VersionRange, ...]:
    exact = _EXACT.match(text)
    if exact:
        return (VersionRange(introduced=exact[1], last_affected=exact[1]),)
    interval = _INTERVAL.match(text)
    if not interval:
        return ()
    low, high = interval[1] or "0", interval[2]
    if not high:
        return (VersionRange(introduced=low),)
    if interval[3] == "]":
        return (VersionRange(introduced=low, last_affected=high),)
    return (VersionRange(introduced=low, fixed=high),)
