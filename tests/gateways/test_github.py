"""The door to GitHub against a real local HTTP server."""

import hashlib
import logging
import socket
import traceback
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from secai_lib.core.errors import (
    Expired,
    RateLimited,
    SecAIError,
    StorageError,
    Terminal,
    Transient,
    Unreachable,
    UsageError,
)
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github import GithubActions
from secai_lib.gateways.github_http import Clocks
from secai_lib.gateways.github_poll import every_run
from secai_lib.gateways.github_records import Artifact
from tests.fakes.github_server import FakeArtifact, FakeRun, GithubServer, StorageServer
from tests.fakes.local_server import Fault

NOW = 1_757_600_000.0
TOKEN = "ghp_veryS3cretToken"
SINCE = date(2025, 9, 1)
APP = GithubRepository(name="octo/app", events=())


class FakeTime:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def clocks(self) -> Clocks:
        return Clocks(
            wall=lambda: NOW + sum(self.slept),
            monotonic=lambda: sum(self.slept),
            sleep=self.slept.append,
        )


def door(
    server: GithubServer, token: str | None = None, time: FakeTime | None = None
) -> GithubActions:
    return GithubActions(server.url, token, clocks=(time or FakeTime()).clocks())


# -- runs ---------------------------------------------------------------------------------


def test_completed_runs_are_whole_scans() -> None:
    run = FakeRun(7, attempt=2, conclusion="failure", branch=None, event="schedule")
    with GithubServer([run]) as server, door(server) as github:
        page = github.completed_runs(APP, since=SINCE)
    (scan,) = page.runs
    assert (scan.run_id, scan.attempt, scan.branch, scan.event) == (7, 2, "", "schedule")
    assert (scan.commit, scan.conclusion) == (run.commit, "failure")
    assert scan.created_at == run.created_at
    assert (page.next_page, page.not_modified, page.total) == (None, False, 1)


def test_failed_runs_count_and_runs_that_scanned_nothing_do_not() -> None:
    conclusions = ["success", "failure", "cancelled", "skipped", "action_required", None]
    runs = [FakeRun(i, conclusion=c) for i, c in enumerate(conclusions)]
    runs.append(FakeRun(99, status="in_progress", conclusion=None))
    with GithubServer(runs) as server, door(server) as github:
        found = github.completed_runs(APP, since=SINCE).runs
    assert {run.run_id for run in found} == {0, 1}


@pytest.mark.parametrize(
    ("wanted", "ids"),
    [
        ({"workflows": ("security.yml",)}, {1, 2, 3}),
        ({"workflows": ("Security", "nightly.yml")}, {1, 2, 3, 4}),
        ({"workflows": ("curity.yml",)}, set()),
        ({"branches": ("main",)}, {1, 3, 4}),
        ({"branches": ("main", "dev")}, {1, 2, 3, 4}),
        ({"branches": ("mai",)}, set()),
        ({"events": ("push", "schedule")}, {1, 2, 4}),
        ({"events": ("pull_request",)}, {3}),
    ],
)
def test_runs_are_filtered(wanted: dict[str, tuple[str, ...]], ids: set[int]) -> None:
    runs = [
        FakeRun(1),
        FakeRun(2, branch="dev"),
        FakeRun(3, event="pull_request"),
        FakeRun(4, workflow="nightly.yml@refs/heads/main", name="Nightly", event="schedule"),
    ]
    repository = GithubRepository.model_validate({"name": "octo/app", "events": (), **wanted})
    with GithubServer(runs) as server, door(server) as github:
        assert {r.run_id for r in github.completed_runs(repository, since=SINCE).runs} == ids


def test_since_and_until_are_days() -> None:
    runs = [FakeRun(day, created_at=datetime(2025, 9, day, 23, tzinfo=UTC)) for day in (1, 2, 3)]
    with GithubServer(runs) as server, door(server) as github:
        window = github.completed_runs(APP, since=date(2025, 9, 2), until=date(2025, 9, 2))
        assert {run.run_id for run in window.runs} == {2}
        assert {run.run_id for run in github.completed_runs(APP, since=date(2025, 9, 2)).runs} == {
            2,
            3,
        }


