"""Which licences let a text or a model leave."""

from collections.abc import Collection

PERMISSIVE = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC-BY-4.0", "CC0-1.0", "ISC",
    "MIT", "MIT-0", "Python-2.0", "Unlicense", "Zlib",
})  # fmt: skip
"""SPDX identifiers that ask for no more than being named. Copyleft licences (GPL, AGPL, LGPL, MPL,
CC-BY-SA, ...) tie what is made of them: a person lets them leave by `publication.licences`."""
NEVER = frozenset({"", "unknown", "other", "noassertion", "none"})
"""What is no licence; no setting lets it leave."""


def known(licence: str) -> bool:
    """True when `licence` names one at all."""
    return licence.strip().lower() not in NEVER


def may_leave(licence: str, more: Collection[str] = ()) -> bool:
    """True when texts under `licence` may be published; `more` are those of the settings."""
    allowed = {name.lower() for name in (*PERMISSIVE, *more)}
    return known(licence) and licence.strip().lower() in allowed
