"""What a report of one repository at one commit holds; every output is a pure view of it."""

from collections.abc import Mapping

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Result
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.problem import Problem
from secai_lib.core.record import Record
from secai_lib.core.scan import ToolRun
from secai_lib.core.triage import Triage


class SkippedCount(Record):
    """Skipped parts of the scans that share a reason."""

    reason: str
    """The sentence."""
    entries: int
    """How often it was given."""
    results: int
    """How many raw results that stands for."""
    malformed: bool
    """True when at least one of them was broken rather than of no use."""


class Counts(Record):
    """The headline numbers."""

    scans: int
    """Scan runs taken together."""
    files: int
    """Report files in them."""
    raw_results: int
    """Raw results in those files."""
    explained: int
    """Raw results that are evidence of a finding or skipped with a reason."""
    findings: int
    """Distinct findings."""
    problems: int
    """Open problems."""
    by_severity: Mapping[str, int]
    """Open problems per severity, worst first, none left out."""
    by_decision: Mapping[str, int] = {}
    """Open problems per decision of triage, most first; without triage empty."""
    by_category: Mapping[str, int]
    """Open problems per category, most first."""
    by_tool: Mapping[str, int]
    """Open problems per scanner that sees them, most first."""
    contexts: Mapping[str, int]
    """Code contexts per status."""
    fixes_by_kind: Mapping[str, int]
    """Proven fixes per kind, most first."""
    fixes_by_method: Mapping[str, int]
    """Proven fixes per kind of proof (`rescan`, `advisory`, `own-rule`), most first."""
    problems_fixed: int
    """Open problems with at least one proven fix."""
    in_patch: int
    """Proven fixes that the combined patch holds."""
    abstentions: Mapping[str, int]
    """Abstentions per reason code, most first; pages group the codes by what to do."""
    skipped: tuple[SkippedCount, ...]
    """What was skipped, most first."""


class FirstStep(Record):
    """One of the problems to begin with."""

    problem: str
    """The problem's id."""
    reason: str
    """A sentence: why here."""
    alike: int
    """Further open problems that the same advice covers: same rules, package or image."""


class RepositoryReport(Record):
    """Everything the pages show of one repository at one commit."""

    repository: str
    """`owner/name`, or the folder's name for a local scan."""
    repository_url: str = ""
    """Its address, where the scans came from GitHub; empty otherwise."""
    commit: str
    """The commit (40 hex digits), or empty when nobody knows."""
    branch: str
    """The branch, or empty."""
    runs: tuple[str, ...]
    """Keys of the scan runs, sorted."""
    tools: tuple[ToolRun, ...]
    """Every scanner we know of, with the best that became of it in these runs."""
    counts: Counts
    """The headline numbers."""
    problems: tuple[Problem, ...]
    """Open problems, the most urgent first."""
    first: tuple[FirstStep, ...]
    """Where to begin."""
    results: Mapping[str, Result]
    """Fingerprint -> result, for the findings of the open problems."""
    contexts: Mapping[str, CodeContext]
    """Fingerprint -> context, for the findings of the open problems."""
    triage: Mapping[str, Triage] = {}
    """Problem id -> what it is worth; without an entry a problem is actionable."""
    fixes: tuple[Fix, ...]
    """Proven fixes of open problems, by kind, then as the problems are ranked."""
    abstentions: tuple[Abstention, ...]
    """Why no fix is offered, for open problems without a proven one."""
    patch: str
    """The combined patch; empty when there is none."""
    left_out: Mapping[str, str] = {}
    """Fix id -> why the combined patch does not hold it."""
    certificates: str = "certificates"
    """Folder of the certificates as the reader sees it, for `secai verify`."""

    def certificate(self, fix: Fix) -> str:
        """The path to give to `secai verify` for `fix`."""
        return f"{self.certificates}/{fix.id}.json"

    def problem(self, identifier: str) -> Problem:
        """The open problem with that id; KeyError when there is none."""
        for problem in self.problems:
            if problem.id == identifier:
                return problem
        raise KeyError(identifier)
