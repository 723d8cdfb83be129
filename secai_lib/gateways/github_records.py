"""What GitHub's REST API says about workflow runs and artifacts, checked and in our words."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from secai_lib.core.errors import Terminal
from secai_lib.core.record import Record
from secai_lib.core.scan import GithubScan
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.zip_checks import name_problem

COUNTED_CONCLUSIONS = frozenset({"success", "failure"})
"""A scanner that finds something often fails its run; cancelled and skipped ones do not count."""

MAX_FOLDER_CHARS = 100
_PLAIN = re.compile(rf"[A-Za-z0-9._ ()+=@,-]{{1,{MAX_FOLDER_CHARS}}}")
_STRANGE = re.compile(r"[^A-Za-z0-9._-]+|\.{2,}")


class RunPage(Record):
    """One page of completed runs, newest first."""

    runs: tuple[GithubScan, ...] = ()
    """The runs that pass the filter and whose conclusion counts."""
    etag: str = ""
    """The page's ETag; empty when the server gave none."""
    not_modified: bool = False
    """True when the page is as it was at the request's ETag (304); `runs` is then empty."""
    next_page: int | None = None
    """Number of the page after it; None on the last one and when not modified."""
    oldest: AwareDatetime | None = None
    """Creation time of the oldest run of the page, before our filter."""
    total: int = 0
    """How many runs the server's search has in all (before our filter)."""


class Artifact(Record):
    """One artifact of a workflow run."""

    repository: str
    """`owner/name`."""
    id: int
    """GitHub's id."""
    name: str
    """The artifact's name; hostile text, not a file name."""
    size: int
    """Bytes, as GitHub states them."""
    expired: bool
    """True when GitHub no longer has the content."""
    created_at: datetime
    """When it was uploaded (UTC)."""
    digest: str = ""
    """`sha256:` and 64 hex digits of the download; empty for artifacts older than 2025."""


class _RepositoryName(BaseModel):
    full_name: str


class _Run(BaseModel):
    id: int
    run_attempt: int = Field(default=1, ge=1)
    head_sha: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]
    head_branch: str | None = None
    event: str = ""
    conclusion: str | None = None
    created_at: AwareDatetime
    path: str = ""
    name: str | None = None
    repository: _RepositoryName | None = None


class _Started(BaseModel):
    run_started_at: AwareDatetime


class _Runs(BaseModel):
    total_count: int
    workflow_runs: tuple[_Run, ...]


class _Artifact(BaseModel):
    id: int
    name: str
    size_in_bytes: int
    expired: bool
    created_at: AwareDatetime
    digest: str | None = None


class _Artifacts(BaseModel):
    artifacts: tuple[_Artifact, ...]


def parse_runs(body: bytes, wanted: GithubRepository) -> RunPage:
    """The page's runs that count, in the page's order; its ETag and successor are not in `body`.

    Raises:
        Terminal: the answer is not what GitHub's API says.
    """
    answer = _checked(_Runs, body)
    runs = [run for run in answer.workflow_runs if _counts(run, wanted)]
    return RunPage(
        runs=tuple(_scan(run, wanted.name) for run in runs),
        oldest=min((run.created_at for run in answer.workflow_runs), default=None),
        total=answer.total_count,
    )


def parse_attempt(body: bytes, wanted: GithubRepository) -> GithubScan | None:
    """One attempt of a run, or None when it does not count.

    Raises:
        Terminal: the answer is not what GitHub's API says.
    """
    run = _checked(_Run, body)
    return _scan(run, wanted.name) if _counts(run, wanted) else None


def parse_start(body: bytes) -> datetime:
    """When an attempt began.

    Raises:
        Terminal: the answer is not what GitHub's API says.
    """
    return _checked(_Started, body).run_started_at


def parse_artifacts(body: bytes, repository: str) -> list[Artifact]:
    """The page's artifacts, in the page's order.

    Raises:
        Terminal: the answer is not what GitHub's API says.
    """
    return [
        Artifact(
            repository=repository,
            id=found.id,
            name=found.name,
            size=found.size_in_bytes,
            expired=found.expired,
            created_at=found.created_at,
            digest=found.digest or "",
        )
        for found in _checked(_Artifacts, body).artifacts
    ]


def folder_names(artifacts: Sequence[Artifact]) -> list[str]:
    """A safe folder name for each of `artifacts`, all different on every file system.

    It is the artifact's name where that can be; else what is readable of it, `~` and the id.
    """
    names = [artifact.name for artifact in artifacts]
    folded = Counter(name.casefold() for name in names)
    return [
        found.name
        if _PLAIN.fullmatch(found.name)
        and not name_problem(found.name)
        and folded[found.name.casefold()] == 1
        else f"{_STRANGE.sub('-', found.name)[:MAX_FOLDER_CHARS].strip('-. ')}~{found.id}"
        for found in artifacts
    ]


_Model = TypeVar("_Model", bound=BaseModel)


def _checked(model: type[_Model], body: bytes) -> _Model:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"]) or "the body"
        raise Terminal(
            f"The server's answer is not that of GitHub's REST API ({place}: {first['type']}); "
            "check the API address in config/platform.yaml."
        ) from None  # the cause would quote the hostile body


def _counts(run: _Run, wanted: GithubRepository) -> bool:
    if run.conclusion not in COUNTED_CONCLUSIONS:
        return False
    if wanted.branches and run.head_branch not in wanted.branches:
        return False
    if wanted.events and run.event not in wanted.events:
        return False
    # `path` may carry the ref of a reusable workflow: `.github/workflows/scan.yml@refs/heads/main`.
    file = PurePosixPath(run.path.partition("@")[0]).name
    return not wanted.workflows or not {file, run.name}.isdisjoint(wanted.workflows)


def _scan(run: _Run, repository: str) -> GithubScan:
    # GitHub ignores case in names; its own spelling keeps one key however the settings spell it.
    spelled = run.repository.full_name if run.repository else repository
    return GithubScan(
        repository=spelled if spelled.lower() == repository.lower() else repository,
        run_id=run.id,
        attempt=run.run_attempt,
        commit=run.head_sha,
        branch=run.head_branch or "",
        event=run.event,
        conclusion=run.conclusion or "",
        created_at=run.created_at,
    )
