"""What a scanner says (`Result`), and what we hold of it (`Finding`)."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from secai_lib.core.record import Record


class Severity(StrEnum):
    """How bad, in words; ordered worst first by `rank`."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for critical up to 5 for unknown."""
        return list(Severity).index(self)


def severity_of_score(score: float) -> Severity:
    """The word for a CVSS score 0-10, by the qualitative scale of CVSS v3.1 and v4.0."""
    for floor, severity in ((9.0, Severity.CRITICAL), (7.0, Severity.HIGH), (4.0, Severity.MEDIUM)):
        if score >= floor:
            return severity
    return Severity.LOW if score > 0 else Severity.INFO


class Category(StrEnum):
    """What part of a product a finding is about."""

    CODE = "code"
    MOBILE = "mobile"
    INFRASTRUCTURE = "infrastructure"
    API = "api"
    DEPENDENCY = "dependency"
    CONTAINER = "container"
    SECRET = "secret"  # noqa: S105 - a category, not a secret
    WEB = "web"


ADVISORY_TOOLS = frozenset(
    {"dependency-check", "govulncheck", "grype", "npm-audit", "osv-scanner", "pip-audit", "snyk",
     "trivy"}
)  # fmt: skip
"""Scanners that compare installed packages with published advisories; a rule of theirs is one."""


class SourceLocation(Record):
    """A place in a file of the repository."""

    kind: Literal["source"] = "source"
    path: str
    """Path relative to the repository, with `/`."""
    start_line: int | None = None
    """First line, counted from 1; None when the scanner names only the file."""
    end_line: int | None = None
    """Last line, inclusive."""
    start_column: int | None = None
    """First column, counted from 1."""
    end_column: int | None = None
    """Column after the last character."""
    snippet: str = ""
    """The text the scanner showed for this place, secrets redacted; empty when it showed none."""


class LockfileLocation(Record):
    """A package named by a lockfile or manifest of the repository."""

    kind: Literal["lockfile"] = "lockfile"
    path: str
    """Path of the lockfile or manifest, relative to the repository."""
    start_line: int | None = None
    """The package's line, where the scanner names it."""


class ImageLocation(Record):
    """A package of a container image's operating system."""

    kind: Literal["image"] = "image"
    image: str
    """The image's name as the scanner was given it."""
    target: str = ""
    """The scanner's name for the part of the image, e.g. `app:1 (debian 12)`."""


class ArchiveLocation(Record):
    """A package inside an archive (a jar, say) of a container image."""

    kind: Literal["archive"] = "archive"
    archive: str
    """Path of the archive inside the image, e.g. `app/app.jar`."""
    member: str = ""
    """Path of the member inside the archive, where known."""
    image: str = ""
    """The image that holds the archive, where known."""


class UrlLocation(Record):
    """A request that a dynamic scanner made."""

    kind: Literal["url"] = "url"
    url: str
    """The whole URL, with its query, without credentials."""
    method: str = "GET"
    """The HTTP method."""
    param: str = ""
    """The parameter or header at fault."""
    evidence: str = ""
    """What in the answer shows it."""


class NoLocation(Record):
    """The scanner named no place."""

    kind: Literal["none"] = "none"
    reason: str
    """Why there is none, e.g. `result without location`."""


Location = Annotated[
    SourceLocation | LockfileLocation | ImageLocation | ArchiveLocation | UrlLocation | NoLocation,
    Field(discriminator="kind"),
]


class VersionRange(Record):
    """One interval of affected versions, in the ecosystem's own order."""

    introduced: str = "0"
    """First affected version; `0` means from the beginning."""
    fixed: str | None = None
    """First version after it that is not affected."""
    last_affected: str | None = None
    """Last affected version, where the advisory gives that instead of `fixed`."""


class Package(Record):
    """The package a dependency finding is about."""

    ecosystem: str
    """OSV's name of the ecosystem: `Maven`, `npm`, `PyPI`, `Debian`, `Ubuntu`, ..."""
    name: str
    """The package's name in that ecosystem (`group:artifact` for Maven)."""
    version: str
    """The installed version."""
    fixed_versions: tuple[str, ...] = ()
    """Versions the advisory calls fixed, as reported; empty when there is no fix."""
    ranges: tuple[VersionRange, ...] = ()
    """Affected intervals for this package, where the report carries them."""
    affected_versions: tuple[str, ...] = ()
    """Affected versions listed one by one, where the report carries them."""


