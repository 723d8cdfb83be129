"""OWASP Dependency-Check: its JSON and XML reports and its SARIF.

Format: https://dependency-check.github.io/DependencyCheck/general/ and the schemas
`dependency-check.1.x.xsd` to `4.x.xsd`. The XML is read into the JSON's shape first. Affected
versions are left out: they are those of a CPE product, which is not the package.
"""

from functools import cached_property, partial

from secai_lib.core.finding import Location, Package, ParsedReport, Result, Severity
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.dependency_check_parts import package_of, package_of_url, place_of
from secai_lib.parsers.dependency_check_xml import is_analysis, report_of
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, headline
from secai_lib.parsers.paths import Paths
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_SCORES = (("cvssv4", "baseScore"), ("cvssv3", "baseScore"), ("cvssv2", "score"))
_MOST_COPIES = 100
"""Other files of the same package that are kept as places of each of its vulnerabilities."""


class DependencyCheckParser(Parser):
    """Reads one result per dependency and vulnerability; suppressed ones are marked."""

    name = "dependency-check"
    sarif_names = ("dependency-check",)

    def recognise(self, document: Document) -> float:
        """By the XML's namespace, or by `scanInfo` beside `dependencies` that name files."""
        if document.xml is not None:
            return 1.0 if is_analysis(document.xml) else 0.0
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("dependencies"), list):
            return 0.0
        if "scanInfo" in value and ("reportSchema" in value or "projectInfo" in value):
            return 1.0
        return 0.8 if any_has(value["dependencies"], {"fileName", "filePath"}) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every vulnerability of every dependency; what it could not analyse is noted."""
        tally = Tally(document.name)
        root = document.root if document.xml is None else Node(report_of(document.xml))
        version = root.text("scanInfo", "engineVersion")
        for problem in root.items("scanInfo", "analysisExceptions"):
            tally.note(self.name, problem, "dependency-check could not finish a part of its work")
        for dependency in root.items("dependencies"):
            read = _Dependency(document.paths, tally, version, dependency)
            for vulnerability in dependency.items("vulnerabilities"):
                tally.add(self.name, vulnerability, read.result)
            for vulnerability in dependency.items("suppressedVulnerabilities"):
                tally.add(self.name, vulnerability, partial(read.result, suppressed=True))
            for problem in dependency.items("analysisExceptions"):
                tally.note(self.name, problem, "dependency-check could not analyse a dependency")
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Package out of the logical location, place as Dependency-Check means its path."""
        path = next((_raw_path(place) for place in item.result.items("locations")), "")
        word, origin = severity.by_word(item.result.text("properties", "severity"))
        changes: dict[str, object] = {
            "advisories": advisories_in(draft.rule_id),
            "package": package_of_url(draft.resource) or draft.package,
        }
        if origin == "tool" and draft.severity_score is None:
            changes |= {"severity": word, "severity_origin": origin}
        if path:
            changes["locations"] = (place_of(item.document.paths, path),)
        return revised(draft, **changes)


class _Dependency:
    """One scanned file."""

    def __init__(self, paths: Paths, tally: Tally, version: str, node: Node) -> None:
        self._paths, self._tally, self._version, self._node = paths, tally, version, node

    @cached_property
    def _package(self) -> Package:
        return package_of(self._node)

    @cached_property
    def _copies(self) -> list[Location]:
        """Where the same package lies again."""
        files = (self._node.item(at, "relatedDependencies") for at in range(_MOST_COPIES))
        raw = [file.text("filePath") for file in files if file is not None]
        related = self._node.get("relatedDependencies")
        if isinstance(related.value, list) and len(related.value) > _MOST_COPIES:
            reason = f"only {_MOST_COPIES} of {len(related.value)} copies are kept as places"
            self._tally.note("dependency-check", related, reason)
        return [place_of(self._paths, path) for path in raw if path]

    def result(self, vulnerability: Node, *, suppressed: bool = False) -> Result:
        name = vulnerability.need("name")
        package = self._package
        word, origin, score = _severity(vulnerability)
        links = (ref.text("url") for ref in vulnerability.items("references"))
        place = place_of(self._paths, self._node.need("filePath"))
        return Result(
            tool="dependency-check",
            tool_version=self._version,
            rule_id=name,
            title=headline(f"{name} in {package.name}", name),
            message=vulnerability.text("description", default=name),
            severity=word,
            severity_score=score,
            severity_origin=origin,
            cwes=cwes_in(vulnerability.text("cwe"), *vulnerability.texts("cwes")),
            advisories=advisories_in(name),
            locations=tuple(dict.fromkeys((place, *self._copies))),
            package=package,
            help=vulnerability.text("notes"),
            references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
            suppressed=suppressed,
            evidence=self._tally.evidence(vulnerability),
        )


def _severity(vulnerability: Node) -> tuple[Severity, str, float | None]:
    """The newest CVSS score, and the word beside it; old reports have one score of version 2."""
    scores = [vulnerability.number(*keys) for keys in _SCORES]
    scores.append(vulnerability.number("cvssScore"))
    score = next((s for s in map(valid_score, scores) if s is not None), None)
    word, origin = severity.by_word(vulnerability.text("severity"))
    if origin == "none" and score is not None:
        word, origin = severity.by_score(score, "cvss")
    return word, origin, score


def _raw_path(place: Node) -> str:
    return place.text("physicalLocation", "artifactLocation", "uri")
