"""Trivy: its JSON report (schema versions 1 and 2, also of a cluster) and its SARIF.

Format: https://trivy.dev/latest/docs/configuration/reporting/ and Trivy's `types.Report`.
"""

from collections.abc import Iterator

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    NoLocation,
    Package,
    ParsedReport,
    Result,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, NoResult, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.secrets import Spot, context, spot
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.trivy_sarif import adapt_trivy
from secai_lib.parsers.trivy_targets import CLUSTER_LISTS, Target, targets_of
from secai_lib.parsers.weakness import advisories_in, cwes_in

_MODIFIED = "ExperimentalModifiedFindings"


class TrivyParser(Parser):
    """Reads Trivy's vulnerabilities, misconfigurations and secrets; licences are left out."""

    name = "trivy"
    sarif_names = ("trivy",)

    def recognise(self, document: Document) -> float:
        """Certain by Trivy's own top-level names; version 1 by a target with vulnerabilities."""
        value = document.value
        if isinstance(value, list):
            sure = any_has(value, {"Target", "Vulnerabilities"})
            return 0.9 if sure else 0.6 if any_has(value, {"Target", "Type"}) else 0.0
        if isinstance(value, dict) and "ClusterName" in value:
            return 0.9 if CLUSTER_LISTS & value.keys() else 0.0
        if not isinstance(value, dict) or "SchemaVersion" not in value:
            return 0.0
        return 1.0 if "ArtifactName" in value or "Results" in value else 0.6

    def parse(self, document: Document) -> ParsedReport:
        """Every result of every target."""
        tally = Tally(document.name)
        for place in targets_of(document, tally):
            target, read = place.node, _Target(document, place, tally)
            for vulnerability in target.items("Vulnerabilities"):
                tally.add(self.name, vulnerability, read.vulnerability)
            for misconfiguration in target.items("Misconfigurations"):
                tally.add(self.name, misconfiguration, read.misconfiguration)
            for secret in target.items("Secrets"):
                tally.add(self.name, secret, read.secret)
            for modified in target.items(_MODIFIED):
                tally.add(self.name, modified, read.modified)
            licences = target.items("Licenses")
            reason = "licences are no security findings"
            tally.leave_out(self.name, target.get("Licenses"), reason, results=len(licences))
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Match and code lines of secrets (Trivy itself masks most of them with stars)."""
        for place in targets_of(document, Tally(document.name)):
            modified = place.node.items(_MODIFIED)
            inner = [item.get("Finding") for item in modified if isinstance(item.value, dict)]
            for found in [*place.node.items("Secrets"), *inner]:
                if not isinstance(found.value, dict):
                    continue
                yield from spot(found, "Match", owner=found)
                yield from context(found, "Code", owner=found)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Package, versions, image or archive out of Trivy's message lines."""
        return adapt_trivy(draft, item)


