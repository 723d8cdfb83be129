"""Under which licence the files of a repository are."""

import re

from secai_lib.core.fix import SourceFiles

UNKNOWN = "unknown"
"""The licence of a repository that does not say, or not in words we know."""
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


_FILE = re.compile(r"(?:LICEN[CS]E|COPYING)(?:\.(?:md|txt))?", re.IGNORECASE)


def licence_of(files: SourceFiles) -> str:
    """SPDX identifier of the licence file at the top of a commit; `unknown` when none is known."""
    names = (path for path in files.paths() if _FILE.fullmatch(path))
    return next((name for path in names if (name := licence_in(files.read(path) or ""))), UNKNOWN)


def licence_in(text: str) -> str:
    """SPDX identifier of the licence `text`; empty when it is none we know."""
    plain = " ".join(text.lower().split())
    return next((name for name, marks in _MARKS if all(mark in plain for mark in marks)), "")
