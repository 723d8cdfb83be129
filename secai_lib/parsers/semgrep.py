"""Semgrep: its JSON and its SARIF."""

from collections.abc import Iterator
from functools import partial

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Region
from secai_lib.parsers.secrets import Spot, context, mask_literals, rule_is_about_secrets, spot
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwes_in

_WITHHELD = "requires login"
"""What Semgrep writes instead of a snippet or fingerprint for users without an account."""
_CONFIDENCES = {f"{word.upper()} CONFIDENCE": word for word in ("high", "medium", "low")}


class SemgrepParser(Parser):
    """Reads Semgrep's results."""

    name = "semgrep"
    sarif_names = ("semgrep", "semgrep oss", "semgrep pro", "opengrep oss", "opengrep")

    def recognise(self, document: Document) -> float:
        """By `results` beside `errors` and `paths`, or by a result with `check_id` and `extra`."""
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("results"), list):
            return 0.0
        if any_has(value["results"], {"check_id", "path", "extra"}):
            return 1.0
        if isinstance(value.get("paths"), dict) and "errors" in value:
            return 0.8
        # All that versions before `paths` wrote when they found nothing.
        return 0.6 if value.keys() == {"results", "errors"} and not value["results"] else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every result; what Semgrep could not scan is noted."""
        tally = Tally(document.name)
        root = document.root
        build = partial(_result, document, tally, root.text("version"))
        for result in root.items("results"):
            tally.add(self.name, result, build)
        for error in root.items("errors"):
            kind = error.get("type").value if isinstance(error.value, dict) else None
            words = kind if isinstance(kind, str) else "unknown error"
            tally.note(self.name, error, f"semgrep reported a problem of its own: {words}")
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Lines, metavariables and literals in messages of results about secrets."""
        for result in document.root.items("results"):
            if isinstance(result.value, dict) and isinstance(result.value.get("extra"), dict):
                yield from _spots(result)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """A telling title for `Semgrep Finding: <id>`, and the confidence, which is a tag."""
        confidence = [_CONFIDENCES[tag] for tag in item.tags if tag in _CONFIDENCES]
        return revised(
            draft,
            title=_title(draft.rule_id, draft.message),
            confidence=confidence[0] if confidence else "",
        )


def _spots(result: Node) -> Iterator[Spot]:
    extra = result.get("extra")
    metadata = extra.value.get("metadata") if isinstance(extra.value, dict) else None
    cwe = metadata.get("cwe") if isinstance(metadata, dict) else None
    technology = metadata.get("technology") if isinstance(metadata, dict) else None
    rule_id = result.value.get("check_id") if isinstance(result.value, dict) else ""
    if not rule_is_about_secrets(str(rule_id), cwes_in(str(cwe)), _words(technology)):
        return
    for key in ("lines", "fix", "fixed_lines", "dataflow_trace"):
        if isinstance(extra.value, dict) and extra.value.get(key) != _WITHHELD:
            yield from context(extra, key, owner=result)
    variables = extra.value.get("metavars") if isinstance(extra.value, dict) else None
    for name in variables if isinstance(variables, dict) else {}:
        variable = extra.get("metavars", name)
        yield from spot(variable, "abstract_content", owner=result)
        yield from context(variable, "propagated_value", owner=result)
    yield from spot(extra, "message", mask_literals, owner=result)


def _words(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str))


def _result(document: Document, tally: Tally, version: str, node: Node) -> Result:
    rule_id = node.need("check_id")
    extra = node.get("extra")
    metadata = extra.get("metadata")
    message = extra.text("message", default=rule_id)
    word, origin = severity.by_word(extra.text("severity"), severity.SEMGREP)
    lines = extra.text("lines")
    region = Region.of(
        node.integer("start", "line"),
        node.integer("end", "line"),
        node.integer("start", "col"),
        node.integer("end", "col"),
    )
    return Result(
        tool="semgrep",
        tool_version=version,
        rule_id=rule_id,
        title=_title(rule_id, message),
        message=message.strip(),
        severity=word,
        severity_origin=origin,
        cwes=cwes_in(*metadata.texts("cwe")),
        locations=(
            document.paths.source(
                node.need("path"), region, snippet="" if lines == _WITHHELD else lines
            ),
        ),
        references=tuple(dict.fromkeys(metadata.texts("references"))),
        confidence=metadata.text("confidence").lower(),
        suppressed=extra.flag("is_ignored"),
        technologies=tuple(sorted({word.lower() for word in metadata.texts("technology")})),
        evidence=tally.evidence(node),
    )


def _title(rule_id: str, message: str) -> str:
    """The message's first sentence, or the rule's last name when that is long."""
    sentence = message.strip().split("\n")[0].split(". ")[0].rstrip(".")
    return sentence if 0 < len(sentence) <= 120 else rule_id.rpartition(".")[2] or rule_id