def test_pages_follow_the_link_header_but_never_its_host() -> None:
    runs = [FakeRun(i) for i in range(5)]
    with (
        GithubServer(runs, page_size=2, link_host="https://attacker.example") as server,
        door(server, TOKEN) as github,
    ):
        seen, number = [], 1
        while number:
            page = github.completed_runs(APP, since=SINCE, page=number)
            seen += [run.run_id for run in page.runs]
            number = page.next_page or 0
    assert seen == [4, 3, 2, 1, 0]
    assert len(server.seen) == 3


@pytest.mark.parametrize("page", ["1", "0", "-2", "x", "", "99999999999"])
def test_a_link_that_leads_nowhere_ends_the_list(page: str) -> None:
    link = {"Link": f'<https://api.github.com/x?page={page}>; rel="next"'}
    fault = Fault(200, link, b'{"total_count": 0, "workflow_runs": []}')
    with GithubServer(faults=[fault]) as server, door(server) as github:
        assert github.completed_runs(APP, since=SINCE).next_page is None


def test_an_unchanged_page_is_not_modified() -> None:
    with GithubServer([FakeRun(1)]) as server, door(server) as github:
        first = github.completed_runs(APP, since=SINCE)
        second = github.completed_runs(APP, since=SINCE, etag=first.etag)
        server.runs.append(FakeRun(2))
        third = github.completed_runs(APP, since=SINCE, etag=first.etag)
    assert (second.not_modified, second.runs, second.etag) == (True, (), first.etag)
    assert (third.not_modified, len(third.runs)) == (False, 2)
    assert server.statuses() == [200, 304, 200]


def test_the_servers_spelling_of_the_name_wins() -> None:
    wanted = GithubRepository(name="OCTO/App", events=())
    with GithubServer([FakeRun(1)]) as server, door(server) as github:
        assert github.completed_runs(wanted, since=SINCE).runs[0].repository == "octo/app"


def test_enterprise_address_with_a_path() -> None:
    with (
        GithubServer([FakeRun(1)], prefix="/api/v3") as server,
        GithubActions(server.url + "/", None) as github,
    ):
        assert len(github.completed_runs(APP, since=SINCE).runs) == 1
    assert server.seen[0].path.startswith("/api/v3/repos/octo/app/")


@pytest.mark.parametrize("name", ["../x", "a/..", "a/b?x=1", "a", "a/b/c", "a/b#", "a b/c", ""])
def test_a_name_cannot_change_the_address(name: str) -> None:
    with (
        GithubServer() as server,
        door(server) as github,
        pytest.raises(UsageError, match="owner/name"),
    ):
        github.artifacts(name, 1)
    assert server.seen == []


# -- refusals -----------------------------------------------------------------------------


