"""Weakness and advisory ids out of whatever a scanner writes them in."""

import re
from collections.abc import Iterable
from functools import lru_cache

_CWE = re.compile(r"\bCWE[-_ :/]{0,3}0*([1-9]\d{0,4})\b", re.IGNORECASE)
_LARGEST_CWE = 99_999
_ADVISORY = re.compile(
    r"\b(?:CVE-\d{4}-\d{4,10}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|PYSEC-\d{4}-\d{1,8}"
    r"|RUSTSEC-\d{4}-\d{4,8}|GO-\d{4}-\d{4,8}|OSV-\d{4}-\d{1,8}|DSA-\d{1,6}-\d{1,4}"
    r"|USN-\d{1,6}-\d{1,4}|SNYK-[A-Z]{2,20}-[A-Z0-9]{1,80}-\d{1,12})\b"
)


def cwes_in(*texts: str) -> tuple[str, ...]:
    """Every CWE named in `texts` as `CWE-79`, sorted by number.

    Understands `CWE-79: ...`, `external/cwe/cwe-079`, `CWE_79`.
    """
    return _cwes_in(tuple(dict.fromkeys(texts)))


@lru_cache(maxsize=4096)
def _cwes_in(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Remembered, because all results of a rule name the same."""
    return cwe_names(int(number) for text in texts for number in _CWE.findall(text))


def cwe_names(numbers: Iterable[int]) -> tuple[str, ...]:
    """`CWE-n` for each number that can be one, sorted, each once."""
    known = {number for number in numbers if 0 < number <= _LARGEST_CWE}
    return tuple(f"CWE-{number}" for number in sorted(known))


def advisories_in(*texts: str) -> tuple[str, ...]:
    """Every advisory id (CVE, GHSA, PYSEC, ...) named in `texts`, sorted, each once."""
    return _advisories_in(tuple(dict.fromkeys(texts)))


@lru_cache(maxsize=4096)
def _advisories_in(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted({found for text in texts for found in _ADVISORY.findall(text)}))
