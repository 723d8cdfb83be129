"""The table of severities and weaknesses says what the parsers do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.finding import Result, Severity
from secai_lib.parsers import PARSERS, parse_report
from secai_lib.parsers.ratings import RATINGS, Rating, markdown

SAMPLES = Path(__file__).parents[1] / "samples"
NAMES = {parser.name for parser in PARSERS}
ROWS = {rating.tool: rating for rating in RATINGS}


@dataclass(frozen=True)
class Case:
    """Where a scanner's sample says severity and weakness of one result."""

    sample: str
    """The sample's path."""
    result: str
    """JSON pointer of the raw result."""
    word: str = ""
    """Pointer of its severity below the result; empty when the scanner has no word for it."""
    cwe: tuple[str, Any] | None = None
    """Pointer of its weakness below the result, and how the scanner spells CWE-1234."""
    score: tuple[str, Any] | None = None
    """Pointer of its number below the result, and how the scanner spells 4.2."""


CASES = {
    "bandit": Case("bandit/bandit.json", "/results/0", "issue_severity", ("issue_cwe/id", 1234)),
    "checkov": Case(
        "checkov/checkov.json",
        "/0/results/failed_checks/0",
        "severity",
        ("cwe", ["CWE-1234"]),
        score=("vulnerability_details", {"cvss": 4.2}),
    ),
    "dependency-check": Case(
        "dependency-check/report.json",
        "/dependencies/0/vulnerabilities/1",
        "severity",
        ("cwes", ["CWE-1234"]),
        score=("cvssv3", {"baseScore": 4.2}),
    ),
    "detect-secrets": Case("detect-secrets/baseline.json", "/results/app~1tool.py/0"),
    "gitleaks": Case("gitleaks/gitleaks.json", "/0"),
    "gosec": Case("gosec/gosec-2.json", "/Issues/1", "severity", ("cwe", {"id": "1234"})),
    "govulncheck": Case(
        "govulncheck/v0.json", "/Vulns/0", cwe=("OSV/database_specific", {"cwe_ids": ["CWE-1234"]})
    ),
    "grype": Case(
        "grype/image.json",
        "/matches/0",
        "vulnerability/severity",
        ("relatedVulnerabilities/0/cwes", [{"cwe": "CWE-1234"}]),
        score=("relatedVulnerabilities/0/cvss", [{"metrics": {"baseScore": 4.2}}]),
    ),
    "hadolint": Case("hadolint/hadolint.json", "/0", "level"),
    "kics": Case(
        "kics/results.json", "/queries/2/files/0", "../../severity", ("../../cwe", "1234")
    ),
    "npm-audit": Case(
        "npm-audit/npm7.json",
        "/vulnerabilities/argwise/via/0",
        "severity",
        ("cwe", ["CWE-1234"]),
        score=("cvss", {"score": 4.2, "vectorString": "CVSS:3.1/AV:N"}),
    ),
    "nuclei": Case(
        "nuclei/export.json",
        "/1",
        "info/severity",
        ("info/classification", {"cwe-id": ["cwe-1234"]}),
        score=("info/classification", {"cvss-score": 4.2}),
    ),
    "osv-scanner": Case(
        "osv-scanner/v1.json",
        "/results/0/packages/0/groups/1",
        "../../vulnerabilities/1/database_specific/severity",
        ("../../vulnerabilities/1/database_specific/cwe_ids", ["CWE-1234"]),
        score=("max_severity", "4.2"),
    ),
    "pip-audit": Case("pip-audit/object.json", "/dependencies/0/vulns/0"),
    "sarif": Case(
        "sarif/full.sarif",
        "/runs/1/results/0",
        "level",
        ("properties", {"cwe": "CWE-1234"}),
        score=("properties", {"security-severity": "4.2"}),
    ),
    "semgrep": Case(
        "semgrep/semgrep.json",
        "/results/1",
        "extra/severity",
        ("extra/metadata/cwe", ["CWE-1234: A weakness"]),
    ),
    "snyk": Case(
        "snyk/projects.json",
        "/0/vulnerabilities/0",
        "severity",
        ("identifiers", {"CWE": ["CWE-1234"]}),
        score=("cvssScore", 4.2),
    ),
    "trivy": Case(
        "trivy/image.json",
        "/Results/0/Vulnerabilities/0",
        "Severity",
        ("CweIDs", ["CWE-1234"]),
        score=("CVSS", {"nvd": {"V3Score": 4.2}}),
    ),
    "trufflehog": Case("trufflehog/results.jsonl", "/0"),
    "zap": Case("zap/report.json", "/site/0/alerts/0", "riskcode", ("cweid", "1234")),
    "zizmor": Case("zizmor/zizmor.json", "/0", "determinations/severity"),
}


