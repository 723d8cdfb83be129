"""A label is stated in many forms, and a word in passing states none."""

import pytest

from secai_lib.core.disclosure import WEAKNESS_ID, states


@pytest.mark.parametrize(
    "text",
    [
        "severity: high", "Severity: MEDIUM", '"severity": "low"', "| Severity | HIGH |",
        "a high-severity issue", "This is of critical severity.", "rated Important", "risk: low",
        "risk level is moderate", "CVSS:3.1/AV:N/AC:L/PR:N", "a CVSS score of 9.8",
        "security-severity 7.5", "severity score 9", "impact is high",
    ],
)  # fmt: skip
def test_severity_is_stated(text: str) -> None:
    assert states(text, "severity", "high")


@pytest.mark.parametrize(
    "text",
    ["high CPU usage", "a low-level function", "critical section", "priority queue", "", "info()"],
)
def test_severity_is_not_stated(text: str) -> None:
    assert not states(text, "severity", "high")


@pytest.mark.parametrize(
    ("text", "field", "value", "stated"),
    [
        ("see CWE-79", "cwe", "CWE-79", True),
        ("cwe_79 applies", "cwe", "CWE-79", True),
        ("see the CWE list", "cwe", "CWE-79", False),
        ("leads to path traversal here", "type", "path_traversal", True),
        ("Path-Traversal", "type", "path_traversal", True),
        ("a path in traversal", "type", "path_traversal", False),
        ("SQL injection", "type", "injection", True),
        ("template-injection", "type", "injection", True),
        ("the injections", "type", "injection", False),
        ("on the other hand", "type", "other", False),
        ("type: other", "type", "other", True),
        ("the code of a container", "category", "container", False),
        ("category: container", "category", "container", True),
        ('"category":"web"', "category", "web", True),
    ],
)
def test_other_labels(text: str, field: str, value: str, stated: bool) -> None:
    assert states(text, field, value) is stated


def test_ids() -> None:
    text = "CVE-2024-1234, ghsa-fghv-69vj-qj49, CWE-79, PYSEC-2021-1, CVE-24-1, MD5-2024-1"
    assert WEAKNESS_ID.findall(text) == [
        "CVE-2024-1234", "ghsa-fghv-69vj-qj49", "CWE-79", "PYSEC-2021-1"]  # fmt: skip
