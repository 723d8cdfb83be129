"""How alike two texts are: the measure that splits are made by and judged by."""

import re

WORDS = 3
"""Words of a shingle: enough that order counts, few enough that one edit leaves most alone."""

_WORD = re.compile(r"\w+|[^\w\s]")


def shingles(text: str) -> frozenset[str]:
    """Every run of three words or signs in `text`, lower case; a short text is one run."""
    words = _WORD.findall(text.lower())
    runs = range(max(1, len(words) - WORDS + 1))
    return frozenset(" ".join(words[at : at + WORDS]) for at in runs)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared shingles by all shingles of both, 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
