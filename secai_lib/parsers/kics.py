"""KICS: its JSON results (versions 1 and 2) and its SARIF.

Format: https://docs.kics.io/latest/results/. KICS itself masks the secrets that it finds, but only
if it was not told otherwise, so the values of its secret queries are masked here again.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from secai_lib.core.finding import Location, ParsedReport, Result, SourceLocation
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, clipped, headline
from secai_lib.parsers.paths import Paths, Region, Unplaceable
from secai_lib.parsers.secrets import Spot, context, mask_literals, sarif_spots, spot
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwe_names

_QUERY = {"query_name", "query_id", "files"}
_COUNTS = {"files_scanned", "queries_total"}
_CLIMB = re.compile(r"^(?:\.\./)+")
_MOUNTS = ("/path",)
"""Where KICS's documentation mounts the checkout into its image."""
_SECRET_CATEGORY = "Secret Management"  # noqa: S105 - a category, not a secret
_PLATFORMS = {
    "ansible": "ansible", "azureresourcemanager": "azure-arm", "bicep": "bicep",
    "buildah": "docker",
    "cicd": "ci", "cloudformation": "cloudformation", "crossplane": "kubernetes",
    "dockercompose": "docker-compose", "dockerfile": "dockerfile",
    "googledeploymentmanager": "gcp", "grpc": "grpc", "knative": "kubernetes",
    "kubernetes": "kubernetes", "openapi": "openapi", "pulumi": "terraform",
    "serverlessfw": "serverless", "terraform": "terraform",
}  # fmt: skip
"""KICS's `platform`, lower case -> the technology it is about; `Common` is about none."""


class KicsParser(Parser):
    """Reads one result per query and place."""

    name = "kics"
    sarif_names = ("kics",)

    def recognise(self, document: Document) -> float:
        """By its version beside `queries`, or by a query with `files`."""
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("queries"), list):
            return 0.0
        if "kics_version" in value or any_has(value["queries"], _QUERY):
            return 1.0
        return 0.9 if value.keys() >= _COUNTS else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every file of every query; the bill of materials is counted and left out."""
        tally = Tally(document.name)
        root = document.root
        for query in root.items("queries"):
            build = partial(_result, document, tally, query)
            for place in query.items("files"):
                tally.add(self.name, place, build)
        for query in root.items("bill_of_materials"):
            files = query.get("files")
            reason = "a bill of materials lists resources, not problems"
            tally.leave_out(self.name, files, reason, results=len(files.items()))
        for count in ("files_failed_to_scan", "queries_failed_to_execute"):
            if root.integer(count):
                tally.note(self.name, root.get(count), f"kics reports {count.replace('_', ' ')}")
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """What the queries about secrets quote of the file."""
        for query in document.root.items("queries"):
            if not isinstance(query.value, dict) or not _about_secrets(query.value.get("category")):
                continue
            for place in query.items("files"):
                for key in ("value", "search_value"):
                    yield from context(place, key, owner=place)
                for key in ("actual_value", "expected_value", "search_key"):
                    yield from spot(place, key, mask_literals, owner=place)

    def sarif_secrets(self, item: SarifItem) -> Iterator[Spot]:
        """Also the rules that only their category marks as about secrets."""
        if _about_secrets(_category(item)):
            yield from sarif_spots(item.result, values=False)
        else:
            yield from super().sarif_secrets(item)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The technology, which KICS puts beside the message, and places seen from its image."""
        platform = item.result.text("message", "properties", "platform")
        technologies = _technologies(platform, _category(item))
        changes: dict[str, object] = {"technologies": technologies}
        if not isinstance(draft.location, SourceLocation):
            places = (place.get("physicalLocation") for place in item.result.items("locations"))
            changes["locations"] = tuple(
                _place(
                    item.document.paths,
                    place.text("artifactLocation", "uri"),
                    place.integer("region", "startLine"),
                )
                for place in places
            ) or draft.locations  # fmt: skip
        return revised(draft, **changes)


def _about_secrets(category: object) -> bool:
    return category == _SECRET_CATEGORY


def _category(item: SarifItem) -> str:
    """The category's name: the rule points at it by position in the taxonomy `Categories`."""
    targets = (relation.get("target") for relation in item.rule.items("relationships"))
    return next(
        (n for n in (item.pointed.taxon(target).text("name") for target in targets) if n), ""
    )


def _technologies(platform: str, category: str) -> tuple[str, ...]:
    known = [_PLATFORMS.get(platform.lower(), "")]
    known.append("secrets" if _about_secrets(category) else "")
    return tuple(sorted(filter(None, known)))


def _place(paths: Paths, raw: str, line: int | None, scanned: tuple[str, ...] = ()) -> Location:
    """The place `raw`; KICS in its image names files from its working folder: `../../path/x.tf`.

    Folders that were `scanned` are only taken for the checkout when no known one fits: a scan of
    one folder of it would lose that folder's name.
    """
    plain = _CLIMB.sub("/", raw.replace("\\", "/"))
    try:
        paths.relative(plain)
    except Unplaceable:
        roots = [root for root in scanned if root.startswith("/")]
        paths = replace(paths, roots=(*paths.roots, *roots, *_MOUNTS))
    return paths.source(plain, Region.of(line))


def _result(document: Document, tally: Tally, query: Node, place: Node) -> Result:
    rule_id = query.need("query_id")
    title = query.text("query_name", default=rule_id)
    word, origin = severity.by_word(query.text("severity"), severity.KICS)
    weakness = query.number("cwe")
    actual, expected = place.text("actual_value"), place.text("expected_value")
    kind, name = place.text("resource_type"), place.text("resource_name")
    link = query.text("query_url")
    root = document.root
    scanned = root.texts("paths")
    resource = ".".join(part for part in (kind, name) if part and part != "n/a")
    return Result(
        tool="kics",
        tool_version=root.text("kics_version"),
        rule_id=rule_id,
        title=headline(title, rule_id),
        message=actual or query.text("description", default=title),
        severity=word,
        severity_origin=origin,
        cwes=cwe_names([int(weakness)] if weakness else []),
        locations=(
            _place(document.paths, place.need("file_name"), place.integer("line"), scanned),
        ),
        help="\n".join(part for part in (clipped(query.text("description")), expected) if part),
        references=(link,) if link.startswith("http") else (),
        resource=resource or place.text("search_key"),
        technologies=_technologies(query.text("platform"), query.text("category")),
        evidence=tally.evidence(place),
    )
