"""TruffleHog: its JSON Lines (versions 3 and 2). The secrets themselves never leave this room.

Version 2 prints the whole diff of a commit around the secrets and no line.
"""

from collections.abc import Iterator
from functools import partial

from secai_lib.core.finding import Location, NoLocation, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, any_has
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Region
from secai_lib.parsers.secrets import Spot, context, spot, whole
from secai_lib.parsers.tally import Tally

_NAMES = {"DetectorName", "SourceMetadata", "Verified"}
_OLD_NAMES = {"commitHash", "path", "reason", "stringsFound"}


class TrufflehogParser(Parser):
    """Reads one result per line."""

    name = "trufflehog"
    sarif_names = ("trufflehog",)
    secret_scanner = True

    def recognise(self, document: Document) -> float:
        """By one object, or lines or a list of objects, with TruffleHog's names."""
        rows = [row.value for row in _rows(document)]
        return 0.95 if any(any_has(rows, names) for names in (_NAMES, _OLD_NAMES)) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every line."""
        tally = Tally(document.name)
        for row in _rows(document):
            build = _old_result if _is_old(row) else _result
            tally.add(self.name, row, partial(build, document, tally))
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """The raw secrets; `Redacted` still shows a part."""
        for row in _rows(document):
            if isinstance(row.value, dict):
                for key in ("Raw", "RawV2"):
                    yield from spot(row, key, owner=row)
                yield from context(row, "Redacted", owner=row)
                yield from context(row, "ExtraData", owner=row)
                if _is_old(row):
                    yield from _old_secrets(row)


def _rows(document: Document) -> list[Node]:
    root = document.root
    return root.items() if isinstance(root.value, list) else [root]


def _is_old(row: Node) -> bool:
    return isinstance(row.value, dict) and "stringsFound" in row.value


def _old_secrets(row: Node) -> Iterator[Spot]:
    """The found texts; the diff around them, also the one with colours."""
    found = row.value.get("stringsFound") if isinstance(row.value, dict) else None
    for number, text in enumerate(found if isinstance(found, list) else []):
        if isinstance(found, list) and isinstance(text, str) and text:
            yield Spot(row.pointer, found, number, whole, text)
    for key in ("diff", "printDiff"):
        yield from context(row, key, owner=row)


def _old_result(document: Document, tally: Tally, row: Node) -> Result:
    kind, commit = row.need("reason"), row.text("commitHash")
    where = f" in commit {commit[:12]}." if commit else "."
    return _secret(tally, row, kind, document.paths.source(row.need("path")), where)


def _result(document: Document, tally: Tally, row: Node) -> Result:
    verified = row.flag("Verified")
    rest = " and the service accepts it." if verified else "."
    place = _place(document, row)
    return _secret(tally, row, row.need("DetectorName"), place, rest, verified=verified)


def _secret(
    tally: Tally, row: Node, kind: str, place: Location, rest: str, *, verified: bool = False
) -> Result:
    """What both versions say alike; `rest` ends the sentence about the secret of a `kind`."""
    return Result(
        tool="trufflehog",
        rule_id=kind,
        title=f"{'Live' if verified else 'Possible'} secret: {kind}",
        message=f"TruffleHog found a secret of type {kind}{rest}",
        severity=severity.SECRET,
        severity_origin="none",
        cwes=("CWE-798",),
        locations=(place,),
        confidence="verified" if verified else "",
        technologies=("secrets",),
        evidence=tally.evidence(row),
    )


def _place(document: Document, row: Node) -> Location:
    for _, source in row.get("SourceMetadata", "Data").entries():
        if source.text("file"):
            return document.paths.source(source.text("file"), Region.of(source.integer("line")))
    return NoLocation(reason="the secret was not found in a file")
