"""Everything `config/` may say, typed. Read by `gateways.config`, never here."""

from typing import Literal

from pydantic import Field

from secai_lib.core.record import Record


class LocalRepository(Record):
    """A repository on this machine that the sensor `local_repositories` watches."""

    path: str
    """Folder of the checkout; relative ones start at the project's root. `demo` is the sample."""


class GithubRepository(Record):
    """A repository on GitHub whose workflow runs the sensor `github_actions` watches."""

    name: str = Field(pattern=r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$")
    """`owner/name`."""
    workflows: tuple[str, ...] = ()
    """File names of the workflows to take, e.g. `main-ci-cd.yml`; empty for all."""
    branches: tuple[str, ...] = ()
    """Branches to take; empty for all."""
    events: tuple[str, ...] = ("push", "schedule", "workflow_dispatch")
    """Events to take; pull-request runs only when named here."""


class Sources(Record):
    """Where scans come from."""

    local: tuple[LocalRepository, ...] = ()
    """Repositories on this machine."""
    github: tuple[GithubRepository, ...] = ()
    """Repositories on GitHub."""
    github_api_url: str = "https://api.github.com"
    """GitHub's REST API; `https://HOST/api/v3` for GitHub Enterprise."""


class SensorSettings(Record):
    """What starts by itself."""

    autostart: bool = False
    """True on a server: the sensors run without being switched on in the UI."""
    interval_seconds: int = Field(default=300, ge=30)
    """Seconds between two looks."""
    look_back_hours: int = Field(default=72, ge=0)
    """Hours behind the newest run that are looked at again: runs finish out of order."""
    runs_per_tick: int = Field(default=50, ge=1, le=500)
    """Most runs requested by one look."""


class Limits(Record):
    """What a hostile archive or report may cost; a breach is an error naming the limit."""

    entries: int = Field(default=10_000, ge=1)
    """Entries of one archive or folder."""
    file_bytes: int = Field(default=256 * 2**20, ge=1)
    """Bytes of one file, unpacked (GitHub takes at most 10 MB of gzipped SARIF)."""
    total_bytes: int = Field(default=1024 * 2**20, ge=1)
    """Bytes of one scan run, unpacked."""
    ratio: int = Field(default=200, ge=1)
    """Unpacked bytes per packed byte."""
    nesting: int = Field(default=1, ge=0)
    """Archives inside archives that are opened."""
    source_file_bytes: int = Field(default=2**20, ge=1)
    """Bytes of a source file that is read as text."""


class ScannerSettings(Record):
    """Which scanners `secai scan` runs, and how long each may take."""

    enabled: tuple[str, ...] = ("bandit", "checkov", "detect-secrets", "semgrep", "zizmor")
    """Slugs."""
    timeout_seconds: float = Field(default=600, gt=0)
    """Seconds before a scanner is stopped and counted as failed."""
    workers: int = Field(default=2, ge=1)
    """Scanners at work at the same time."""


class ContextSettings(Record):
    """How much code goes round a finding."""

    lines: int = Field(default=6, ge=0, le=200)
    """Lines before and after."""
    max_lines: int = Field(default=60, ge=1, le=2000)
    """Most lines of the finding's own range."""


class Quality(Record):
    """The number behind every asset check; `max_*` may not be passed, `min_*` must be reached."""

    raw_min_tools: float = Field(default=0.6, ge=0, le=1)
    """Share of the expected scanners that ran (warning)."""
    findings_max_unaccounted: int = 0
    """Raw results that are neither finding nor skipped with a reason."""
    findings_max_duplicates: int = 0
    """Findings that share a fingerprint within one scan run."""
    findings_max_malformed: int = 0
    """Broken files or results (warning)."""
    findings_min_severity_known: float = Field(default=0.9, ge=0, le=1)
    """Share of findings whose severity is known (warning)."""
    contexts_max_outside: int = 0
    """Contexts from outside the scanned commit."""
    contexts_min_resolved: float = Field(default=0.8, ge=0, le=1)
    """Share of findings about code whose place was found, where the source is here (warning)."""
    problems_max_unmatched: int = 0
    """Findings of accepted scan runs that are in no problem."""
    problems_max_quarantined: float = Field(default=0.2, ge=0, le=1)
    """Share of scan runs left out because their own checks failed."""
    fixes_max_unproven: int = 0
    """Offered fixes without a proven certificate."""
    fixes_max_new_findings: int = 0
    """Offered fixes after which some scanner reports something new."""
    fixes_max_abstained: float = Field(default=0.9, ge=0, le=1)
    """Share of open problems without a fix (warning)."""
    report_max_bytes: int = 20_000_000
    """Bytes of the largest file of the report (warning)."""


class Paths(Record):
    """Where things lie; relative paths start at the project's root."""

    home: str = ".secai"
    """Everything that is not code: data, Dagster's instance, scanners, copies of sources."""


class Settings(Record):
    """The whole of `config/`, checked as one."""

    profile: Literal["default", "demo", "production"] = "default"
    """Which overlay of `config/profiles/` was laid over the topics."""
    paths: Paths = Paths()
    sources: Sources = Sources()
    sensors: SensorSettings = SensorSettings()
    limits: Limits = Limits()
    scanners: ScannerSettings = ScannerSettings()
    contexts: ContextSettings = ContextSettings()
    quality: Quality = Quality()
