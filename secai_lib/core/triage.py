"""What to do about a problem and why, and what people of a repository accept."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from secai_lib.core.record import Record


class Decision(StrEnum):
    """What a problem is worth."""

    ACTIONABLE = "actionable"
    """Somebody should do something about it."""
    FALSE_POSITIVE = "false_positive"
    """It does not endanger what is delivered."""
    ACCEPTED = "accepted"
    """A person of the repository lives with it until a day."""
    NOT_FIXABLE_HERE = "not_fixable_here"
    """Nothing in this repository removes it today."""
    DUPLICATE = "duplicate"
    """Another problem stands for it."""


SILENT = frozenset({Decision.FALSE_POSITIVE, Decision.ACCEPTED, Decision.DUPLICATE})
"""Decisions about problems that no gate need wait for."""


class Triage(Record):
    """What one problem is worth, and what says so."""

    problem: str
    """The problem's id."""
    repository: str
    """The repository it is in."""
    branch: str
    """The branch it was seen on."""
    decision: Decision
    """What it is worth: that of the first rule that fits."""
    rule: str
    """The rule that decided; `none` where none fits and it is actionable."""
    reason: str
    """A sentence for people."""
    evidence: tuple[str, ...] = Field(min_length=1)
    """What the reports and files say, on which the decision rests."""
    exploited: bool = False
    """Whether a report links to evidence that the weakness is exploited."""
    fits: tuple[str, ...] = ()
    """Every rule that fits, in the order in which they are asked."""


class Acceptance(Record):
    """An entry of `.secai.yaml`: what is lived with, why and until when."""

    line: int
    """Its line in the file, from 1."""
    fingerprint: str = ""
    """The finding; empty when a rule is named instead."""
    rule: str = ""
    """`tool:rule`; empty when a fingerprint is named instead."""
    path: str = ""
    """With a rule: the file, where `*` is any text, folders too."""
    reason: str
    """Why."""
    until: date
    """The last day on which it counts."""
    by: str
    """Who says so."""


class Policy(Record):
    """What `.secai.yaml` says at one commit."""

    repository: str
    """The repository."""
    branch: str
    """The branch."""
    commit: str
    """The commit that was read."""
    judged: date
    """The day of the newest scan, against which days are compared."""
    acceptances: tuple[Acceptance, ...] = ()
    """The entries that could be read, in the file's order."""
    faults: tuple[str, ...] = ()
    """What could not be read, each with its line; such an entry does not count."""
    expired: tuple[int, ...] = ()
    """Lines of entries whose last day is over; they do not count."""
    unmatched: tuple[int, ...] = ()
    """Lines of entries that no problem matches any more."""
