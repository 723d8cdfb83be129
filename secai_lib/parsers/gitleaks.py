"""Gitleaks: its JSON (version 8) and its SARIF. The secrets themselves never leave this room."""

from collections.abc import Iterator
from functools import partial

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.secrets import Spot, spot, without
from secai_lib.parsers.tally import Tally

_NAMES = {"RuleID", "File", "StartLine"}


class GitleaksParser(Parser):
    """Reads one result per leak."""

    name = "gitleaks"
    sarif_names = ("gitleaks",)
    secret_scanner = True

    def recognise(self, document: Document) -> float:
        """By a list of objects with Gitleaks' capitalised names."""
        return 0.95 if not document.lines and any_has(document.value, _NAMES) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every leak."""
        tally = Tally(document.name)
        for leak in document.root.items():
            tally.add(self.name, leak, partial(_result, document, tally))
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """The secret, and the match around it."""
        for leak in document.root.items():
            if not isinstance(leak.value, dict):
                continue
            secret = leak.value.get("Secret")
            value = secret if isinstance(secret, str) else ""
            for key in ("Match", "Line"):
                mask = without(value)
                shown = leak.value.get(key)
                if not (isinstance(shown, str) and "[redacted]" in shown):
                    yield from spot(leak, key, mask, owner=leak)
            yield from spot(leak, "Secret", owner=leak)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Severity, weakness and technology, none of which Gitleaks says."""
        return revised(
            draft,
            severity=severity.SECRET,
            severity_origin="none",
            severity_score=None,
            cwes=("CWE-798",),
            technologies=("secrets",),
        )


def _result(document: Document, tally: Tally, leak: Node) -> Result:
    rule_id = leak.need("RuleID")
    description = leak.text("Description", default=rule_id)
    region = Region.of(
        leak.integer("StartLine"),
        leak.integer("EndLine"),
        leak.integer("StartColumn"),
        leak.integer("EndColumn"),
    )
    commit = leak.text("Commit")
    where = f" in commit {commit[:12]}" if commit else ""
    match = leak.text("Match")
    return Result(
        tool="gitleaks",
        rule_id=rule_id,
        title=headline(description, rule_id),
        message=f"{rule_id} has detected a secret{where}.",
        severity=severity.SECRET,
        severity_origin="none",
        cwes=("CWE-798",),
        locations=(document.paths.source(leak.need("File"), region, snippet=match),),
        technologies=("secrets",),
        evidence=tally.evidence(leak),
    )
