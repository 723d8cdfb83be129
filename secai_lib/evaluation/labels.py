"""Stage 1: is an answer a set of labels, and which of them are right?"""

import json
import re
from collections.abc import Mapping

from secai_lib.core.finding import Category, Severity
from secai_lib.core.weakness import VulnerabilityType

FIELDS = ("category", "cwe", "severity", "type")
"""The labels of Stage 1; each row asks for those that its prompt does not state."""
CLOSED: Mapping[str, frozenset[str]] = {
    "category": frozenset(category.value for category in Category),
    "severity": frozenset(s.value for s in Severity if s is not Severity.UNKNOWN),
    "type": frozenset(kind.value for kind in VulnerabilityType),
}
"""Field -> the labels there are; of CWEs the form counts."""
_CWE = re.compile(r"CWE-[1-9]\d{0,4}")


def labels_of(text: str) -> dict[str, str] | None:
    """The labels of an answer: the JSON object of texts on its first line; None for no such.

    A name that is given twice is no answer: nobody could say which one counts.
    """
    try:
        pairs = json.loads(text.strip().partition("\n")[0], object_pairs_hook=list)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, list) or not all(isinstance(pair, tuple) for pair in pairs):
        return None
    labels = dict(pairs)
    whole = len(labels) == len(pairs) and all(isinstance(v, str) for v in labels.values())
    return labels if whole and labels else None


def from_closed_lists(labels: Mapping[str, str]) -> bool:
    """True when every field is one we know, and every label one of its list."""
    return all(
        bool(_CWE.fullmatch(label)) if field == "cwe" else label in CLOSED.get(field, ())
        for field, label in labels.items()
    )


def mark_labels(truth: str, answer: str) -> dict[str, bool]:
    """Predicate -> whether it holds for `answer` to the row whose answer is `truth`.

    `valid`: it parses and every label is from its closed list. One predicate for each field that
    the row asks for: that label is right. `all_fields`: valid, and every field asked for is right.

    Raises:
        ValueError: `truth` is no answer, or asks for a field we do not know.
    """
    asked = labels_of(truth)
    if asked is None or not from_closed_lists(asked):
        raise ValueError("the row's own answer has no labels")
    given = labels_of(answer)
    valid = given is not None and from_closed_lists(given)
    right = {field: (given or {}).get(field) == label for field, label in asked.items()}
    return {"valid": valid, **right, "all_fields": valid and all(right.values())}
