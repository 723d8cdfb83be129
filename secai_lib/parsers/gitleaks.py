"""Gitleaks: its JSON (version 8, and up to 7) and its SARIF.

The secrets themselves never leave this room. Up to version 7 the names were `rule`, `file`,
`lineNumber` (missing at first), `line` for the whole line and `offender` for the secret.
"""

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
_OLD_NAMES = {"rule", "file", "offender"}


class GitleaksParser(Parser):
    """Reads one result per leak."""

    name = "gitleaks"
    sarif_names = ("gitleaks",)
    secret_scanner = True

    def recognise(self, document: Document) -> float:
        """By a list of objects with Gitleaks' capitalised names, or its former ones."""
        known = any(any_has(document.value, names) for names in (_NAMES, _OLD_NAMES))
        return 0.95 if known and not document.lines else 0.0

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
            bare = "offender" if "offender" in leak.value else "Secret"
            secret = leak.value.get(bare)
            value = secret if isinstance(secret, str) else ""
            for key in ("Match", "Line", "line"):
                mask = without(value)
                shown = leak.value.get(key)
                if not (isinstance(shown, str) and "[redacted]" in shown):
                    yield from spot(leak, key, mask, owner=leak)
            yield from spot(leak, bare, owner=leak)

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
    old = isinstance(leak.value, dict) and "offender" in leak.value
    rule_id = leak.need("rule" if old else "RuleID")
    description = leak.text("Description", default=rule_id)
    region = Region.of(
        leak.integer("lineNumber" if old else "StartLine"),
        leak.integer("EndLine"),
        leak.integer("StartColumn"),
        leak.integer("EndColumn"),
    )
    commit = leak.text("commit" if old else "Commit")
    where = f" in commit {commit[:12]}" if commit else ""
    file, match = leak.need("file" if old else "File"), leak.text("line" if old else "Match")
    return Result(
        tool="gitleaks",
        rule_id=rule_id,
        title=headline(description, rule_id),
        message=f"{rule_id} has detected a secret{where}.",
        severity=severity.SECRET,
        severity_origin="none",
        cwes=("CWE-798",),
        locations=(document.paths.source(file, region, snippet=match),),
        technologies=("secrets",),
        evidence=tally.evidence(leak),
    )
