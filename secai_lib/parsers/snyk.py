"""Snyk: `snyk test --json`, `snyk container test --json`, `snyk iac test --json`, and its SARIF.

Format: https://docs.snyk.io/snyk-cli/cli-commands-and-options-summary. One project is an object,
several are a list of them. `snyk code` knows SARIF only.
"""

import re
from functools import partial

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    Package,
    ParsedReport,
    Result,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem
from secai_lib.parsers.document import Document
from secai_lib.parsers.intervals import ranges_in
from secai_lib.parsers.node import Json, Node, NoResult, headline
from secai_lib.parsers.paths import Region
from secai_lib.parsers.scores import score_of_vector, valid_score
from secai_lib.parsers.snyk_sarif import SYSTEMS, adapt_snyk
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_IMAGE_PART = re.compile(r"^(.+(?::(?!\d+/)\w[\w.-]{0,127}|@sha256:[0-9a-f]{64}))/.+$")
"""Snyk names an image's parts `name:tag/part`; a number behind the colon is a port."""
_DATABASES = ("CVE", "GHSA", "ALTERNATIVE")
_PLATFORMS = {
    "terraformconfig": "terraform", "terraformplan": "terraform_plan", "k8sconfig": "kubernetes",
    "helmconfig": "helm", "cloudformationconfig": "cloudformation", "armconfig": "azure-arm",
    "dockerconfig": "dockerfile",
}  # fmt: skip
"""`snyk iac` project type -> what it configures."""


