"""npm's version ranges (`>=1.0.0 <1.2.6 || 2.0.0`) as intervals.

Grammar: https://github.com/npm/node-semver#ranges; advisories use comparators, `||`, hyphen
ranges and `*`, and GitHub's a comma between comparators.
"""

import re

from secai_lib.core.finding import VersionRange

_VERSION = r"v?(\d[0-9A-Za-z.+-]{0,100})"
_COMPARATOR = re.compile(rf"\s*(<=|>=|<|>|=)?\s*{_VERSION}\s*(?:,|\s|$)")
_HYPHEN = re.compile(rf"^\s*{_VERSION}\s+-\s+{_VERSION}\s*$")
_WILDCARD = re.compile(r"(?:^|\.)[xX](?:\.|$)")
_LONGEST = 4_000
_NOTHING = "<0.0.0"
"""How npm 6 writes that no version is patched."""
_ALL = {"*", "x", "X", ""}


def ranges_of(text: str) -> tuple[VersionRange, ...]:
    """The intervals of `text`, in its order; none when any part of it is not understood.

    A lower bound that is itself not affected (`>1.0.0`) is taken as affected: OSV's intervals
    cannot say it, and one version too many is the safe side.
    """
    if not text.strip() or text.strip() == _NOTHING or len(text) > _LONGEST:
        return ()
    found = [_interval(part) for part in text.split("||")]
    return tuple(dict.fromkeys(span for span in found if span)) if all(found) else ()


def _interval(part: str) -> VersionRange | None:
    if part.strip() in _ALL:
        return VersionRange()
    hyphen = _HYPHEN.match(part)
    if hyphen:
        return VersionRange(introduced=hyphen[1], last_affected=hyphen[2])
    bounds = _comparators(part.strip())
    if bounds is None:
        return None
    lower = bounds.get(">=") or bounds.get(">") or "0"
    if "=" in bounds:
        return VersionRange(introduced=bounds["="], last_affected=bounds["="])
    if "<" in bounds:
        return VersionRange(introduced=lower, fixed=bounds["<"])
    return VersionRange(introduced=lower, last_affected=bounds.get("<="))


def _comparators(part: str) -> dict[str, str] | None:
    """Operator -> version; None when something else stands in `part`, or one stands twice."""
    bounds: dict[str, str] = {}
    at = 0
    while at < len(part):
        found = _COMPARATOR.match(part, at)
        if not found or (found[1] or "=") in bounds or _WILDCARD.search(found[2]):
            return None
        bounds[found[1] or "="] = found[2]
        at = found.end()
    return bounds or None
