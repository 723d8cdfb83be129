"""Nuclei: its JSON Lines (`-jsonl`, formerly `-json`) and its JSON list (`-json-export`).

Format: the `ResultEvent` of https://pkg.go.dev/github.com/projectdiscovery/nuclei/v3/pkg/output.
Version 2 began with names like `templateID` and `matched`; each name has one hyphened heir.
"""

import re
from collections.abc import Iterator
from functools import partial

from secai_lib.core.finding import Location, NoLocation, ParsedReport, Result, UrlLocation
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, any_has
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Broken, Node, NoResult, headline
from secai_lib.parsers.paths import Paths, Region, clean_url
from secai_lib.parsers.scores import score_of_vector, valid_score
from secai_lib.parsers.secrets import (
    REDACTED,
    Spot,
    context,
    rule_is_about_secrets,
    spot,
    whole,
)
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_NAMES = ({"template-id", "info", "type"}, {"templateID", "info", "type"})
_SECRET_TAGS = {"token", "tokens", "token-spray", "keys", "secret", "secrets", "credential"}
_TRAFFIC = ("request", "response", "curl-command", "curl_command")
_OUT_OF_BAND = ("raw-request", "raw-response")
_CREDENTIALS = re.compile(
    r"(?im)(\b(?:proxy-)?authorization|\b(?:set-)?cookie|\bx-(?:api-key|auth-token))"
    r"([ \t]*:[ \t]*)([^\r\n'\"]+)"
)
_METHOD = re.compile(r"^([A-Z]{3,10}) \S")


class NucleiParser(Parser):
    """Reads one result per match."""

    name = "nuclei"
    sarif_names = ("nuclei",)

    def recognise(self, document: Document) -> float:
        """By one object, or a list or lines of objects, with Nuclei's names."""
        rows = [row.value for row in document.rows]
        return 0.95 if any(any_has(rows, names) for names in _NAMES) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every match."""
        tally = Tally(document.name)
        for row in document.rows:
            tally.add(self.name, row, partial(_result, document, tally))
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Credentials in requests and answers; all that templates about secrets extracted."""
        for row in document.rows:
            if not isinstance(row.value, dict):
                continue
            leaks = _is_leak(row)
            for holder, key in _traffic(row):
                if leaks:
                    yield from context(holder, key, owner=row)
                else:
                    yield from spot(holder, key, _without_credentials, owner=row)
            for key in ("extracted-results", "extracted_results"):
                found = row.value.get(key)
                if leaks and isinstance(found, list):
                    for at, value in enumerate(found):
                        bare = value if isinstance(value, str) else ""
                        yield Spot(row.pointer, found, at, whole, bare)


def _traffic(row: Node) -> Iterator[tuple[Node, str]]:
    """Where requests and answers stand, also those that came by another way (interactsh)."""
    yield from ((row, key) for key in _TRAFFIC)
    yield from ((row.get("interaction"), key) for key in _OUT_OF_BAND)


def _is_leak(row: Node) -> bool:
    """Whether the template looks for secrets; a row too broken to tell counts as one."""
    try:
        tags = _words(row.get("info", "tags"))
        cwes = cwes_in(*row.texts("info", "classification", "cwe-id"))
        rule = _either(row, "template-id", "templateID")
    except Broken:
        return True
    return rule_is_about_secrets(rule, cwes, tags) or not _SECRET_TAGS.isdisjoint(tags)


def _without_credentials(text: str) -> str:
    return _CREDENTIALS.sub(lambda found: f"{found[1]}{found[2]}{REDACTED}", text)


def _either(row: Node, *names: str) -> str:
    """The text under the first of `names` that is there."""
    return next((text for text in map(row.text, names) if text), "")


def _words(node: Node) -> tuple[str, ...]:
    """A list, or the words of a text with commas, as the first versions wrote tags."""
    words = (word.strip().lower() for text in node.texts() for word in text.split(","))
    return tuple(word for word in words if word)


def _result(document: Document, tally: Tally, row: Node) -> Result:
    if row.get("matcher-status").value is False:
        raise NoResult("the template did not match")
    template = _either(row, "template-id", "templateID") or row.need("template-id")
    matcher = _either(row, "matcher-name", "matcher_name", "extractor-name", "extractor_name")
    info = row.get("info")
    name = info.text("name", default=template)
    word, origin = severity.by_word(info.text("severity"))
    classification = info.get("classification")
    score = valid_score(classification.number("cvss-score"))
    if score is None:
        score = score_of_vector(classification.text("cvss-metrics"))
    known = (template, *classification.texts("cve-id"))
    links = (line.strip(" -") for text in info.texts("reference") for line in text.splitlines())
    return Result(
        tool="nuclei",
        rule_id=f"{template}:{matcher}" if matcher else template,
        title=headline(f"{name} ({matcher})" if matcher else name, template),
        message=info.text("description").strip() or name,
        severity=word,
        severity_score=score,
        severity_origin=origin,
        cwes=cwes_in(*classification.texts("cwe-id")),
        advisories=advisories_in(*(text.upper() for text in known)),
        locations=(_place(document.paths, row),),
        help=info.text("remediation").strip() or info.text("impact").strip(),
        references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
        technologies=("secrets",) if _is_leak(row) else (),
        evidence=tally.evidence(row),
    )


def _place(paths: Paths, row: Node) -> Location:
    """What was matched: a URL, a file, or a host under Nuclei's own word for the protocol."""
    matched = _either(row, "matched-at", "matched", "url", "host", "ip")
    protocol = row.text("type", default="http")
    if not matched:
        return NoLocation(reason="match without a target")
    if protocol == "file":
        lines = [line.integer() for line in row.items("matched-line")]
        return paths.source(matched, Region.of(lines[0] if lines else None))
    spelled = matched.lstrip("/") if "://" in matched else f"{protocol}://{matched}"
    try:
        url = clean_url(spelled)
    except ValueError as error:
        raise Broken(row.pointer, f"not a URL ({error})") from None
    request = _METHOD.match(row.text("request"))
    found = row.texts("extracted-results") or row.texts("extracted_results")
    plain_http = url.startswith(("http://", "https://"))
    return UrlLocation(
        url=url,
        method=row.text("fuzzing_method") or (request[1] if request and plain_http else "GET"),
        param=row.text("fuzzing_parameter"),
        evidence=", ".join(found),
    )
