"""One problem of a repository, with everything that says so."""

from datetime import datetime
from enum import StrEnum

from secai_lib.core.finding import Category, Location, Package, Severity
from secai_lib.core.record import Record


class ProblemState(StrEnum):
    """Whether a problem is there now."""

    OPEN = "open"
    FIXED = "fixed"


class Problem(Record):
    """Findings that are the same weakness in the same place, joined across tools."""

    id: str
    """16 hex digits, stable across runs."""
    repository: str
    """The repository it is in."""
    branch: str
    """The branch it was seen on."""
    commit: str
    """The newest commit it was seen at."""
    run: str
    """Key of the newest scan run that shows it."""
    title: str
    """One line."""
    category: Category
    """What part of the product it is about."""
    severity: Severity
    """The worst severity of its findings."""
    severity_score: float | None
    """The highest score of its findings, 0-10."""
    cwes: tuple[str, ...]
    """All CWEs of its findings."""
    advisories: tuple[str, ...]
    """All advisory ids of its findings, joined as aliases."""
    tools: tuple[str, ...]
    """The scanners that see it, sorted."""
    rules: tuple[str, ...]
    """`tool:rule` of every finding, sorted."""
    fingerprints: tuple[str, ...]
    """Its findings, sorted."""
    location: Location
    """The main place."""
    package: Package | None
    """The package at fault, for dependency problems."""
    state: ProblemState
    """Open, or fixed: a later run of the same tool no longer shows it."""
    first_seen: datetime
    """Time of the first run that showed it."""
    last_seen: datetime
    """Time of the newest run that showed it."""
    fixed_at: datetime | None = None
    """Time of the first run that no longer showed it; None while it is open."""
    reopened: int = 0
    """How often it came back after it was fixed."""


class EventKind(StrEnum):
    """What happened to a problem in a scan run."""

    SEEN = "seen"
    FIXED = "fixed"
    REOPENED = "reopened"


class ProblemEvent(Record):
    """A problem began, ended or came back: one row of its history."""

    problem: str
    """The problem's id."""
    repository: str
    """The repository it is in."""
    branch: str
    """The branch it was seen on."""
    event: EventKind
    """`seen` for the first time, `fixed`, or `reopened`."""
    run: str
    """Key of the scan run that shows it."""
    commit: str
    """That run's commit."""
    time: datetime
    """That run's time (UTC)."""
    tools: tuple[str, ...]
    """The scanners that say so, sorted: those that see it, or those that ran and no longer do."""


class Alias(Record):
    """A finding that names an advisory by which it joined the others of its problem."""

    problem: str
    """The problem's id."""
    advisory: str
    """The advisory's id (a CVE, a GHSA, ...)."""
    fingerprint: str
    """The finding."""
    tool: str
    """The scanner that names the advisory."""
    rule_id: str
    """The id that this scanner itself calls the finding by."""
    package_version: str
    """The installed version this finding is about."""
    run: str
    """Key of the newest scan run whose report says so."""
    file: str
    """The report inside that run."""
    pointer: str
    """The result inside the report."""


class Rename(Record):
    """A finding whose file git sees renamed, so that it is the same finding under another name."""

    repository: str
    """The repository."""
    branch: str
    """The branch."""
    from_commit: str
    """The commit of the run that last showed the finding in the old file."""
    to_commit: str
    """The commit of the run that shows it in the new one."""
    old_path: str
    """The file's path before."""
    new_path: str
    """The file's path after."""
    old_fingerprint: str
    """The finding's name before."""
    new_fingerprint: str
    """The finding's name after."""