def refused(fault: Fault, token: str | None = None) -> tuple[SecAIError, int]:
    """The error after `fault` (for ever), and the number of requests."""
    time = FakeTime()
    with (
        GithubServer(faults=[fault] * 9) as server,
        door(server, token, time) as github,
        pytest.raises(SecAIError) as caught,
    ):
        github.completed_runs(APP, since=SINCE)
    assert sum(time.slept) < github.patience
    return caught.value, len(server.seen)


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault(429, {"Retry-After": "37"}), 37),
        (Fault(403, {"Retry-After": "Thu, 11 Sep 2025 14:15:00 GMT"}), 100),
        (Fault(503, {"Retry-After": "5"}), 5),
        (Fault(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW + 90:.0f}"}), 90),
        (Fault(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": f"{NOW - 9:.0f}"}), 1),
        (Fault(403, body=b'{"message": "You have exceeded a secondary Rate Limit"}'), 60),
        (Fault(429), 60),
        (Fault(429, {"Retry-After": "99999999999"}), 7200),
        (Fault(429, {"Retry-After": "soon"}), 60),
        (Fault(429, {"Retry-After": "nan"}), 60),
        (Fault(429, {"Retry-After": "-5"}), 1),
        (Fault(429, {"Retry-After": "inf"}), 7200),
    ],
)
def test_a_limit_says_how_long_and_nobody_waits(fault: Fault, seconds: float) -> None:
    error, requests = refused(fault)
    assert isinstance(error, RateLimited)
    assert error.retry_after == pytest.approx(seconds)
    assert requests == 1


@pytest.mark.parametrize(
    ("status", "token", "words"),
    [
        (401, TOKEN, "refuses the token"),
        (401, None, "wants a token"),
        (403, TOKEN, "actions: read"),
        (404, None, "actions: read"),
        (422, TOKEN, "422"),
        (301, TOKEN, "renamed"),
    ],
)
def test_what_somebody_must_mend_is_said_once(status: int, token: str | None, words: str) -> None:
    error, requests = refused(Fault(status), token)
    assert isinstance(error, Terminal)
    assert words in str(error)
    assert "octo/app" in str(error)
    assert requests == 1


@pytest.mark.parametrize("status", [500, 502, 503, 408])
def test_a_broken_server_is_asked_three_times(status: int) -> None:
    error, requests = refused(Fault(status))
    assert isinstance(error, Unreachable)
    assert requests == 3


def test_a_short_failure_is_not_noticed() -> None:
    time = FakeTime()
    faults = [Fault(502), Fault(500)]
    with GithubServer([FakeRun(1)], faults=faults) as server, door(server, None, time) as github:
        assert len(github.completed_runs(APP, since=SINCE).runs) == 1
    assert len(time.slept) == 2


def test_no_attempt_begins_after_the_patience_is_used_up() -> None:
    time = FakeTime()
    time.slept.append(0)
    clocks = time.clocks()._replace(monotonic=lambda: 1000.0 * len(server.seen))
    with (
        GithubServer(faults=[Fault(500)] * 9) as server,
        GithubActions(server.url, None, clocks=clocks) as github,
        pytest.raises(Unreachable),
    ):
        github.completed_runs(APP, since=SINCE)
    assert len(server.seen) == 1


def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with (
            GithubActions(url, None, clocks=FakeTime().clocks()) as github,
            pytest.raises(Unreachable, match="check the network"),
        ):
            github.completed_runs(APP, since=SINCE)


@pytest.mark.parametrize(
    "body",
    [b"<html>welcome</html>", b"[]", b"{}", b'{"total_count": 1, "workflow_runs": [{"id": "x"}]}',
     b'{"total_count":1,"workflow_runs":[{"id":1,"head_sha":"../../x","created_at":"2025-09-11T00:00:00Z"}]}',
     b"[" * 100_000],
)  # fmt: skip
def test_something_that_is_not_github(body: bytes) -> None:
    error, requests = refused(Fault(200, body=body))
    assert isinstance(error, Terminal)
    assert "API address" in str(error)
    assert requests == 1


# -- the address and the token ---------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["http://github.example/api/v3", "http://127.0.0.1.evil.example", "ftp://127.0.0.1", "", "https://",
     "https://user:pw@github.example", "https://api.github.com?x=1", "file:///etc/passwd", "http://10.0.0.1"],
)  # fmt: skip
def test_unsafe_addresses_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        GithubActions(url, TOKEN)


@pytest.mark.parametrize("url", ["https://api.github.com", "http://localhost:1", "http://[::1]:1"])
def test_safe_addresses_are_taken(url: str) -> None:
    assert repr(GithubActions(url, TOKEN)) == f"GithubActions({url}, with token)"


@pytest.mark.parametrize("token", ["ghp secret", "ghp_sécret", "ghp_secret\r\nX: y"])
def test_a_token_that_would_break_the_header_is_refused_unseen(token: str) -> None:
    with pytest.raises(UsageError) as caught:
        GithubActions("https://api.github.com", token)
    assert "ecret" not in "".join(traceback.format_exception(caught.value))


def test_no_token_sends_none() -> None:
    with GithubServer([FakeRun(1)]) as server, door(server, "  ") as github:
        github.completed_runs(APP, since=SINCE)
    assert "authorization" not in server.seen[0].headers


