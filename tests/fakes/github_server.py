"""A GitHub that lives on 127.0.0.1: runs, artifacts and a storage on another port.

All state goes into the constructors; what was asked is in `seen`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from tests.fakes.github_openapi import PATHS, request_problems, required
from tests.fakes.local_server import Fault, LocalServer, Reply

COMMIT = "87820e7" + "0" * 33
_RUN: dict[str, Any] = required(PATHS[0], "workflow_runs", "*")
_ARTIFACT: dict[str, Any] = required(PATHS[3], "artifacts", "*")


@dataclass(frozen=True)
class FakeRun:
    id: int
    created_at: datetime = datetime(2025, 9, 11, 12, tzinfo=UTC)
    attempt: int = 1
    """Several runs with one id are its attempts; lists show the last one."""
    started_at: datetime | None = None
    """When the attempt began; None for the run's creation."""
    conclusion: str | None = "success"
    status: str = "completed"
    branch: str | None = "main"
    event: str = "push"
    workflow: str = "security.yml"
    name: str = "Security"
    commit: str = COMMIT

    def payload(self, repository: str) -> dict[str, object]:
        return _RUN | {
            "id": self.id,
            "name": self.name,
            "run_attempt": self.attempt,
            "head_sha": self.commit,
            "head_branch": self.branch,
            "event": self.event,
            "status": self.status,
            "conclusion": self.conclusion,
            "created_at": _stamp(self.created_at),
            "run_started_at": _stamp(self.started_at or self.created_at),
            "path": f".github/workflows/{self.workflow}",
            "repository": _RUN["repository"] | {"id": 1, "full_name": repository},
            "html_url": f"https://github.com/{repository}/actions/runs/{self.id}",
        }


@dataclass(frozen=True)
class FakeArtifact:
    id: int
    run_id: int
    name: str
    content: bytes = b"PK\x05\x06" + bytes(18)
    expired: bool = False
    """What the list says."""
    gone: bool = False
    """True: the download says 410, though the list does not know yet."""
    created_at: datetime = datetime(2025, 9, 11, 13, tzinfo=UTC)
    digest: str | None = None

    def payload(self) -> dict[str, object]:
        return _ARTIFACT | {
            "id": self.id,
            "name": self.name,
            "size_in_bytes": len(self.content),
            "expired": self.expired,
            "created_at": _stamp(self.created_at),
            "digest": self.digest,
        }


