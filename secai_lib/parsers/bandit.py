"""Bandit: its JSON report."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, any_has
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Region
from secai_lib.parsers.secrets import REDACTED, Spot, context, spot
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwe_names

_SECRET_TESTS = {"B105", "B106", "B107"}
_PASSWORD = re.compile(r"^(Possible hardcoded password: )(['\"])(.*)\2", re.DOTALL)
_NUMBERED = re.compile(r"^(\d+) ?(.*)$")


class BanditParser(Parser):
    """Reads one result per issue."""

    name = "bandit"
    sarif_names = ("bandit",)

    def recognise(self, document: Document) -> float:
        """By `metrics` with totals, or an issue with Bandit's names."""
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("results"), list):
            return 0.0
        if any_has(value["results"], {"test_id", "issue_text", "filename"}):
            return 1.0
        metrics = value.get("metrics")
        return 0.9 if isinstance(metrics, dict) and "_totals" in metrics else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every issue; files Bandit could not read are noted."""
        tally = Tally(document.name)
        for issue in document.root.items("results"):
            tally.add(self.name, issue, partial(_result, document, tally))
        for error in document.root.items("errors"):
            tally.note(self.name, error, "bandit could not read a file")
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """The password in the text of tests B105 to B107, and the code around it."""
        for issue in document.root.items("results"):
            if isinstance(issue.value, dict) and str(issue.value.get("test_id")) in _SECRET_TESTS:
                for found in spot(issue, "issue_text", _mask_text, owner=issue):
                    yield replace(found, value=_password(issue.value.get("issue_text")))
                yield from context(issue, "code", owner=issue)


def _password(text: object) -> str:
    found = _PASSWORD.match(text) if isinstance(text, str) else None
    return found[3] if found else ""


def _mask_text(text: str) -> str:
    """Bandit's sentence without the password."""
    masked, count = _PASSWORD.subn(rf"\g<1>\g<2>{REDACTED}\g<2>", text)
    return masked if count else REDACTED


def _result(document: Document, tally: Tally, issue: Node) -> Result:
    test_id = issue.need("test_id")
    name = issue.text("test_name", default=test_id)
    message = issue.text("issue_text", default=name)
    word, origin = severity.by_word(issue.text("issue_severity"))
    weakness = issue.integer("issue_cwe", "id")
    lines = [line.integer() or 0 for line in issue.items("line_range")]
    line = issue.integer("line_number")
    column, end_column = issue.integer("col_offset"), issue.integer("end_col_offset")
    if column is None and line is not None:
        # Version 1.6 names the last line of a call, the ones with columns its first.
        line = min([line, *filter(None, lines)])
    region = Region.of(
        line,
        max(lines, default=line or 0),
        None if column is None else column + 1,
        None if end_column is None else end_column + 1,
    )
    link = issue.text("more_info")
    snippet = _snippet(issue.text("code"), region)
    return Result(
        tool="bandit",
        rule_id=test_id,
        title=message.strip().splitlines()[0].split(". ")[0][:120] if message.strip() else name,
        message=message,
        severity=word,
        severity_origin=origin,
        cwes=cwe_names([weakness] if weakness else []),
        locations=(document.paths.source(issue.need("filename"), region, snippet=snippet),),
        references=(link,) if link.startswith("http") else (),
        confidence=issue.text("issue_confidence").lower(),
        technologies=("secrets",) if test_id in _SECRET_TESTS else ("python",),
        evidence=tally.evidence(issue),
    )


def _snippet(code: str, region: Region) -> str:
    """The issue's own lines; Bandit shows numbered lines with one more on each side."""
    rows = [found for found in map(_NUMBERED.match, code.splitlines()) if found]
    if region.start_line is None or region.end_line is None:
        return ""
    own = [r[2] for r in rows if _within(r[1], region.start_line, region.end_line)]
    return "\n".join(own)


def _within(digits: str, first: int, last: int) -> bool:
    return len(digits) <= 10 and first <= int(digits) <= last
