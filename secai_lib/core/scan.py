"""A scan run: where it came from, which tools ran, which files it brought."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from secai_lib.core.record import Record


class GithubScan(Record):
    """A finished attempt of a GitHub Actions workflow run."""

    kind: Literal["github"] = "github"
    repository: str
    """`owner/name`."""
    run_id: int
    """GitHub's id of the workflow run."""
    attempt: int = 1
    """Attempt number, from 1."""
    commit: str
    """The run's head SHA."""
    branch: str = ""
    """The run's head branch."""
    event: str = ""
    """What started it: `push`, `schedule`, ..."""
    conclusion: str = ""
    """GitHub's conclusion; a run that fails because of findings counts."""
    created_at: datetime
    """When the run was created (UTC)."""


class LocalScan(Record):
    """A commit of a repository on this machine, to be scanned with the scanners installed here."""

    kind: Literal["local"] = "local"
    repository: str
    """The repository's name (`owner/name` from its remote, else the folder's name)."""
    commit: str
    """The commit to scan (40 hex digits); its files are in our own copy of the repository."""
    branch: str = ""
    """The branch that was checked out."""
    scanners: tuple[str, ...]
    """Slugs of the scanners to run."""
    reports: str = ""
    """Inbox folder with reports to take beside the live ones; empty for none."""
    created_at: datetime
    """The commit's time (UTC), so that a repeated scan is the same scan."""


class LeftOut(Record):
    """A file of a folder that was not taken: a link, a device, an unreadable one."""

    path: str
    """Its path inside the folder."""
    reason: str
    """Why not."""


class FilesScan(Record):
    """Reports that somebody handed us: a folder, a file or a zip."""

    kind: Literal["files"] = "files"
    repository: str
    """The repository they are about."""
    commit: str = ""
    """The scanned commit, where known."""
    branch: str = ""
    """The scanned branch, where known."""
    inbox: str
    """Inbox folder that holds the copied files."""
    left_out: tuple[LeftOut, ...] = ()
    """What lay beside them and was not taken."""
    created_at: datetime
    """The newest file's time (UTC)."""


ScanRequest = Annotated[GithubScan | LocalScan | FilesScan, Field(discriminator="kind")]


class ToolStatus(StrEnum):
    """What became of a scanner in a run. Absent is not the same as clean."""

    RAN = "ran"
    FAILED = "failed"
    ABSENT = "absent"


class ToolRun(Record):
    """One scanner in one run."""

    tool: str
    """The scanner's slug."""
    status: ToolStatus
    """Whether it ran."""
    version: str = ""
    """Its version, where known."""
    detail: str = ""
    """A sentence: why it is absent or how it failed."""


class RawFile(Record):
    """One file as received."""

    path: str
    """Path inside the run, with `/`."""
    sha256: str
    """SHA-256 of the stored bytes."""
    original_sha256: str
    """SHA-256 of the received bytes; differs when secrets were redacted."""
    size: int
    """Stored bytes."""
    redactions: int = 0
    """How many secrets were replaced before storing."""


class ScanRun(Record):
    """What is stored of one scan run; written last, so its presence means complete."""

    key: str
    """The Dagster partition key."""
    request: ScanRequest
    """Where it came from."""
    files: tuple[RawFile, ...]
    """Every stored file, sorted by path."""
    tools: tuple[ToolRun, ...]
    """Every scanner we know of, sorted by slug."""
    expired: bool = False
    """True when GitHub no longer has any of the artifacts."""
    gone: tuple[str, ...] = ()
    """Names of the artifacts that GitHub no longer has; hostile text."""
    skipped_files: tuple[str, ...] = ()
    """Files that were not taken, each `path: reason`."""
