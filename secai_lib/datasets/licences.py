"""Which licence a repository's licence file is."""

_MARKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Apache-2.0", ("apache license", "version 2.0")),
    ("MIT", ("permission is hereby granted, free of charge", "without restriction")),
    ("AGPL-3.0", ("gnu affero general public license", "version 3")),
    ("LGPL-3.0", ("gnu lesser general public license", "version 3")),
    ("GPL-3.0", ("gnu general public license", "version 3")),
    ("GPL-2.0", ("gnu general public license", "version 2")),
    ("MPL-2.0", ("mozilla public license", "2.0")),
    ("BSD-3-Clause", ("redistribution and use", "neither the name")),
    ("BSD-2-Clause", ("redistribution and use", "this list of conditions")),
    ("ISC", ("permission to use, copy, modify, and/or distribute",)),
    ("Unlicense", ("free and unencumbered software released into the public domain",)),
)
"""SPDX identifier -> phrases its text holds, the stricter ones first."""


def licence_of(text: str) -> str:
    """The SPDX identifier of the licence `text`; `unknown` when it is none we know."""
    plain = " ".join(text.lower().split())
    fits = (name for name, marks in _MARKS if all(mark in plain for mark in marks))
    return next(fits, "unknown")
