"""zizmor: its JSON (`--format=json-v1`, which plain `json` means today) and its SARIF."""

from functools import partial

from secai_lib.core.finding import Location, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Paths, Region
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwes_in

_NAMES = {"ident", "determinations", "locations"}
_ORDER = {"Primary": 0, "Related": 1, "Hidden": 2}
"""The main place first; hidden ones are those zizmor does not print."""


class ZizmorParser(Parser):
    """Reads one result per finding, with every place zizmor gives."""

    name = "zizmor"
    sarif_names = ("zizmor",)

    def recognise(self, document: Document) -> float:
        """By a list of objects with zizmor's names."""
        return 0.95 if not document.lines and any_has(document.value, _NAMES) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every finding."""
        tally = Tally(document.name)
        for finding in document.root.items():
            tally.add(self.name, finding, partial(_result, document, tally))
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The rule's bare name, zizmor's own words for severity and confidence, the YAML route."""
        properties = item.result.get("properties")
        word, origin = severity.by_word(properties.text("zizmor/severity"))
        changes: dict[str, object] = {
            "rule_id": draft.rule_id.removeprefix("zizmor/"),
            "title": item.rule.text("help", "text", default=draft.title),
            "confidence": properties.text("zizmor/confidence").lower(),
            "technologies": ("github-actions",),
            "resource": _sarif_resource(item.result) or draft.resource,
        }
        if origin == "tool":
            changes |= {"severity": word, "severity_origin": origin}
        return revised(draft, **changes)


def _result(document: Document, tally: Tally, node: Node) -> Result:
    ident = node.need("ident")
    title = node.text("desc", default=ident)
    word, origin = severity.by_word(node.text("determinations", "severity"))
    places = sorted(node.items("locations"), key=_rank)
    if not places:
        raise node.get("locations").broken("a list with at least one place")
    main = places[0].get("symbolic")
    annotation = main.text("annotation")
    url = node.text("url")
    return Result(
        tool="zizmor",
        rule_id=ident,
        title=title,
        message=f"{title}: {annotation}" if annotation else title,
        severity=word,
        severity_origin=origin,
        cwes=cwes_in(title),
        locations=tuple(dict.fromkeys(_place(place, document.paths) for place in places)),
        references=(url,) if url.startswith("http") else (),
        confidence=node.text("determinations", "confidence").lower(),
        suppressed=node.flag("ignored"),
        resource=_resource(main),
        technologies=("github-actions",),
        evidence=tally.evidence(node),
    )


def _rank(place: Node) -> int:
    """The main place first; the first versions mark it with `primary` instead of a kind."""
    symbolic = place.get("symbolic")
    kind = "Primary" if symbolic.flag("primary") else symbolic.text("kind")
    return _ORDER.get(kind, len(_ORDER))


def _place(place: Node, paths: Paths) -> Location:
    """Rows and columns count from 0 here."""
    span = place.get("concrete", "location")
    region = Region.of(
        _from_one(span.integer("start_point", "row")),
        _from_one(span.integer("end_point", "row")),
        _from_one(span.integer("start_point", "column")),
        _from_one(span.integer("end_point", "column")),
    )
    return paths.source(
        _path_of(place.get("symbolic", "key")), region, snippet=place.text("concrete", "feature")
    )


def _from_one(number: int | None) -> int | None:
    return None if number is None else number + 1


def _path_of(key: Node) -> str:
    """A local file, or one of a remote repository; the names changed between versions."""
    local, remote = key.get("Local"), key.get("Remote")
    given = (local.text(name) for name in ("verbatim_path", "given_path", "path"))
    return next(filter(None, given), "") or remote.need("path")


def _resource(symbolic: Node) -> str:
    """The job (or other named block): the route's names up to the first position in a list.

    Older versions call the inner `route` `components`.
    """
    names = []
    steps = symbolic.items("route", "route") or symbolic.items("route", "components")
    for step in steps:
        if not step.text("Key"):
            break
        names.append(step.text("Key"))
    if names and names[-1] == "steps":
        names.pop()
    return ".".join(names)


def _sarif_resource(result: Node) -> str:
    for place in result.items("locations"):
        for logical in place.items("logicalLocations"):
            return _resource(logical.get("properties", "symbolic"))
    return ""