def read(case: Case, below: str = "", value: object = None) -> Result:
    """The case's result, with `value` put at `below`."""
    text = (SAMPLES / case.sample).read_text("utf-8")
    lines = case.sample.endswith(".jsonl")
    document: Any = [json.loads(r) for r in text.splitlines()] if lines else json.loads(text)
    if below:
        steps = [step.replace("~1", "/") for step in f"{case.result}/{below}".split("/")[1:]]
        while ".." in steps:
            at = steps.index("..")
            del steps[at - 1 : at + 1]
        holder: Any = document
        for step in steps[:-1]:
            holder = holder[int(step) if isinstance(holder, list) else step]
        holder[steps[-1]] = value
    report = parse_report("r.json", json.dumps(document).encode())
    (found,) = [result for result in report.results if result.evidence.pointer == case.result]
    return found


def test_every_format_we_read_has_a_row_and_a_case() -> None:
    assert not NAMES - ROWS.keys()
    assert not NAMES - CASES.keys()


@pytest.mark.parametrize(
    ("tool", "word"), [(r.tool, word) for r in RATINGS if r.tool in NAMES for word in r.words]
)
def test_a_word_means_what_the_table_says(tool: str, word: str) -> None:
    found = read(CASES[tool], CASES[tool].word, word)
    origin = "level" if tool == "sarif" else "tool"
    assert (found.severity, found.severity_origin) == (ROWS[tool].words[word], origin)


@pytest.mark.parametrize("tool", sorted(tool for tool in NAMES if CASES[tool].word))
def test_a_word_that_is_not_in_the_table_is_unknown(tool: str) -> None:
    found = read(CASES[tool], CASES[tool].word, "strange")
    # Grype's result has a second record, whose word then counts.
    expected = Severity.MEDIUM if tool == "grype" else Severity.UNKNOWN
    assert found.severity is expected


@pytest.mark.parametrize("tool", sorted(NAMES))
def test_a_weakness_comes_from_where_the_table_says(tool: str) -> None:
    row, case = ROWS[tool], CASES[tool]
    if case.cwe:
        assert "CWE-1234" in read(case, *case.cwe).cwes
        assert row.cwe
    else:
        constant = ("CWE-798",) if "CWE-798" in row.cwe else ()
        assert read(case).cwes == constant
        assert bool(row.cwe) == bool(constant)


@pytest.mark.parametrize("tool", sorted(NAMES))
def test_a_number_comes_from_where_the_table_says(tool: str) -> None:
    case = CASES[tool]
    assert bool(ROWS[tool].score) == bool(case.score)
    if case.score:
        assert read(case, *case.score).severity_score == 4.2
    else:
        assert read(case).severity_score is None


@pytest.mark.parametrize("row", [row for row in RATINGS if not row.words and row.tool in NAMES])
def test_who_rates_nothing_is_rated_as_the_table_says(row: Rating) -> None:
    found = read(CASES[row.tool])
    assert row.said.startswith("rates nothing: ")
    assert found.severity.name in row.said
    assert found.severity_origin in {"none", "level"}


def test_the_table_as_markdown() -> None:
    head, _, row = markdown(frozenset({"gosec"})).splitlines()
    assert head.count("|") == row.count("|")
    assert row.startswith("| [gosec](https://github.com/securego/gosec")
    assert "HIGH, MEDIUM, LOW" in row
