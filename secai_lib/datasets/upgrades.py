"""Which fixed version is the way out: one in the branch that is in use, and never an older one."""

import re
from collections.abc import Iterable

_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")


def upgrades(installed: str, fixed: Iterable[str]) -> tuple[str, ...]:
    """The versions of `fixed` that are not below `installed`: its own branch first, then upwards.

    The leading numbers alone are compared, which tells branches apart in every ecosystem and lets
    a new build of the same version (`2.36-9+deb12u10`) stay. Where `installed` has no number, all
    stay as they are.
    """
    versions = tuple(dict.fromkeys(fixed))
    here = _numbers(installed)
    if not here:
        return versions
    above = [version for version in versions if _numbers(version) >= here]
    return tuple(sorted(above, key=lambda version: (-_shared(here, version), _numbers(version))))


def _shared(here: tuple[int, ...], version: str) -> int:
    """How many leading numbers `version` shares with `here`: 2 for 1.3.5 and 1.3.15."""
    pairs = zip(here, _numbers(version), strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), len(here))


def _numbers(version: str) -> tuple[int, ...]:
    found = _NUMBERS.match(version)
    return tuple(map(int, found[1].split("."))) if found else ()
