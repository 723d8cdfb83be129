"""Hadolint: its JSON and its SARIF.

Format: https://github.com/hadolint/hadolint, `Hadolint.Formatter.Json`; rules named SC... are
ShellCheck's.
"""

import re
from collections.abc import Mapping
from functools import partial

from secai_lib.core.finding import Location, NoLocation, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, NoResult, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.tally import Tally

_NAMES = {"code", "file", "level", "line", "message"}
_CODE = re.compile(r"^(?:DL|SC)\d{4}$")
_UNREADABLE = "DL1000"


class HadolintParser(Parser):
    """Reads one result per broken rule; a Dockerfile it could not read is counted as such."""

    name = "hadolint"
    sarif_names = ("hadolint",)

    def recognise(self, document: Document) -> float:
        """By a list of objects with Hadolint's names and codes; ShellCheck's codes are numbers."""
        value = document.value
        if document.lines or not isinstance(value, list):
            return 0.0
        known = any(isinstance(row, dict) and row.keys() >= _NAMES and _coded(row) for row in value)
        return 0.95 if known else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every entry."""
        tally = Tally(document.name)
        for entry in document.root.items():
            tally.add(self.name, entry, partial(_result, document, tally))
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Technology and link, which Hadolint's SARIF leaves out."""
        _refuse_unreadable(draft.rule_id)
        links = draft.references or _links(draft.rule_id)
        return revised(draft, technologies=("dockerfile",), references=links)


def _coded(row: Mapping[str, object]) -> bool:
    code = row["code"]
    return isinstance(code, str) and bool(_CODE.match(code))


def _refuse_unreadable(code: str) -> None:
    if code == _UNREADABLE:
        raise NoResult("hadolint could not read the Dockerfile")


def _links(code: str) -> tuple[str, ...]:
    if code.startswith("SC"):
        return (f"https://www.shellcheck.net/wiki/{code}",)
    return (f"https://github.com/hadolint/hadolint/wiki/{code}",)


def _result(document: Document, tally: Tally, entry: Node) -> Result:
    code, message = entry.need("code"), entry.need("message")
    _refuse_unreadable(code)
    word, origin = severity.by_word(entry.text("level"), severity.HADOLINT)
    return Result(
        tool="hadolint",
        rule_id=code,
        title=headline(message, code),
        message=message,
        severity=word,
        severity_origin=origin,
        locations=(_place(document, entry),),
        references=_links(code),
        technologies=("dockerfile",),
        evidence=tally.evidence(entry),
    )


def _place(document: Document, entry: Node) -> Location:
    file, line, column = entry.need("file"), entry.integer("line"), entry.integer("column")
    if file in {"-", "/dev/stdin"}:
        return NoLocation(reason="hadolint read the Dockerfile from its input")
    return document.paths.source(file, Region.of(line, line, column))
