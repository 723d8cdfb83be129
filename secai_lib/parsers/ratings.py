"""How bad and which weakness: where every scanner says it, and what we make of it, in one table.

The README shows the table (`markdown`), and tests/parsers/test_ratings.py puts every word of it
into a report of its scanner and reads the report, so that table and parsers cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from secai_lib.core.finding import Severity
from secai_lib.parsers.severity import HADOLINT, OTHERS, SARIF_LEVELS, SEMGREP, ZAP

_CREDENTIAL = "always CWE-798"


@dataclass(frozen=True)
class Rating:
    """One scanner's row."""

    tool: str
    """The scanner's slug."""
    words: Mapping[str, Severity]
    """Its own words and ours; empty when it rates nothing."""
    said: str
    """Where the word stands, or what stands in for it."""
    score: str
    """Where the number 0-10 comes from; empty when the scanner gives none."""
    cwe: str
    """Where the weakness comes from; empty when the scanner names none."""
    source: str
    """The description of the format."""


def _plain(words: str) -> dict[str, Severity]:
    return {word: OTHERS[word.upper()] for word in words.split()}


_CVSS = "CRITICAL HIGH MEDIUM LOW"
_SEMGREP = {
    word: SEMGREP[word] for word in f"{_CVSS} ERROR WARNING INFO INVENTORY EXPERIMENT".split()
}

RATINGS: tuple[Rating, ...] = (
    Rating("bandit", _plain("HIGH MEDIUM LOW"), "`issue_severity`", "", "`issue_cwe.id`",
           "https://bandit.readthedocs.io/en/latest/formatters/json.html"),
    Rating("checkov", _plain(f"{_CVSS} INFO"),
           "`severity` (with a platform key); without one HIGH, as its SARIF's `error`",
           "`vulnerability_details.cvss`", "`cwe`",
           "https://www.checkov.io/2.Basics/Reviewing%20Scan%20Results.html"),
    Rating("dependency-check", _plain(f"{_CVSS} MODERATE"), "`severity`, else the score",
           "newest of `cvssv4`, `cvssv3`, `cvssv2`, else `cvssScore`", "`cwes`",
           "https://dependency-check.github.io/DependencyCheck/"),
    Rating("detect-secrets", {}, "rates nothing: HIGH", "", _CREDENTIAL,
           "https://github.com/Yelp/detect-secrets"),
    Rating("gitleaks", {}, "rates nothing: HIGH", "", _CREDENTIAL,
           "https://github.com/gitleaks/gitleaks"),
    Rating("gosec", _plain("HIGH MEDIUM LOW"), "`severity`; in SARIF the rule's help", "",
           "`cwe.id`; in SARIF the rule's relationships",
           "https://github.com/securego/gosec#available-rules"),
    Rating("govulncheck", {}, "rates nothing: as its SARIF the nearest its `scan_level` can see "
           "HIGH (called), then MEDIUM (imported), LOW (required)", "",
           "`database_specific.cwe_ids`", "https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck"),
    Rating("grype", _plain("Critical High Medium Low Negligible"),
           "`vulnerability.severity`, else the score",
           "the vendors' highest of `cvss`, else NVD's", "`cwes`",
           "https://github.com/anchore/grype"),
    Rating("hadolint", HADOLINT, "`level`", "", "", "https://github.com/hadolint/hadolint#rules"),
    Rating("kics", {**_plain(f"{_CVSS} INFO"), "TRACE": Severity.INFO}, "`severity`", "",
           "`cwe`", "https://docs.kics.io/latest/results/"),
    Rating("npm-audit", _plain("critical high moderate low info"), "`severity`", "`cvss.score`",
           "`cwe`", "https://docs.npmjs.com/cli/commands/npm-audit"),
    Rating("nuclei", _plain("critical high medium low info"), "`info.severity`",
           "`cvss-score`, else `cvss-metrics` of the classification", "its `cwe-id`",
           "https://docs.projectdiscovery.io/templates/reference/template-syntax"),
    Rating("osv-scanner", _plain("CRITICAL HIGH MODERATE LOW"),
           "the score, else `database_specific.severity`",
           "highest of `severity` (CVSS vectors), else `max_severity`",
           "`database_specific.cwe_ids`", "https://ossf.github.io/osv-schema/"),
    Rating("pip-audit", {}, "rates nothing: UNKNOWN", "", "",
           "https://github.com/pypa/pip-audit"),
    Rating("sarif", SARIF_LEVELS, "`security-severity`, else `level` (3.27.10)",
           "`security-severity`", "tags, `taxa` (3.27.8), relationships (3.49.15), `cwe`",
           "https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"),
    Rating("semgrep", _SEMGREP, "`extra.severity`", "", "`extra.metadata.cwe`",
           "https://semgrep.dev/docs/writing-rules/rule-syntax"),
    Rating("snyk", _plain("critical high medium low"), "`severity`", "`cvssScore`, else `CVSSv3`",
           "`identifiers.CWE`", "https://docs.snyk.io/developer-tools/snyk-cli"),
    Rating("trivy", _plain(_CVSS), "`Severity`",
           "newest of `CVSS` by `SeveritySource`, else of the first source",
           "`CweIDs`; secrets CWE-798",
           "https://trivy.dev/latest/docs/scanner/vulnerability/#severity-selection"),
    Rating("trufflehog", {}, "rates nothing: HIGH", "", _CREDENTIAL,
           "https://github.com/trufflesecurity/trufflehog"),
    Rating("zap", ZAP, "`riskcode` (ZAP has no critical)", "", "`cweid`",
           "https://www.zaproxy.org/docs/desktop/start/features/alerts/"),
    Rating("zizmor", _plain("High Medium Low Informational"), "`determinations.severity`", "", "",
           "https://docs.zizmor.sh/audits/"),
)  # fmt: skip
"""A word that is not in a row, such as Bandit's UNDEFINED, means unknown."""


def markdown(tools: frozenset[str]) -> str:
    """The rows of `tools` as a Markdown table, in their order."""
    rows = ["| scanner | its words | where | 0-10 from | CWE from |", "|---|---|---|---|---|"]
    for rating in RATINGS:
        if rating.tool in tools:
            cells = (
                f"[{rating.tool}]({rating.source})", _words(rating.words), rating.said,
                rating.score, rating.cwe,
            )  # fmt: skip
            rows.append(f"| {' | '.join(cell or '-' for cell in cells)} |")
    return "\n".join(rows)


def _words(words: Mapping[str, Severity]) -> str:
    """`HIGH`, or `ERROR` = high where the word is not ours; the same word in two cases once."""
    shown = {}
    for word, severity in words.items():
        same = word.lower() == severity.value
        shown[word.lower()] = f"{word}" if same else f"{word} = {severity.value}"
    return ", ".join(shown.values())
