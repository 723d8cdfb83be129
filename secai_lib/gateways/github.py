"""The door to GitHub Actions: which scans ran, and their artifacts.

Source: docs.github.com, REST API, "Workflow runs" and "Artifacts". The token needs `actions: read`
and nothing else; public repositories need none.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

import httpx
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from secai_lib.core.errors import Expired, NotFound, Terminal, Unreachable, UsageError
from secai_lib.core.scan import GithubScan
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_download import Download
from secai_lib.gateways.github_http import Clocks, GithubHttp
from secai_lib.gateways.github_records import (
    Artifact,
    RunPage,
    parse_artifacts,
    parse_attempt,
    parse_runs,
    parse_start,
)

ATTEMPTS = 3
PAGE_SIZE = 100
MAX_ARTIFACT_PAGES = 20
MAX_DOWNLOAD_BYTES = 1024 * 2**20
DOWNLOAD_PATIENCE = 900.0
"""Seconds for all attempts of one download together."""

_REPOSITORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_WORKFLOW_FILE = re.compile(r"[A-Za-z0-9._-]+\.ya?ml")


class _Answer(NamedTuple):
    status: int
    etag: str
    next_page: int | None
    body: bytes


class GithubActions:
    """Reads workflow runs and artifacts; never waits longer than `patience` for one answer."""

    def __init__(
        self,
        api_url: str,
        token: str | None,
        *,
        timeout: tuple[float, float] = (3, 10),
        patience: float = 15,
        clocks: Clocks | None = None,
    ) -> None:
        """Use the API at `api_url` (`https://HOST/api/v3` for GitHub Enterprise).

        Args:
            api_url: Address of the REST API; https, or http on this machine.
            token: Token with `actions: read`; None for public repositories.
            timeout: Seconds for connecting and for each read.
            patience: Seconds for one question, retries included; a rate limit is never waited for.
            clocks: Time, for tests.

        Raises:
            UsageError: the address or the token cannot be used.
        """
        self._clocks = clocks or Clocks()
        self._http = GithubHttp(api_url, token, timeout, self._clocks)
        self.patience = patience

    def __repr__(self) -> str:
        return f"GithubActions({self._http.base}, {'with' if self._http.has_token else 'no'} token)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def completed_runs(
        self,
        wanted: GithubRepository,
        *,
        since: date,
        until: date | None = None,
        page: int = 1,
        etag: str = "",
    ) -> RunPage:
        """One page of the repository's completed runs, newest first, filtered by `wanted`.

        Args:
            wanted: The repository and which of its runs count.
            since: First day of creation (UTC).
            until: Last day or moment of creation; None for no end. One search lists 1,000 runs at
                most, so a longer list goes on with `until` at the oldest run seen.
            page: Page number, from 1.
            etag: The page's ETag when it was last seen; an unchanged page costs no quota.

        Raises:
            RateLimited: GitHub asks us to wait; nobody has waited yet.
            Unreachable: no answer after some attempts.
            Terminal: unknown repository or missing permission; the message says which.
        """
        path = f"{_repository_path(wanted.name)}/actions/runs"
        if len(wanted.workflows) == 1 and _WORKFLOW_FILE.fullmatch(wanted.workflows[0]):
            path = f"{_repository_path(wanted.name)}/actions/workflows/{wanted.workflows[0]}/runs"
        query = {
            "status": "completed",
            "created": f"{since}..{_moment(until)}" if until else f">={since}",
            "exclude_pull_requests": "true",
            "per_page": str(PAGE_SIZE),
            "page": str(page),
        }
        # The API takes one value each; several are filtered here.
        for name, values in (("branch", wanted.branches), ("event", wanted.events)):
            if len(values) == 1:
                query[name] = values[0]
        subject = f"Workflow runs of {wanted.name}"
        answer = self._get(path, query, subject, {"If-None-Match": etag} if etag else {})
        if answer.status == 304:
            return RunPage(etag=etag, not_modified=True)
        found = parse_runs(answer.body, wanted)
        return found.model_copy(update={"etag": answer.etag, "next_page": answer.next_page})

    def attempt(self, wanted: GithubRepository, run_id: int, number: int) -> GithubScan | None:
        """An attempt of a run that was started again since; None when it does not count or is gone.

        Lists show the newest attempt of a run only.

        Raises:
            SecAIError: as `completed_runs`.
        """
        path = f"{_repository_path(wanted.name)}/actions/runs/{run_id}/attempts/{number}"
        subject = f"Attempt {number} of run {run_id} of {wanted.name}"
        try:
            answer = self._get(path, {"exclude_pull_requests": "true"}, subject, {})
        except NotFound:
            return None
        return parse_attempt(answer.body, wanted)

    def artifacts(
        self, repository: str, run_id: int, *, attempt: int | None = None
    ) -> list[Artifact]:
        """The run's artifacts, sorted by name; of several with one name (re-runs) the newest.

        GitHub lists those of all attempts together. With `attempt`, what was uploaded after the
        next attempt began is left out; a job that was not started again keeps its artifact.

        Raises:
            SecAIError: as `completed_runs`.
        """
        path = f"{_repository_path(repository)}/actions/runs/{run_id}/artifacts"
        subject = f"Artifacts of run {run_id} of {repository}"
        newest: dict[str, Artifact] = {}
        end = self._start_of(repository, run_id, attempt + 1) if attempt else None
        page: int | None = 1
        while page is not None:
            if page > MAX_ARTIFACT_PAGES:
                raise Terminal(f"{subject}: too many, over {MAX_ARTIFACT_PAGES} pages; none taken.")
            answer = self._get(path, {"per_page": str(PAGE_SIZE), "page": str(page)}, subject, {})
            for found in parse_artifacts(answer.body, repository):
                if end and found.created_at >= end:
                    continue
                held = newest.get(found.name)
                if held is None or (held.created_at, held.id) < (found.created_at, found.id):
                    newest[found.name] = found
            page = answer.next_page
        return [newest[name] for name in sorted(newest)]

    def _start_of(self, repository: str, run_id: int, attempt: int) -> datetime | None:
        """When the attempt began; None when there is no such attempt."""
        path = f"{_repository_path(repository)}/actions/runs/{run_id}/attempts/{attempt}"
        query = {"exclude_pull_requests": "true"}
        try:
            answer = self._get(path, query, f"Attempts of run {run_id} of {repository}", {})
        except NotFound:
            return None
        return parse_start(answer.body)

    def download(
        self, artifact: Artifact, target: Path, *, max_bytes: int = MAX_DOWNLOAD_BYTES
    ) -> int:
        """Bytes written to `target`, which appears whole or not at all.

        Raises:
            Expired: GitHub no longer has it.
            Unreachable: no answer, or cut short, after some attempts.
            Terminal: larger than `max_bytes`, or missing permission.
            StorageError: the disk is full or not writable.
        """
        subject = f"Artifact {artifact.id} of {artifact.repository}"
        if artifact.expired:
            raise Expired(f"{subject} has expired; GitHub no longer has it.")
        path = f"{_repository_path(artifact.repository)}/actions/artifacts/{artifact.id}/zip"
        deadline = self._clocks.monotonic() + DOWNLOAD_PATIENCE
        download = Download(self._http, subject, deadline, max_bytes, artifact.digest)
        try:
            return self._retrying(deadline)(download.run, self._url(path), target)
        except NotFound as error:  # it was listed a moment ago, so this is no missing permission
            raise Expired(f"{subject} was deleted; GitHub no longer has it.") from error

    def _get(
        self, path: str, query: Mapping[str, str], subject: str, headers: Mapping[str, str]
    ) -> _Answer:
        deadline = self._clocks.monotonic() + self.patience
        url = self._url(path).copy_merge_params(query)

        def once() -> _Answer:
            with self._http.stream(url, headers, deadline=deadline, subject=subject) as answer:
                if answer.status_code not in (200, 304):
                    raise Terminal(
                        f"{subject}: GitHub answers with {answer.status_code}; was the repository "
                        "renamed? Write its present name into config/platform.yaml."
                    )
                body = self._http.body(answer, deadline, subject)
                following = _next_page(answer, int(query.get("page", "1")))
                return _Answer(answer.status_code, answer.headers.get("ETag", ""), following, body)

        return self._retrying(deadline)(once)

    def _retrying(self, deadline: float) -> Retrying:
        def enough(state: RetryCallState) -> bool:
            late = self._clocks.monotonic() + state.upcoming_sleep >= deadline
            return late or state.attempt_number >= ATTEMPTS

        return Retrying(
            retry=retry_if_exception_type(Unreachable),
            wait=wait_random_exponential(multiplier=0.5, max=4),
            stop=enough,
            sleep=self._clocks.sleep,
            reraise=True,
        )

    def _url(self, path: str) -> httpx.URL:
        return self._http.base.copy_with(path=f"{self._http.base.path.rstrip('/')}{path}")


def _repository_path(repository: str) -> str:
    if not _REPOSITORY.fullmatch(repository):
        raise UsageError(f"{repository!r} is no repository on GitHub; write it as owner/name.")
    return f"/repos/{repository}"


def _moment(until: date) -> str:
    """`until` as GitHub's searches write it; a day is meant whole."""
    if isinstance(until, datetime):
        return until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return until.isoformat()


def _next_page(answer: httpx.Response, page: int) -> int | None:
    """Number of the next page by the Link header; None on the last page.

    Only the number is taken: behind a proxy the header may name a host that is not ours.
    """
    query = parse_qs(urlsplit(answer.links.get("next", {}).get("url", "")).query)
    number = query.get("page", [""])[0]
    return int(number) if number.isdecimal() and page < int(number) < 10_000 else None
