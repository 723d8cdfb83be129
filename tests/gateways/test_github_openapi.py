"""Our requests and the stand-in's answers, held against GitHub's own description of its API."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github import GithubActions
from tests.fakes.github_openapi import answer_problems, described, request_problems
from tests.fakes.github_server import FakeArtifact, FakeRun, GithubServer, StorageServer

ROOT = "/repos/octo/app/actions"
NOON = datetime(2025, 9, 11, 12, tzinfo=UTC)
RUNS = [FakeRun(7, created_at=NOON), FakeRun(8, branch=None, conclusion="failure")]
ARTIFACTS = [FakeArtifact(1, 7, "trivy"), FakeArtifact(2, 7, "old", gone=True)]


def test_every_request_is_one_that_github_describes(tmp_path: Path) -> None:
    with (
        StorageServer({"/blob/1": ARTIFACTS[0].content}) as storage,
        GithubServer(RUNS, ARTIFACTS, storage=storage.url) as server,
        GithubActions(server.url, None) as github,
    ):
        since = date(2025, 9, 1)
        for wanted in (
            GithubRepository(name="octo/app"),
            GithubRepository(
                name="octo/app", workflows=("security.yml",), branches=("main",), events=("push",)
            ),
        ):
            for until in (None, since, NOON + timedelta(hours=1)):
                github.completed_runs(wanted, since=since, until=until, etag='"x"')
            github.attempt(wanted, 7, 1)
        github.download(github.artifacts("octo/app", 7, attempt=1)[1], tmp_path / "a.zip")
        assert len(server.seen) == 11
        assert server.undescribed() == []
        assert {name for request in server.seen for name in request.query} == {
            *("status", "created", "exclude_pull_requests", "per_page", "page"),
            *("branch", "event"),
        }


@pytest.mark.parametrize(
    "path", ["runs", "workflows/security.yml/runs", "runs/7/attempts/1", "runs/7/artifacts"]
)
def test_the_stand_in_answers_as_github_describes(path: str) -> None:
    query = {"status": "completed", "created": ">=2025-09-01", "per_page": "100", "page": "1"}
    with GithubServer(RUNS, ARTIFACTS) as server:
        reply = server.answer(f"{ROOT}/{path}", query, {})
    assert reply.status == 200
    assert answer_problems(f"{ROOT}/{path}", 200, reply.body) == []


@pytest.mark.parametrize(("number", "status"), [(1, 302), (2, 410)])
def test_downloads_answer_as_github_describes(number: int, status: int) -> None:
    path = f"{ROOT}/artifacts/{number}/zip"
    with GithubServer(RUNS, ARTIFACTS) as server:
        reply = server.answer(path, {}, {})
    assert reply.status == status
    assert answer_problems(path, status, reply.body) == []
    operation = described(path)
    assert operation and set(operation["responses"]) == {"302", "410"}


def test_the_check_itself_finds_what_is_wrong() -> None:
    assert request_problems(f"{ROOT}/runz", {}) == [f"no such operation: {ROOT}/runz"]
    assert request_problems(f"{ROOT}/runs", {"state": "done"}) == ["unknown parameter: state"]
    assert request_problems(f"{ROOT}/runs", {"status": "done", "page": "x"})
    assert answer_problems(f"{ROOT}/runs", 200, b'{"workflow_runs": []}')
    assert answer_problems(f"{ROOT}/runs", 200, b'{"total_count": 1, "workflow_runs": [{"id": 1}]}')
    assert answer_problems(f"{ROOT}/artifacts/1/zip", 200, b"")
