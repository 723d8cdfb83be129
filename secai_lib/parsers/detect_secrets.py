"""detect-secrets: its baseline JSON. The hashes of the secrets never leave this room."""

from collections.abc import Iterator
from functools import partial

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Region
from secai_lib.parsers.secrets import Spot, spot
from secai_lib.parsers.tally import Tally


class DetectSecretsParser(Parser):
    """Reads one result per entry of the baseline."""

    name = "detect-secrets"

    def recognise(self, document: Document) -> float:
        """By `plugins_used` beside `results` that is an object."""
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("results"), dict):
            return 0.0
        return 1.0 if "plugins_used" in value else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every entry of every file."""
        tally = Tally(document.name)
        version = document.root.text("version")
        for file, entries in document.root.get("results").entries():
            build = partial(_result, document, tally, file, version)
            for entry in entries.items():
                tally.add(self.name, entry, build)
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """The hash: short secrets can be guessed from it."""
        for _, entries in document.root.get("results").entries():
            for entry in entries.items():
                yield from spot(entry, "hashed_secret", owner=entry)


def _result(document: Document, tally: Tally, file: str, version: str, entry: Node) -> Result:
    kind = entry.need("type")
    region = Region.of(entry.integer("line_number"))
    verified = entry.flag("is_verified")
    return Result(
        tool="detect-secrets",
        tool_version=version,
        rule_id=kind,
        title=f"Possible secret: {kind}",
        message=f"detect-secrets takes this line for a secret of type {kind}.",
        severity=severity.SECRET,
        severity_origin="none",
        cwes=("CWE-798",),
        locations=(document.paths.source(entry.text("filename", default=file), region),),
        confidence="verified" if verified else "",
        suppressed=entry.get("is_secret").value is False,
        technologies=("secrets",),
        evidence=tally.evidence(entry),
    )
