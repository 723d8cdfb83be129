"""What becomes of a problem, and why: a verdict never deletes anything."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from secai_lib.core.record import Record


class Verdict(StrEnum):
    """What is to be done about a finding."""

    ACTIONABLE = "actionable"
    """Somebody should mend it."""
    FALSE_POSITIVE = "false_positive"
    """It is no weakness of the product."""
    ACCEPTED = "accepted"
    """Somebody decided to live with it, for a while."""
    NOT_FIXABLE_HERE = "not_fixable_here"
    """Nothing in this repository can mend it now."""
    DUPLICATE = "duplicate"
    """Another finding says the same and has the verdict."""


class Grounds(Record):
    """One reason for a verdict."""

    rule: str
    """The rule of triage that fits: a key of `config/triage.yaml`, or `none`."""
    verdict: Verdict
    """What it leads to."""
    reason: str
    """A sentence for people."""
    evidence: tuple[str, ...]
    """The facts it rests on: paths, lines of lockfiles, numbers."""


class Triage(Record):
    """The verdict on one finding of a problem."""

    problem: str
    """The problem's id."""
    fingerprint: str
    """The finding."""
    repository: str
    """The repository it is in."""
    branch: str
    """The branch it was seen on."""
    verdict: Verdict
    """What is to be done."""
    rule: str
    """The rule of triage that decided; `none` when none fits."""
    reason: str
    """A sentence for people."""
    evidence: tuple[str, ...]
    """The facts it rests on."""
    others: tuple[Grounds, ...] = ()
    """Every other rule that fits as well, in the order of the rules."""


class Acceptance(Record):
    """A finding that people of a repository accept, as its `.secai.yaml` says."""

    fingerprint: str = Field(default="", pattern=r"^([0-9a-f]{16})?$")
    """The finding, or ..."""
    rule: str = ""
    """... every finding of this rule (`tool:rule`), ..."""
    path: str = ""
    """... in files that match this shell pattern (`*` stands for folders too)."""
    reason: str = Field(min_length=10)
    """Why it is accepted."""
    until: date
    """The last day on which it counts."""
    by: str = ""
    """Who decided."""
    line: int = 0
    """Where it stands in the file."""


class Policy(Record):
    """What the `.secai.yaml` of one branch says."""

    repository: str
    """The repository."""
    branch: str
    """The branch."""
    commit: str
    """The commit it was read at."""
    acceptances: tuple[Acceptance, ...] = ()
    """What is accepted, expired entries too."""
    faults: tuple[str, ...] = ()
    """What is wrong with the file, each with its line; nothing of a faulty entry counts."""
