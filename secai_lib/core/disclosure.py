"""Whether a text states a label: a field that its prompt states is never scored."""

import re

SEVERITIES = ("critical", "high", "medium", "moderate", "low", "info", "informational", "important")
"""How scanners and advisories spell severities."""

_SEVERITY = "|".join(SEVERITIES)
SEVERITY = re.compile(
    rf"\b(?:severity|criticality|risk|priority|rated?|rating|impact)\b"
    rf"\W{{0,4}}(?:(?:is|of|as|level|score|rating|text)\b\W{{0,3}})*\b(?:{_SEVERITY})\b"
    rf"|\b(?:{_SEVERITY})\b\W{{0,3}}(?:severity|criticality|risk|priority|impact|rated|rating)\b"
    r"|\bseverity\b\W{0,4}(?:score\W{0,3})?\d"
    r"|\bCVSS\b|\bsecurity-severity\b|\bAV:[NALP]/AC:",
    re.IGNORECASE,
)
"""A severity in words or numbers, in any of the usual forms."""
CWE = re.compile(r"\bCWE[-_ ]?(\d+)", re.IGNORECASE)
"""A CWE id in any spelling."""
WEAKNESS_ID = re.compile(
    r"\b(?:CVE-\d{4}-\d{4,}|GHSA(?:-[0-9a-z]{4}){3}|CWE-\d+|(?:PYSEC|RUSTSEC|OSV|GO)-\d{4}-\d+)\b",
    re.IGNORECASE,
)
"""The id of a weakness or an advisory."""
_COMMON = frozenset({"other", "code", "web", "api", "secret", "mobile", "container", "dependency"})
"""Labels that are everyday words: stated only when a name such as `category:` stands before."""


def states(text: str, field: str, value: str) -> bool:
    """True when `text` gives away the label `field` (`severity`, `cwe`, `type`, `category`)."""
    if field == "severity":
        return bool(SEVERITY.search(text))
    if field == "cwe":
        return bool(CWE.search(text))
    words = r"[\s_-]+".join(map(re.escape, value.split("_")))
    named = rf"\b(?:{field}|class|classification|kind)\b\W{{1,4}}{words}\b"
    if value in _COMMON or field == "category":
        return bool(re.search(named, text, re.IGNORECASE))
    return bool(re.search(rf"(?<![^\W_]){words}(?![^\W_])", text, re.IGNORECASE))
