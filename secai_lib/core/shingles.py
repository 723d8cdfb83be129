"""How alike two texts are: the measure that splits are made by and judged by."""

import re

from secai_lib.core.training import TrainingExample

WORDS = 3
"""Words of a shingle: enough that order counts, few enough that one edit leaves most alone."""

_WORD = re.compile(r"\w+|[^\w\s]")


def compared(row: TrainingExample) -> str:
    """The text that decides whether two rows are the same: the question, in Stage 2 with the edit.

    Stage 1 explains a weakness in the words of its rule and its CWE, so the answers to one rule
    are alike in any file; only a repeated question is a repeated row.
    """
    return f"{row.instruction}\n{row.response}" if row.stage == 2 else row.instruction


def shingles(text: str) -> frozenset[str]:
    """Every run of three words or signs in `text`, lower case; a short text is one run."""
    words = _WORD.findall(text.lower())
    runs = range(max(1, len(words) - WORDS + 1))
    return frozenset(" ".join(words[at : at + WORDS]) for at in runs)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared shingles by all shingles of both, 0 to 1."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0
