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