class SnykParser(Parser):
    """Reads one result per vulnerable path and per misconfiguration; licences are left out."""

    name = "snyk"
    sarif_names = ("snyk open source", "snyk container", "snyk iac", "snykcode", "snyk code")

    def recognise(self, document: Document) -> float:
        """By projects that say `ok` beside their vulnerabilities, issues or error."""
        projects = [] if document.lines else [project.value for project in document.rows]
        return max(map(_sureness, projects), default=0.0)

    def parse(self, document: Document) -> ParsedReport:
        """Every issue of every project; projects that Snyk could not test are noted."""
        tally = Tally(document.name)
        for project in document.rows:
            if project.text("error"):
                tally.note(self.name, project, "snyk could not test a project")
            self._project(document, tally, project, image="")
        return tally.report(self.name)

    def _project(self, document: Document, tally: Tally, project: Node, image: str) -> None:
        """The issues of `project`, which lies inside `image` when that is no empty name."""
        read = _Project(document, tally, project, image or _image_of(project))
        for issue in project.items("vulnerabilities"):
            tally.add(self.name, issue, read.package_issue)
        for issue in project.items("infrastructureAsCodeIssues"):
            tally.add(self.name, issue, read.misconfiguration)
        for issue in project.items("filtered", "ignore"):
            tally.add(self.name, issue, partial(read.package_issue, suppressed=True))
        patched = project.get("filtered", "patch")
        reason = "snyk patched the package in place"
        tally.leave_out(self.name, patched, reason, results=len(patched.items()))
        for application in project.items("applications"):
            self._project(document, tally, application, read.image)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The package that the logical location names; Snyk Code and IaC need nothing."""
        return adapt_snyk(draft, item)


def _sureness(project: Json) -> float:
    if not isinstance(project, dict) or "ok" not in project:
        return 0.0
    if isinstance(project.get("infrastructureAsCodeIssues"), list):
        return 1.0
    if isinstance(project.get("vulnerabilities"), list):
        known = project.keys() & {"packageManager", "dependencyCount", "projectName", "uniqueCount"}
        return 1.0 if known else 0.6
    return 0.7 if project["ok"] is False and {"error", "path"} <= project.keys() else 0.0


def _image_of(project: Node) -> str:
    """The image that `project` is or lies in; only there a target file has an absolute path."""
    inside = project.get("docker") or project.text("packageManager") in SYSTEMS
    inside = inside or project.text("displayTargetFile").startswith("/")
    return _IMAGE_PART.sub(r"\1", project.text("path")) if inside else ""


class _Project:
    """One tested manifest, image or configuration file."""

    def __init__(self, document: Document, tally: Tally, project: Node, image: str) -> None:
        self._paths, self._tally, self.image = document.paths, tally, image
        self._manager = project.text("packageManager")
        self._file = project.text("displayTargetFile") or project.text("targetFile")
        self._name = project.text("projectName")

    def package_issue(self, issue: Node, *, suppressed: bool = False) -> Result:
        if issue.text("type") == "license":
            raise NoResult("licences are no security findings")
        rule_id = issue.need("id")
        word, origin = severity.by_word(issue.text("severity"))
        score = valid_score(issue.number("cvssScore"))
        if score is None:
            score = score_of_vector(issue.text("CVSSv3"))
        package = self._package(issue)
        known = [name for kind in _DATABASES for name in issue.texts("identifiers", kind)]
        title = issue.text("title", default=rule_id)
        links = (reference.text("url") for reference in issue.items("references"))
        way = " > ".join(issue.texts("from"))
        return Result(
            tool="snyk",
            rule_id=rule_id,
            title=headline(f"{title} in {package.name}", rule_id),
            message=f"{package.name} {package.version}: {title}"
            + (f"\nIntroduced through {way}." if way else ""),
            severity=word,
            severity_score=score,
            severity_origin=origin,
            cwes=cwes_in(*issue.texts("identifiers", "CWE")),
            advisories=tuple(sorted({rule_id, *advisories_in(*known)})),
            locations=(self._package_place(issue),),
            package=package,
            help=issue.text("description"),
            references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
            suppressed=suppressed or issue.flag("isIgnored"),
            evidence=self._tally.evidence(issue),
        )

    def _package(self, issue: Node) -> Package:
        """Of a package of the system, `source/binary`, the binary, as other scanners name it."""
        manager = issue.text("packageManager") or self._manager
        name = issue.text("name") or issue.text("packageName") or issue.need("moduleName")
        ecosystem = ecosystems.of_type(manager.partition(":")[0])
        fixed = issue.text("nearestFixedInVersion")
        return Package(
            ecosystem=ecosystem,
            name=name.rpartition("/")[2] if self._system(issue) else name,
            version=issue.text("version"),
            fixed_versions=issue.texts("fixedIn") or ((fixed,) if fixed else ()),
            ranges=ranges_in(issue.texts("semver", "vulnerable")),
        )

    def _system(self, issue: Node) -> bool:
        return self._manager in SYSTEMS or issue.text("language") == "linux"

    def _package_place(self, issue: Node) -> Location:
        if self.image and (self._system(issue) or not self._file):
            return ImageLocation(image=self.image)
        if self.image:
            return ArchiveLocation(archive=self._file.lstrip("/"), image=self.image)
        return self._paths.lockfile(self._file or self._name)

    def misconfiguration(self, issue: Node) -> Result:
        rule_id = issue.text("publicId") or issue.need("id")
        word, origin = severity.by_word(issue.text("severity"))
        title = issue.text("title", default=rule_id)
        said = issue.get("iacDescription")
        parts = (said.text("issue") or issue.text("issue"), said.text("impact"))
        links = (issue.text("documentation"), *issue.texts("references"))
        return Result(
            tool="snyk",
            rule_id=rule_id,
            title=headline(title, rule_id),
            message=". ".join(part.rstrip(".") for part in parts if part) or title,
            severity=word,
            severity_origin=origin,
            locations=(self._paths.source(self._file, Region.of(issue.integer("lineNumber"))),),
            help=said.text("resolve") or issue.text("resolve"),
            references=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
            suppressed=issue.flag("isIgnored"),
            resource=issue.text("msg") or ".".join(issue.texts("path")),
            technologies=(_PLATFORMS[self._manager],) if self._manager in _PLATFORMS else (),
            evidence=self._tally.evidence(issue),
        )