@pytest.mark.parametrize(
    "fault",
    [Fault(401), Fault(403), Fault(404), Fault(500), Fault(429), Fault(302, {"Location": "http://x/"}),
     Fault(200, body=TOKEN.encode())],
)  # fmt: skip
def test_the_token_is_in_no_error(fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        error, _ = refused(fault, TOKEN)
    told = "".join(traceback.format_exception(error)) + repr(error.__dict__) + caplog.text
    assert TOKEN not in told


# -- artifacts ------------------------------------------------------------------------------


def test_an_attempt_has_the_artifacts_from_before_the_next_one_began() -> None:
    noon = datetime(2025, 9, 11, 12, tzinfo=UTC)
    runs = [
        FakeRun(7, created_at=noon),
        FakeRun(7, created_at=noon, attempt=2, started_at=noon + timedelta(hours=2)),
    ]
    artifacts = [
        FakeArtifact(1, 7, "trivy", created_at=noon + timedelta(hours=1)),
        FakeArtifact(2, 7, "semgrep", created_at=noon + timedelta(hours=1)),
        FakeArtifact(3, 7, "trivy", created_at=noon + timedelta(hours=3)),
    ]
    with GithubServer(runs, artifacts) as server, GithubActions(server.url, None) as github:
        first = github.artifacts("octo/app", 7, attempt=1)
        second = github.artifacts("octo/app", 7, attempt=2)
        wanted = GithubRepository(name="octo/app")
        assert [one.id for one in first] == [2, 1]
        assert [one.id for one in second] == [2, 3], "a job not started again keeps its artifact"
        earlier = github.attempt(wanted, 7, 1)
        assert earlier and (earlier.attempt, earlier.run_id) == (1, 7)
        assert github.attempt(wanted, 7, 3) is None
        page = github.completed_runs(wanted, since=noon.date())
        assert [run.attempt for run in page.runs] == [2], "a list shows the last attempt"


def test_a_deleted_artifact_is_gone_for_good(tmp_path: Path) -> None:
    with GithubServer() as server, GithubActions(server.url, None) as github:
        found = Artifact(
            repository="octo/app", id=5, name="a", size=1, expired=False,
            created_at=datetime(2025, 9, 11, tzinfo=UTC),
        )  # fmt: skip
        with pytest.raises(Expired, match="deleted"):
            github.download(found, tmp_path / "a.zip")


def test_every_run_of_a_long_history_comes_once() -> None:
    begin = datetime(2025, 9, 1, tzinfo=UTC)
    runs = [FakeRun(i, created_at=begin + timedelta(minutes=i // 3)) for i in range(2301)]
    with GithubServer(runs) as server, GithubActions(server.url, None) as github:
        wanted = GithubRepository(name="octo/app")
        found = list(every_run(github, wanted, since=begin.date()))
        assert len(found) == len({run.run_id for run in found}) == 2301
        assert found == sorted(found, key=lambda r: (r.created_at, r.run_id), reverse=True)
        some = list(every_run(github, wanted, since=begin.date(), until=begin.date()))
        assert {run.created_at.date() for run in some} == {begin.date()}
        assert len(some) == sum(run.created_at.date() == begin.date() for run in runs)

        server.runs = [FakeRun(i, created_at=begin) for i in range(1001)]
        with pytest.raises(Terminal, match="one second"):
            list(every_run(github, wanted, since=begin.date()))


def test_artifacts_are_listed_over_pages_the_newest_of_each_name() -> None:
    later = datetime(2025, 9, 12, tzinfo=UTC)
    held = [FakeArtifact(i, 7, f"scan-{i % 4}") for i in range(1, 6)]
    held += [FakeArtifact(9, 7, "scan-2", created_at=later), FakeArtifact(10, 8, "other")]
    with GithubServer([], held, page_size=2) as server, door(server) as github:
        found = github.artifacts("octo/app", 7)
    assert [(a.name, a.id) for a in found] == [
        ("scan-0", 4), ("scan-1", 5), ("scan-2", 9), ("scan-3", 3),
    ]  # fmt: skip
    assert len(server.seen) == 3


def fetched(
    target: Path, *, artifact: FakeArtifact, storage: StorageServer, token: str = TOKEN,
    max_bytes: int = 10_000,
) -> tuple[int, GithubServer]:  # fmt: skip
    """What `download` returns, and the API server that was asked."""
    with (
        storage,
        GithubServer([], [artifact], token=token, storage=storage.url) as server,
        door(server, token) as github,
    ):
        (listed,) = github.artifacts("octo/app", artifact.run_id)
        return github.download(listed, target, max_bytes=max_bytes), server


BLOB = b"PK" + bytes(range(256)) * 8


def test_download_follows_to_another_host_without_the_token(tmp_path: Path) -> None:
    artifact = FakeArtifact(5, 7, "zap", BLOB, digest=f"sha256:{hashlib.sha256(BLOB).hexdigest()}")
    storage = StorageServer({"/blob/5": BLOB})
    size, server = fetched(tmp_path / "deep" / "zap.zip", artifact=artifact, storage=storage)
    assert size == len(BLOB)
    assert (tmp_path / "deep" / "zap.zip").read_bytes() == BLOB
    assert all(request.headers["authorization"] == f"Bearer {TOKEN}" for request in server.seen)
    (request,) = storage.seen
    assert "authorization" not in request.headers
    assert not any(TOKEN in value for value in request.headers.values())


def test_a_download_cut_short_is_tried_again(tmp_path: Path) -> None:
    storage = StorageServer({"/blob/5": BLOB}, truncated=1)
    fetched(tmp_path / "a.zip", artifact=FakeArtifact(5, 7, "a", BLOB), storage=storage)
    assert (tmp_path / "a.zip").read_bytes() == BLOB
    assert len(storage.seen) == 2


@pytest.mark.parametrize(
    ("make", "artifact", "error"),
    [
        (lambda: StorageServer({"/blob/5": BLOB}, truncated=9), {}, Transient),
        (lambda: StorageServer({"/blob/5": BLOB}), {"digest": "sha256:" + "0" * 64}, Transient),
        (lambda: StorageServer({"/blob/5": BLOB}), {"gone": True}, Expired),
        (lambda: StorageServer({"/blob/5": BLOB}), {"expired": True}, Expired),
        (lambda: StorageServer({}, faults=[Fault(404)] * 9), {}, Expired),
        (lambda: StorageServer({}, faults=[Fault(403)] * 9), {}, Transient),
        (lambda: StorageServer({"/blob/5": bytes(10_001)}), {}, Terminal),
        (lambda: StorageServer({}, faults=[Fault(302, {"Location": "/blob/5"})] * 9), {}, Terminal),
    ],
)
def test_a_failed_download_leaves_nothing(
    make: Callable[[], StorageServer],
    artifact: dict[str, object],
    error: type[SecAIError],
    tmp_path: Path,
) -> None:
    target = tmp_path / "a.zip"
    target.write_bytes(b"what was there before")
    fake = FakeArtifact(5, 7, "a", BLOB, **artifact)  # type: ignore[arg-type]
    with pytest.raises(error) as caught:
        fetched(target, artifact=fake, storage=make())
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]
    assert target.read_bytes() == b"what was there before"
    told = "".join(traceback.format_exception(caught.value))
    assert TOKEN not in told
    assert "s3cr3t" not in told


def test_an_expired_artifact_is_not_asked_for(tmp_path: Path) -> None:
    storage = StorageServer({})
    with pytest.raises(Expired):
        fetched(tmp_path / "a", artifact=FakeArtifact(5, 7, "a", expired=True), storage=storage)
    assert storage.seen == []


@pytest.mark.parametrize(
    "location",
    ["http://192.0.2.1/x", "file:///etc/passwd", "ftp://127.0.0.1/x", "https://localhost/x",
     "http://user:pw@127.0.0.1/x", "https:///x", "http://[bad/"],
)  # fmt: skip
def test_a_redirect_to_an_unsafe_place_is_not_followed(location: str, tmp_path: Path) -> None:
    artifact = Artifact(
        repository="octo/app", id=5, name="a", size=1, expired=False,
        created_at=datetime(2025, 9, 11, tzinfo=UTC),
    )  # fmt: skip
    with (
        GithubServer(faults=[Fault(302, {"Location": location})] * 9) as server,
        door(server, TOKEN) as github,
        pytest.raises(Terminal, match="redirect"),
    ):
        github.download(artifact, tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    storage = StorageServer({"/blob/5": BLOB})
    with pytest.raises(StorageError, match="disk is full"):
        fetched(tmp_path / "a.zip", artifact=FakeArtifact(5, 7, "a", BLOB), storage=storage)
    assert list(tmp_path.iterdir()) == []