class Evidence(Record):
    """Where a raw result stands."""

    file: str
    """The report's path inside the scan run."""
    pointer: str
    """JSON pointer (or XML path) of the result in that file."""


class Result(Record):
    """One result as a scanner reported it, in our words."""

    tool: str
    """The scanner's slug: `semgrep`, `trivy`, `checkov`, `osv-scanner`, `zap`, ..."""
    tool_version: str = ""
    """The scanner's version; empty when the report does not say."""
    rule_id: str
    """The rule's identifier as the scanner spells it (an advisory id for packages)."""
    title: str
    """One line a person reads first."""
    message: str
    """The scanner's message for this result, secrets redacted."""
    severity: Severity
    """How bad, in words."""
    severity_score: float | None = Field(default=None, ge=0, le=10)
    """How bad as a number 0-10, where the report gives one."""
    severity_origin: str
    """Where severity comes from: `security-severity`, `cvss`, `level`, `tool`, `none`."""
    cwes: tuple[str, ...] = ()
    """`CWE-79` and so on, sorted by number."""
    advisories: tuple[str, ...] = ()
    """Every advisory id of the weakness (CVE, GHSA, OSV, PYSEC, ...), sorted."""
    locations: tuple[Location, ...] = Field(min_length=1)
    """Every place it was seen, the first is the main one."""
    package: Package | None = None
    """The package at fault, for dependency findings."""
    help: str = ""
    """The rule's own explanation or solution, plain text or Markdown."""
    references: tuple[str, ...] = ()
    """Links, in the scanner's order."""
    confidence: str = ""
    """The scanner's own confidence word, lower case; empty when it gives none."""
    suppressed: bool = False
    """True when the report marks the result as suppressed."""
    resource: str = ""
    """The scanner's name for the thing at fault (a Checkov resource, say)."""
    flow: tuple[SourceLocation, ...] = ()
    """The way of the data to the main place, from where it enters, where the scanner shows it."""
    fingerprints: tuple[str, ...] = ()
    """The scanner's own names for this result, `kind=value`, sorted; none for secrets."""
    technologies: tuple[str, ...] = ()
    """Technologies the rule names in its metadata, lower case (`android`, `docker`)."""
    evidence: Evidence
    """Where the raw result stands."""

    @property
    def location(self) -> Location:
        """The main place."""
        return self.locations[0]

    @property
    def path(self) -> str | None:
        """The repository path of the main place; None for images, archives and URLs."""
        place = self.location
        return place.path if isinstance(place, SourceLocation | LockfileLocation) else None

    @property
    def line(self) -> int | None:
        """The first line of the main place, where there is one."""
        place = self.location
        return place.start_line if isinstance(place, SourceLocation | LockfileLocation) else None


class Skipped(Record):
    """Something in a scan that became no finding, and why."""

    file: str
    """The report's path inside the scan run."""
    pointer: str = ""
    """Place in that file; empty for the whole file."""
    tool: str = ""
    """The scanner's slug, where known."""
    reason: str
    """A sentence: why it was skipped."""
    malformed: bool = False
    """True when the file or the result is broken rather than merely of no use."""
    results: int = 0
    """How many raw results this entry stands for (0 for a file that is no report)."""


class ParsedReport(Record):
    """All that one report file says; every raw result is in `results` or in `skipped`."""

    file: str
    """The report's path inside the scan run."""
    tools: tuple[str, ...]
    """Slugs of the scanners that wrote it (a report without results is still a run)."""
    results: tuple[Result, ...]
    """The raw results, in the file's order."""
    skipped: tuple[Skipped, ...] = ()
    """Raw results that could not become a `Result`."""
    raw_results: int
    """How many raw results the file holds; equals results plus the skipped ones."""


class Finding(Record):
    """One distinct thing a scanner found in one scan run, with all its evidence."""

    fingerprint: str
    """16 hex digits, equal for the same finding in every run (line shifts included)."""
    repository: str
    """`owner/name`, or the folder's name for a local scan."""
    run: str
    """Key of the scan run."""
    commit: str
    """The scanned commit (40 hex digits), or empty when nobody knows."""
    category: Category
    """What part of the product it is about."""
    result: Result
    """The result that says most about it."""
    evidence: tuple[Evidence, ...]
    """Every raw result that says the same."""
