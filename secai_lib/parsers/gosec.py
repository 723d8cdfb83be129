"""gosec: its JSON and its SARIF.

Format: https://github.com/securego/gosec, `issue.Issue` and `report/core.ReportInfo`. Version 1
shows bare code; version 2 numbers the lines of its code, adds the column and, later, the CWE.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from secai_lib.core.finding import Location, ParsedReport, Result, SourceLocation
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.labels import labels
from secai_lib.parsers.node import Broken, Node, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.sarif_places import region_of
from secai_lib.parsers.secrets import Spot, context, sarif_spots
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwe_names

_NAMES = {"rule_id", "details", "file", "severity"}
_SECRET_RULES = {"G101"}
"""`Potential hardcoded credentials`; the code it shows holds them."""
_LINES = re.compile(r"^(\d{1,9})(?:-(\d{1,9}))?$")
_NUMBERED = re.compile(r"^(\d{1,9}): (.*)$")
_LONGEST = 4_000
"""Characters of code searched for a literal; real code is a few lines."""
_LITERAL = re.compile(r'"((?:[^"\\\n]|\\.){1,300})"|`([^`]{1,300})`')


class GosecParser(Parser):
    """Reads one result per issue; packages that gosec could not read are noted."""

    name = "gosec"
    sarif_names = ("gosec",)

    def recognise(self, document: Document) -> float:
        """By `Issues` with gosec's names, or beside its statistics."""
        value = document.value
        if not isinstance(value, dict) or "Issues" not in value:
            return 0.0
        if any_has(value["Issues"], _NAMES):
            return 1.0
        return 0.9 if isinstance(value.get("Stats"), dict) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every issue; `null` stands for none."""
        tally = Tally(document.name)
        version = document.root.text("GosecVersion")
        for issue in document.root.items("Issues"):
            tally.add(self.name, issue, partial(_result, document, tally, version))
        unread = document.root.get("Golang errors")
        if unread:
            # One note for all: their names are paths of the machine that scanned.
            reason = f"gosec could not read {len(unread.members())} files or packages"
            tally.note(self.name, unread, reason)
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """The code of issues about credentials, with the longest literal of their own lines."""
        for issue in document.root.items("Issues"):
            if isinstance(issue.value, dict) and str(issue.value.get("rule_id")) in _SECRET_RULES:
                for key in ("code", "autofix"):
                    for found in context(issue, key, owner=issue):
                        yield replace(found, value=_literal(issue) if key == "code" else "")

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The word that gosec keeps in the help of the rule, and the bare own lines."""
        word, origin = severity.by_word(labels(item.rule.text("help", "text")).get("Severity", ""))
        changes: dict[str, object] = {
            "technologies": _technologies(draft.rule_id),
            "locations": tuple(_trimmed(place) for place in draft.locations),
        }
        if origin == "tool":
            changes |= {"severity": word, "severity_origin": origin}
        return revised(draft, **changes)

    def sarif_secrets(self, item: SarifItem) -> Iterator[Spot]:
        """Snippets of the rule about credentials, and the longest literal of their own lines."""
        if item.rule_id not in _SECRET_RULES:
            yield from super().sarif_secrets(item)
            return
        regions = [p.get("physicalLocation", "region") for p in item.result.items("locations")]
        shown = [_snippet(r.text("snippet", "text"), region_of(r)) for r in regions]
        for found in sarif_spots(item.result, values=False):
            yield replace(found, value=_longest_literal("\n".join(shown)))


def _literal(issue: Node) -> str:
    try:
        return _longest_literal(_snippet(issue.text("code"), _region(issue)))
    except Broken:
        return ""


def _longest_literal(own: str) -> str:
    """The longest text in quotes of `own` lines; empty when there is none."""
    return max((a or b for a, b in _LITERAL.findall(own[:_LONGEST])), key=len, default="")


def _technologies(rule_id: str) -> tuple[str, ...]:
    return ("go", "secrets") if rule_id in _SECRET_RULES else ("go",)


def _result(document: Document, tally: Tally, version: str, issue: Node) -> Result:
    rule_id = issue.need("rule_id")
    message = issue.text("details", default=rule_id)
    word, origin = severity.by_word(issue.text("severity"))
    region = _region(issue)
    snippet = _snippet(issue.text("code"), region)
    weakness = issue.get("cwe")
    digits = weakness.scalar("id") or weakness.scalar("ID")
    return Result(
        tool="gosec",
        tool_version=version,
        rule_id=rule_id,
        title=headline(message, rule_id),
        message=message,
        severity=word,
        severity_origin=origin,
        cwes=cwe_names([int(digits)] if re.fullmatch(r"\d{1,5}", digits) else []),
        locations=(document.paths.source(issue.need("file"), region, snippet=snippet),),
        help=issue.text("autofix"),
        references=tuple(filter(None, (weakness.text("url") or weakness.text("URL"),))),
        confidence=issue.text("confidence").lower(),
        suppressed=issue.flag("nosec") or bool(issue.items("suppressions")),
        technologies=_technologies(rule_id),
        evidence=tally.evidence(issue),
    )


def _region(issue: Node) -> Region:
    """Lines are text: `79`, or `36-39`."""
    found = _LINES.match(issue.scalar("line"))
    column = issue.scalar("column")
    start = int(column) if re.fullmatch(r"\d{1,9}", column) else None
    return Region.of(int(found[1]), int(found[2] or found[1]), start) if found else Region()


def _trimmed(place: Location) -> Location:
    if not isinstance(place, SourceLocation):
        return place
    own = _snippet(place.snippet, Region(place.start_line, place.end_line))
    return place.model_copy(update={"snippet": own})


def _snippet(code: str, region: Region) -> str:
    """The issue's own lines; gosec 2 numbers them and shows one more on each side."""
    rows = [_NUMBERED.match(line) for line in code.splitlines()]
    if region.start_line is None or region.end_line is None or not rows or None in rows:
        return code
    numbered = [(int(row[1]), row[2]) for row in rows if row]
    own = [text for line, text in numbered if region.start_line <= line <= region.end_line]
    return "\n".join(own)
