"""ZAP: its traditional JSON and XML reports.

Format: https://www.zaproxy.org/docs/desktop/addons/report-generation/report-traditional-json/.
The XML has the same fields under other spellings, so it is read into the JSON's shape first.
"""

import re
from functools import partial
from html import unescape
from xml.etree.ElementTree import Element

from secai_lib.core.finding import NoLocation, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Json, Node, clean_text
from secai_lib.parsers.paths import url_location
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwe_names

_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,20})(?:[\s/][^<>]{0,1000})?>")
_BLOCKS = {"p", "div", "br", "li", "ul", "ol", "h1", "h2", "h3", "tr"}


class ZapParser(Parser):
    """Reads one result per alert of a site, with every instance as a place."""

    name = "zap"

    def recognise(self, document: Document) -> float:
        """By the program's name, or a `site` with `alerts`."""
        if document.xml is not None:
            return 1.0 if document.xml.tag == "OWASPZAPReport" else 0.0
        value = document.value
        if not isinstance(value, dict) or "site" not in value:
            return 0.0
        return 1.0 if "ZAP" in str(value.get("@programName", "")) else 0.7

    def parse(self, document: Document) -> ParsedReport:
        """Every alert of every site."""
        tally = Tally(document.name)
        root = document.root if document.xml is None else Node(_from_xml(document.xml))
        version = root.text("@version")
        for site in _sites(root):
            for alert in site.items("alerts"):
                tally.add(self.name, alert, partial(_result, tally, version))
        return tally.report(self.name)


def _sites(root: Node) -> list[Node]:
    """Old versions write a single site as an object."""
    site = root.get("site")
    return [site] if isinstance(site.value, dict) else root.items("site")


def _result(tally: Tally, version: str, alert: Node) -> Result:
    rule_id = alert.scalar("alertRef") or alert.scalar("pluginid")
    name = alert.text("name") or alert.need("alert")
    word, origin = severity.by_word(alert.scalar("riskcode"), severity.ZAP)
    weakness = alert.number("cweid")
    places = tuple(
        url_location(item, item.need("uri"), evidence=item.text("evidence"))
        for item in alert.items("instances")
    )
    links = plain(alert.text("reference")).split()
    return Result(
        tool="zap",
        tool_version=version,
        rule_id=rule_id or name,
        title=name,
        message=plain(alert.text("desc")) or name,
        severity=word,
        severity_origin=origin,
        cwes=cwe_names([int(weakness)] if weakness else []),
        locations=places or (NoLocation(reason="alert without instances"),),
        help=plain(alert.text("solution")),
        references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
        confidence=severity.ZAP_CONFIDENCE.get(alert.scalar("confidence"), ""),
        evidence=tally.evidence(alert),
    )


def plain(fragment: str) -> str:
    """The text of an HTML `fragment`: tags gone, one line per block, entities resolved.

    A pattern and not `html.parser`, which takes quadratic time on `<p<p<p...`. The text is data:
    whoever shows it escapes it.
    """
    text = _TAG.sub(lambda tag: "\n" if tag[1].lower() in _BLOCKS else "", fragment)
    lines = (" ".join(line.split()) for line in clean_text(unescape(text)).splitlines())
    return "\n".join(line for line in lines if line)


def _from_xml(root: Element) -> Json:
    """The report as the JSON report would spell it."""
    sites: list[Json] = []
    for site in root.iter("site"):
        alerts: list[Json] = []
        for item in site.iter("alertitem"):
            fields = _fields(item)
            fields["instances"] = [_fields(instance) for instance in item.iter("instance")]
            alerts.append(fields)
        sites.append({"@name": site.get("name", ""), "alerts": alerts})
    return {"@version": root.get("version", ""), "site": sites}


def _fields(element: Element) -> dict[str, Json]:
    return {child.tag: child.text or "" for child in element if not len(child)}
