"""The `rules` of the SARIF log: one for each scanner rule that an open problem rests on."""

import re
from collections.abc import Mapping

from secai_lib.core.finding import Result, Severity, severity_of_score
from secai_lib.core.problem import Problem
from secai_lib.core.text import one_line, visible
from secai_lib.report.model import RepositoryReport

_DEFAULT_SCORE: Mapping[Severity, float] = {
    Severity.CRITICAL: 9.5,
    Severity.HIGH: 8.0,
    Severity.MEDIUM: 5.5,
    Severity.LOW: 2.0,
}
"""Middle of each CVSS band, so that GitHub shows the word the scanner chose."""
_LEVEL: Mapping[Severity, str] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
    Severity.UNKNOWN: "warning",
}
_HELP_LIMIT = 4000
"""Characters of a rule's help; GitHub shows one page, no book."""
_LINK = re.compile(r"https://[\w.-]+(/[\w./?%&=~+#:-]*)?", re.ASCII)
_MAX_TAGS = 20
"""GitHub refuses a log with more tags on a rule."""


def message(text: str) -> dict[str, str]:
    """A SARIF message with `text` as Markdown too, unless it holds HTML tags.

    In plain text `[a](b)` is a link to SARIF and `{0}` a placeholder: both are broken up, since
    the text comes from reports that anybody may have written.
    """
    markdown = {} if re.search(r"<[A-Za-z/!?]", text) else {"markdown": text}
    return {"text": plain(text), **markdown}


def plain(text: str) -> str:
    """`text` without what SARIF would read as an embedded link or a placeholder."""
    return re.sub(r"\{(?=\d+\})", "{ ", text.replace("](", "] ("))


def level_of(severity: Severity) -> str:
    """The SARIF level for a severity."""
    return _LEVEL[severity]


def main_result(report: RepositoryReport, problem: Problem) -> Result | None:
    """The result that says most about `problem`: the worst severity, then the longest help."""
    own = [report.results[f] for f in problem.fingerprints if f in report.results]
    return min(
        own,
        key=lambda r: (r.severity.rank, -len(r.help), r.tool, r.rule_id, r.message),
        default=None,
    )


def rule_id(report: RepositoryReport, problem: Problem) -> str:
    """`tool/rule` of the problem's main finding."""
    result = main_result(report, problem)
    if result is not None:
        return one_line(f"{result.tool}/{result.rule_id}", 255)
    return one_line(problem.rules[0].replace(":", "/", 1) if problem.rules else "unknown", 255)


def rules(report: RepositoryReport) -> list[dict[str, object]]:
    """One SARIF rule for each rule id the open problems use, sorted by id."""
    by_rule: dict[str, list[Problem]] = {}
    for problem in report.problems:
        by_rule.setdefault(rule_id(report, problem), []).append(problem)
    return [_rule(identifier, by_rule[identifier], report) for identifier in sorted(by_rule)]


def _rule(identifier: str, problems: list[Problem], report: RepositoryReport) -> dict[str, object]:
    worst = problems[0]
    result = main_result(report, worst)
    title = one_line(result.title if result is not None else "", 255)
    title = title or one_line(worst.title, 255) or identifier
    details = one_line(result.message if result is not None else "", 1000) or title
    explanation = visible((result.help if result else "") or title, keep="\n\t")[:_HELP_LIMIT]
    properties: dict[str, object] = {"tags": _tags(problems)}
    scores = [score for score in map(_score, problems) if score is not None]
    if scores:
        properties["security-severity"] = f"{max(scores):.1f}"
    if result is not None and result.confidence in {"low", "medium", "high"}:
        properties["precision"] = result.confidence
    rule: dict[str, object] = {
        "id": identifier,
        "name": one_line(identifier, 255),
        "shortDescription": {"text": plain(title)},
        "fullDescription": {"text": plain(details)},
        "defaultConfiguration": {"level": level_of(worst.severity)},
        "help": message(explanation),
        "properties": properties,
    }
    link = next((r for r in result.references if is_link(r)), "") if result else ""
    return {**rule, "helpUri": link} if link else rule


def _score(problem: Problem) -> float | None:
    score = problem.severity_score
    if score is not None and severity_of_score(score) is problem.severity:
        return score
    return _DEFAULT_SCORE.get(problem.severity)


def _tags(problems: list[Problem]) -> list[str]:
    cwes = sorted({cwe for problem in problems for cwe in problem.cwes})
    found = (re.fullmatch(r"CWE-(\d{1,6})", cwe) for cwe in cwes)
    weaknesses = [f"external/cwe/cwe-{int(match[1]):03d}" for match in found if match]
    categories = sorted({problem.category.value for problem in problems})
    return ["security", *categories, *weaknesses][:_MAX_TAGS]


def is_link(text: str) -> bool:
    """True for a plain `https` address without user names or strange characters."""
    return len(text) <= 2000 and _LINK.fullmatch(text) is not None
