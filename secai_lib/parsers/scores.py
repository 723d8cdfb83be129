"""Base scores of CVSS vectors, versions 2, 3 and 4."""

import re

from cvss import CVSS2, CVSS3, CVSS4
from cvss.exceptions import CVSSError

_SHAPE = re.compile(r"^[A-Za-z0-9.:/()]{10,300}$")


def score_of_vector(vector: str) -> float | None:
    """The base score 0-10 of a CVSS `vector`; None when it is not a valid one."""
    vector = vector.strip()
    if not _SHAPE.match(vector):
        return None
    try:
        if vector.startswith("CVSS:4"):
            return float(CVSS4(vector).base_score)
        if vector.startswith("CVSS:3"):
            return float(CVSS3(vector).base_score)
        return float(CVSS2(vector.strip("()")).base_score)
    except (CVSSError, ValueError, LookupError, ArithmeticError, TypeError):
        return None


def valid_score(number: float | None) -> float | None:
    """`number` when it lies in 0-10, else None."""
    return number if number is not None and 0 <= number <= 10 else None