class _Target:
    """Reads the results of one target."""

    def __init__(self, document: Document, target: Target, tally: Tally) -> None:
        self._document, self._tally = document, tally
        self._name, self._type = target.name, target.node.text("Type")
        self._system, self._image = target.system, target.image
        self._resource, self._version = target.resource, target.version

    def modified(self, node: Node) -> Result:
        """What an ignore file or a VEX statement took out of the results."""
        kind = node.text("Type")
        readers = {
            "vulnerability": self.vulnerability,
            "misconfiguration": self.misconfiguration,
            "secret": self.secret,
        }
        if kind == "license":
            raise NoResult("licences are no security findings")
        if kind not in readers:
            raise node.get("Type").broken("a kind of result")
        return revised(readers[kind](node.get("Finding")), suppressed=True)

    def vulnerability(self, node: Node) -> Result:
        identifier = node.need("VulnerabilityID")
        word, origin = severity.by_word(node.text("Severity"))
        name = node.need("PkgName")
        fixed = tuple(v.strip() for v in node.text("FixedVersion").split(",") if v.strip())
        title = node.text("Title") or f"{identifier} in {name}"
        links = (node.text("PrimaryURL"), *node.texts("References"))
        return Result(
            tool="trivy",
            tool_version=self._version,
            rule_id=identifier,
            title=headline(title, identifier),
            message=node.text("Description", default=title),
            severity=word,
            severity_score=_cvss(node),
            severity_origin=origin,
            cwes=cwes_in(*node.texts("CweIDs")),
            advisories=tuple(sorted({identifier, *_aliases(node)})),
            locations=(self._package_place(node),),
            package=Package(
                ecosystem=ecosystems.of_type(self._type),
                name=name,
                version=node.text("InstalledVersion"),
                fixed_versions=fixed,
            ),
            references=tuple(dict.fromkeys(link for link in links if link)),
            evidence=self._tally.evidence(node),
        )

    def _package_place(self, node: Node) -> Location:
        if self._system:
            return ImageLocation(image=self._image or self._name, target=self._name)
        inner = node.text("PkgPath")
        path = inner or self._name
        if self._image or ecosystems.is_archive(path):
            return ArchiveLocation(archive=path.lstrip("/"), image=self._image)
        return self._document.paths.lockfile(path)

    def misconfiguration(self, node: Node) -> Result:
        status = node.text("Status", default="FAIL")
        if status != "FAIL":
            raise NoResult(f"status is {status}")
        word, origin = severity.by_word(node.text("Severity"))
        cause = node.get("CauseMetadata")
        return Result(
            tool="trivy",
            tool_version=self._version,
            rule_id=node.need("ID"),
            title=node.text("Title", default=node.need("ID")),
            message=node.text("Message") or node.text("Description"),
            severity=word,
            severity_origin=origin,
            locations=(self._file_place(cause),),
            help=node.text("Resolution"),
            references=tuple(
                dict.fromkeys(u for u in (node.text("PrimaryURL"), *node.texts("References")) if u)
            ),
            resource=cause.text("Resource") or self._resource,
            technologies=(self._type.lower(),) if self._type else (),
            evidence=self._tally.evidence(node),
        )

    def secret(self, node: Node) -> Result:
        word, origin = severity.by_word(node.text("Severity"))
        title = node.text("Title", default=node.need("RuleID"))
        return Result(
            tool="trivy",
            tool_version=self._version,
            rule_id=node.need("RuleID"),
            title=title,
            message=f"{title} ({node.text('Category', default='secret')})",
            severity=word,
            severity_origin=origin,
            cwes=("CWE-798",),
            locations=(self._file_place(node, shown=False),),
            technologies=("secrets",),
            evidence=self._tally.evidence(node),
        )

    def _file_place(self, node: Node, *, shown: bool = True) -> Location:
        region = Region.of(node.integer("StartLine"), node.integer("EndLine"))
        if self._image:
            return ImageLocation(image=self._image, target=self._name)
        if self._resource:
            return NoLocation(reason="a resource of a cluster, no file")
        lines = node.items("Code", "Lines") if shown else []
        cause = [line.text("Content") for line in lines if line.flag("IsCause")]
        return self._document.paths.source(self._name, region, snippet="\n".join(cause))


def _aliases(node: Node) -> list[str]:
    """Other names of the weakness. A distribution's bulletin covers several, so it is none."""
    names = advisories_in(*node.texts("VendorIDs"))
    return [name for name in names if not name.startswith(("DSA-", "USN-"))]


def _cvss(node: Node) -> float | None:
    """The newest score of Trivy's source of severity, else of the first source with one."""
    sources = dict(node.get("CVSS").entries())
    chosen = sources.get(node.text("SeveritySource"))
    for source in ([chosen] if chosen else []) + [sources[key] for key in sorted(sources)]:
        for version in ("V40Score", "V3Score", "V2Score"):
            score = valid_score(source.number(version))
            if score is not None:
                return score
    return None
