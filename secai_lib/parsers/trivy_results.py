"""Trivy's vulnerabilities, misconfigurations and secrets."""

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    NoLocation,
    Package,
    Result,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, NoResult, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.trivy_targets import Target
from secai_lib.parsers.weakness import advisories_in, cwes_in


class TargetReader:
    """Reads the results of one target."""

    def __init__(self, document: Document, target: Target, tally: Tally) -> None:
        """Read results of `target`, part of `document`, for `tally`."""
        self._document, self._tally = document, tally
        self._name, self._type = target.name, target.node.text("Type")
        self._system, self._image = target.system, target.image
        self._resource, self._version = target.resource, target.version

    def modified(self, node: Node) -> Result:
        """What an ignore file or a VEX statement took out of the results, suppressed."""
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
        """A weakness of a package."""
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
        """A check that failed. Raises NoResult for one that did not."""
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
        """A secret, without itself."""
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
