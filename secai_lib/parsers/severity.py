"""How bad each scanner's words are, in one table per scanner, with the source of each.

A scanner's own word gives the origin `tool`; a number of the report gives `cvss` or
`security-severity`; SARIF's level gives `level`; a word we had to choose gives `none`.
"""

from collections.abc import Mapping

from secai_lib.core.finding import Severity, severity_of_score

_PLAIN = {
    "CRITICAL": Severity.CRITICAL,
    "HIGH": Severity.HIGH,
    "MODERATE": Severity.MEDIUM,
    "MEDIUM": Severity.MEDIUM,
    "LOW": Severity.LOW,
    "NEGLIGIBLE": Severity.LOW,
    "INFO": Severity.INFO,
    "INFORMATIONAL": Severity.INFO,
    "NONE": Severity.INFO,
}

SARIF_LEVELS: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "note": Severity.LOW,
    "none": Severity.INFO,
}
"""SARIF 2.1.0, 3.27.10 `level`: a serious problem, a problem, a minor one, not a problem."""

SEMGREP: Mapping[str, Severity] = {
    **_PLAIN,
    "ERROR": Severity.HIGH,
    "WARNING": Severity.MEDIUM,
    "INFO": Severity.LOW,
    "INVENTORY": Severity.INFO,
    "EXPERIMENT": Severity.INFO,
}
"""Semgrep rule syntax, `severity`: ERROR, WARNING and INFO are its former HIGH, MEDIUM and LOW."""

HADOLINT: Mapping[str, Severity] = {
    "error": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "info": Severity.LOW,
    "style": Severity.LOW,
}
"""Hadolint `level`. Its own SARIF writer calls both `info` and `style` a `note`."""

ZAP: Mapping[str, Severity] = {
    "3": Severity.HIGH,
    "2": Severity.MEDIUM,
    "1": Severity.LOW,
    "0": Severity.INFO,
}
"""ZAP `riskcode`: 3 High, 2 Medium, 1 Low, 0 Informational (ZAP has no Critical)."""

ZAP_CONFIDENCE: Mapping[str, str] = {
    "4": "confirmed",
    "3": "high",
    "2": "medium",
    "1": "low",
    "0": "false positive",
}
"""ZAP `confidence`: 4 User Confirmed down to 0 False Positive."""

KICS: Mapping[str, Severity] = {**_PLAIN, "TRACE": Severity.INFO}
"""KICS `severity`: CRITICAL (since 2.0), HIGH, MEDIUM, LOW, INFO; TRACE lists resources."""

GOVULNCHECK = ("error", "warning", "note")
"""govulncheck rates nothing; its own SARIF writer gives `error` to what it saw as near as it was
told to look (called, say), `warning` to one step further off, `note` to two. Its JSON shall mean
the same."""

OTHERS: Mapping[str, Severity] = _PLAIN
"""Trivy, Grype, Checkov (with a platform key), Bandit, gosec, npm audit, zizmor and OSV's databases
use plain words.

Bandit's and gosec's UNDEFINED, zizmor's and Grype's Unknown and
Trivy's UNKNOWN mean what they say.
"""

CHECKOV_UNRATED = (Severity.HIGH, "level")
"""Checkov without a platform key rates nothing; its own SARIF writer then gives a failed check the
level `error`, and its JSON shall mean the same."""

SECRET = Severity.HIGH
"""Gitleaks, detect-secrets and TruffleHog rate nothing; a leaked credential is CWE-798, which
MITRE calls highly likely to be exploited. The origin is `none`."""


def by_word(word: str, table: Mapping[str, Severity] = OTHERS) -> tuple[Severity, str]:
    """Severity and origin of a scanner's `word`; unknown words give UNKNOWN and `none`."""
    found = table.get(word.strip()) or table.get(word.strip().upper())
    return (found, "tool") if found else (Severity.UNKNOWN, "none")


def by_level(level: str) -> tuple[Severity, str]:
    """Severity and origin of a SARIF `level`."""
    found = SARIF_LEVELS.get(level.lower())
    return (found, "level") if found else (Severity.UNKNOWN, "none")


def by_score(score: float, origin: str) -> tuple[Severity, str]:
    """Severity and `origin` of a score 0-10."""
    return severity_of_score(score), origin
