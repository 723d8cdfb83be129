"""OWASP Dependency-Check: its JSON and XML reports and its SARIF.

Format: https://dependency-check.github.io/DependencyCheck/general/ and the schemas
`dependency-check.1.x.xsd` to `4.x.xsd`. The XML is read into the JSON's shape first. Affected
versions are left out: they are those of a CPE product, which is not the package.
"""

from functools import partial
from urllib.parse import unquote

from secai_lib.core.finding import (
    ArchiveLocation,
    Location,
    Package,
    ParsedReport,
    Result,
    Severity,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.dependency_check_xml import is_analysis, report_of
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, headline
from secai_lib.parsers.paths import Paths, Unplaceable
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_SCORES = (("cvssv4", "baseScore"), ("cvssv3", "baseScore"), ("cvssv2", "score"))
_BINARIES = (
    ".aar",
    ".apk",
    ".dll",
    ".exe",
    ".gem",
    ".hpi",
    ".nupkg",
    ".sar",
    ".so",
    ".tgz",
    ".zip",
)
"""Files that it looks into or identifies beside jars and wheels."""
_CPE_VERSION = {"cpe:2.3": 5, "cpe": 4}
"""Position of the version in `cpe:2.3:a:vendor:product:1.0` and in `cpe:/a:vendor:product:1.0`."""


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
            "package": _package_of(draft.resource) or draft.package,
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

    def result(self, vulnerability: Node, *, suppressed: bool = False) -> Result:
        name = vulnerability.need("name")
        package = self._package()
        word, origin, score = _severity(vulnerability)
        links = (ref.text("url") for ref in vulnerability.items("references"))
        copies = [copy.text("filePath") for copy in self._node.items("relatedDependencies")]
        files = (self._node.need("filePath"), *filter(None, copies))
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
            locations=tuple(dict.fromkeys(place_of(self._paths, file) for file in files)),
            package=package,
            help=vulnerability.text("notes"),
            references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
            suppressed=suppressed,
            evidence=self._tally.evidence(vulnerability),
        )

    def _package(self) -> Package:
        """By package URL, by the Maven coordinates of old reports, else the file by itself."""
        node = self._node
        known = (_package_of(entry.text("id")) for entry in node.items("packages"))
        coordinates = (_maven(entry) for entry in node.items("identifiers"))
        for package in (*known, *coordinates):
            if package is not None:
                return package
        ids = [entry.text("id") for entry in node.items("vulnerabilityIds")]
        ids += [entry.text("name") for entry in node.items("identifiers")]
        version = next((v for v in map(_cpe_version, ids) if v), "")
        return Package(ecosystem="", name=node.need("fileName"), version=version)


def _package_of(purl: str) -> Package | None:
    """The package that a package URL names; None for anything else."""
    ecosystem, name = ecosystems.of_purl(purl)
    version = purl.partition("?")[0].partition("#")[0].rpartition("/")[2].partition("@")[2]
    return Package(ecosystem=ecosystem, name=name, version=unquote(version)) if name else None


def _maven(identifier: Node) -> Package | None:
    """`(group:artifact:version)` or the same without brackets."""
    parts = identifier.text("name").strip("()").split(":")
    if identifier.text("type") != "maven" or len(parts) != 3:
        return None
    return Package(ecosystem="Maven", name=f"{parts[0]}:{parts[1]}", version=parts[2])


def _cpe_version(cpe: str) -> str:
    cpe = cpe.strip("()")
    parts = cpe.replace("cpe:/", "cpe:").split(":")
    at = _CPE_VERSION["cpe:2.3" if cpe.startswith("cpe:2.3:") else "cpe"]
    known = parts[0] == "cpe" and len(parts) > at and parts[at] not in {"*", "-"}
    return parts[at] if known else ""


def _severity(vulnerability: Node) -> tuple[Severity, str, float | None]:
    """The newest CVSS score, and the word beside it; old reports have one score of version 2."""
    scores = [vulnerability.number(*keys) for keys in _SCORES]
    scores.append(vulnerability.number("cvssScore"))
    score = next((s for s in map(valid_score, scores) if s is not None), None)
    word, origin = severity.by_word(vulnerability.text("severity"))
    if origin == "none" and score is not None:
        word, origin = severity.by_score(score, "cvss")
    return word, origin, score


def place_of(paths: Paths, raw: str) -> Location:
    """The place of a scanned file: an archive or library, a lockfile or a source file.

    `package-lock.json?/name:1.0` is an entry of a lockfile. Of an archive outside the checkout (a
    local repository of Maven, say) only the file's name is kept.
    """
    file = raw.strip().replace("\\", "/")
    bare = file.partition("?")[0]
    file = bare if ecosystems.of_file(bare) else file
    steps = file.split("/")
    for count, step in enumerate(steps, start=1):
        if ecosystems.is_archive(step) or step.lower().endswith(_BINARIES):
            archive, member = "/".join(steps[:count]), "/".join(steps[count:])
            return ArchiveLocation(archive=_relative(paths, archive), member=member)
    return paths.lockfile(file) if ecosystems.of_file(file) else paths.source(file)


def _relative(paths: Paths, archive: str) -> str:
    try:
        return paths.relative(archive)
    except Unplaceable:
        return archive.rpartition("/")[2]


def _raw_path(place: Node) -> str:
    return place.text("physicalLocation", "artifactLocation", "uri")