class StorageServer(LocalServer):
    """Where the redirect of a download leads: another port, so another host to a client."""

    def __init__(
        self, blobs: Mapping[str, bytes], *, truncated: int = 0, faults: Sequence[Fault] = ()
    ) -> None:
        """Serve `blobs` by path; the first `truncated` answers stop half-way."""
        super().__init__()
        self._blobs, self._truncated, self._faults = dict(blobs), truncated, list(faults)

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        if self._faults:
            fault = self._faults.pop(0)
            return Reply(fault.status, fault.headers, fault.body)
        body = self._blobs[path]
        if self._truncated:
            self._truncated -= 1
            return Reply(200, {}, body[: len(body) // 2], announced=len(body))
        return Reply(200, {"Content-Type": "application/zip"}, body)


class GithubServer(LocalServer):
    """The REST API of one repository; `faults` are answered first, one request each."""

    def __init__(
        self,
        runs: Sequence[FakeRun] = (),
        artifacts: Sequence[FakeArtifact] = (),
        *,
        repository: str = "octo/app",
        token: str | None = None,
        prefix: str = "",
        storage: str = "",
        page_size: int = 100,
        link_host: str = "",
        faults: Sequence[Fault] = (),
    ) -> None:
        super().__init__()
        self.runs, self.artifacts, self.faults = list(runs), list(artifacts), list(faults)
        self._repository, self._token, self._prefix = repository, token, prefix
        self._storage, self._page_size, self._link_host = storage, page_size, link_host

    @property
    def url(self) -> str:
        return super().url + self._prefix

    def undescribed(self) -> list[str]:
        """What of the requests GitHub's own description does not know."""
        return [
            problem
            for request in self.seen
            for problem in request_problems(
                request.path.removeprefix(self._prefix), dict(request.query)
            )
        ]

    def statuses(self) -> list[int]:
        return [request.status for request in self.seen]

    def answer(self, path: str, query: dict[str, str], headers: dict[str, str]) -> Reply:
        if self.faults:
            fault = self.faults.pop(0)
            return Reply(fault.status, fault.headers, fault.body)
        if self._token and headers.get("authorization") != f"Bearer {self._token}":
            return _message(401, "Bad credentials")
        root = f"{self._prefix}/repos/{self._repository}/actions/"
        if not path.lower().startswith(root.lower()):
            return _message(404, "Not Found")
        match path[len(root) :].split("/"):
            case ["runs"]:
                return self._runs(path, query, headers, "")
            case ["workflows", workflow, "runs"]:
                return self._runs(path, query, headers, workflow)
            case ["runs", run, "attempts", number]:
                return self._attempt(int(run), int(number))
            case ["runs", run, "artifacts"]:
                found = [a.payload() for a in self.artifacts if a.run_id == int(run)]
                return self._page(path, query, headers, "artifacts", found)
            case ["artifacts", artifact, "zip"]:
                return self._zip(int(artifact))
        return _message(404, "Not Found")

    def _runs(
        self, path: str, query: dict[str, str], headers: dict[str, str], workflow: str
    ) -> Reply:
        first, _, last = query["created"].removeprefix(">=").partition("..")
        newest = {run.id: run for run in sorted(self.runs, key=lambda r: r.attempt)}
        found = [
            run.payload(self._repository)
            for run in sorted(newest.values(), key=lambda r: (r.created_at, r.id), reverse=True)
            if first <= f"{run.created_at:%Y-%m-%d}"
            and _stamp(run.created_at)[: len(last) or 1] <= (last or "9")
            and run.status == query["status"]
            and run.branch == query.get("branch", run.branch)
            and run.event == query.get("event", run.event)
            and run.workflow == (workflow or run.workflow)
        ]
        return self._page(path, query, headers, "workflow_runs", found)

    def _attempt(self, run_id: int, number: int) -> Reply:
        for run in self.runs:
            if (run.id, run.attempt) == (run_id, number):
                body = json.dumps(run.payload(self._repository)).encode()
                return Reply(200, {"Content-Type": "application/json"}, body)
        return _message(404, "Not Found")

    def _page(
        self,
        path: str,
        query: dict[str, str],
        headers: dict[str, str],
        name: str,
        every: list[dict[str, object]],
    ) -> Reply:
        size, page = min(int(query["per_page"]), self._page_size), int(query["page"])
        # "up to 1,000 results for each search" with these filters, whatever the total
        listed = every[:1000] if name == "workflow_runs" else every
        shown = listed[(page - 1) * size : page * size]
        body = json.dumps({"total_count": len(every), name: shown}).encode()
        etag = f'W/"{hashlib.sha256(body).hexdigest()}"'
        if headers.get("if-none-match") == etag:
            return Reply(304, {"ETag": etag}, b"")
        answer = {"ETag": etag, "Content-Type": "application/json", "X-RateLimit-Remaining": "59"}
        if page * size < len(listed):
            host = self._link_host or super().url
            following = f"{host}{path}?{urlencode({**query, 'page': page + 1})}"
            answer["Link"] = f'<{following}>; rel="next", <{host}{path}?page=9>; rel="last"'
        return Reply(200, answer, body)

    def _zip(self, artifact_id: int) -> Reply:
        artifact = next((a for a in self.artifacts if a.id == artifact_id), None)
        if artifact is None:
            return _message(404, "Not Found")
        if artifact.expired or artifact.gone:
            return _message(410, "Artifact has expired")
        location = f"{self._storage}/blob/{artifact_id}?sig=s3cr3t-signature"
        return Reply(302, {"Location": location}, b"")


def _message(status: int, text: str) -> Reply:
    return Reply(
        status, {"Content-Type": "application/json"}, json.dumps({"message": text}).encode()
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
