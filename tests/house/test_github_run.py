"""Workflow runs on GitHub, through the real assets; GitHub lives on 127.0.0.1."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.assets.findings import read_findings
from tests.fakes.github_server import FakeArtifact, FakeRun, GithubServer, StorageServer
from tests.house.kit import ROOT, house, leftovers, newest, secai, sentence, sql

pytestmark = pytest.mark.slow
SAMPLES = ROOT / "tests" / "samples"
NOW = datetime.now(UTC).replace(microsecond=0)


def zipped(*files: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(file.name, file.read_bytes())
    return buffer.getvalue()


def a_sample(folder: str) -> Path:
    return next(p for p in sorted((SAMPLES / folder).iterdir()) if p.suffix in (".json", ".sarif"))


RUNS = [
    FakeRun(id=101, created_at=NOW - timedelta(hours=9), conclusion="failure", commit="a" * 40),
    FakeRun(id=102, created_at=NOW - timedelta(hours=5), attempt=2, commit="b" * 40),
    FakeRun(id=103, created_at=NOW - timedelta(hours=2), commit="c" * 40),
]


@contextmanager
def github(
    storage_type: type[StorageServer] = StorageServer,
) -> Iterator[tuple[GithubServer, StorageServer, dict[str, str]]]:
    """The servers, and the settings that point to them."""
    contents = {
        1: zipped(a_sample("trivy"), a_sample("gitleaks")),
        2: zipped(a_sample("semgrep")),
        3: zipped(a_sample("zizmor")),
    }
    artifacts = [
        FakeArtifact(1, 101, "trivy-and-gitleaks", contents[1]),
        FakeArtifact(2, 102, "semgrep", contents[2]),
        FakeArtifact(3, 103, "zizmor", contents[3], expired=True),
    ]
    with (
        storage_type({f"/blob/{number}": data for number, data in contents.items()}) as storage,
        GithubServer(RUNS, artifacts, storage=storage.url, token="t0k3n-of-a-test") as server,
    ):
        yield (
            server,
            storage,
            {
                "SECAI_SOURCES__LOCAL": "[]",
                "SECAI_SOURCES__GITHUB": json.dumps([{"name": "octo/app"}]),
                "SECAI_SOURCES__GITHUB_API_URL": server.url,
                "GITHUB_TOKEN": "t0k3n-of-a-test",
            },
        )


def test_runs_on_github_become_partitions_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with github() as (server, storage, settings):
        first = secai(home, "run", **settings)
        assert first.returncode == 0, sentence(first)
        doors = house(home)
        assert doors.store.keys("raw_scans") == (
            "octo~app~101~1",
            "octo~app~102~2",
            "octo~app~103~1",
        )
        assert "not_expired" in first.stderr, "an expired artifact is a warning, and said"
        assert doors.store.require("raw_scans", "octo~app~103~1").counts["files_count"] == 0
        found = read_findings(doors, "octo~app~101~1")
        assert {f.result.tool for f in found} >= {"trivy", "gitleaks"}
        assert {f.commit for f in found} == {"a" * 40}
        assert len(storage.seen) == 2
        assert not [s for s in storage.seen if "authorization" in s.headers]

        asked = len(server.seen)
        again = secai(home, "run", **settings)
        assert again.returncode == 0, sentence(again)
        assert len(storage.seen) == 2, "nothing is taken twice"
        assert not [s for s in server.seen[asked:] if "artifacts" in s.path]
        assert sql(home, "select count(distinct key) from scan_runs") == [(3,)]
        coverage = newest(home, "findings")["tools"]
        assert isinstance(coverage, dg.TableMetadataValue)
        status = {row.data["tool"]: row.data["status"] for row in coverage.records}
        assert set(status.values()) == {"absent"}, "an expired run says nothing of any tool"
        came_from = newest(home, "raw_scans")["came_from"]
        assert isinstance(came_from, dg.TableMetadataValue)
        assert came_from.records[0].data["run"] == 103
    text = first.stdout + first.stderr + again.stdout + again.stderr
    assert "t0k3n" not in text
    assert "s3cr3t-signature" not in text
    tokens = [p for p in home.rglob("*") if p.is_file() and b"t0k3n-of-a-test" in p.read_bytes()]
    assert not tokens, "the token is stored nowhere"
    assert not leftovers(home)


def test_github_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    with github() as (_, _, settings):
        done = secai(tmp_path / "home", "run", **settings | {"GITHUB_TOKEN": "wrong"})
    assert done.returncode != 0
    assert "GITHUB_TOKEN" in sentence(done) or "token" in done.stderr
    closed = settings | {"SECAI_SOURCES__GITHUB_API_URL": "http://127.0.0.1:9"}
    done = secai(tmp_path / "home", "run", **closed)
    assert done.returncode != 0
    assert sentence(done).startswith("secai: ") or "127.0.0.1" in done.stderr


def test_old_runs_come_by_one_command_and_only_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    since = f"{NOW - timedelta(days=2):%Y-%m-%d}"
    argv = ("backfill", "octo/app", "--since", since, "--until", "problems", "--json")
    with github() as (_, storage, settings):
        settings = settings | {"SECAI_SOURCES__GITHUB": "[]"}
        planned = secai(home, *argv, "--dry-run", **settings)
        assert planned.returncode == 0, sentence(planned)
        keys = ["octo~app~101~1", "octo~app~102~2", "octo~app~103~1"]
        assert json.loads(planned.stdout)["to_ingest"] == keys
        assert not storage.seen

        first = secai(home, *argv, **settings)
        assert first.returncode == 0, sentence(first)
        found = json.loads(first.stdout)
        assert (found["ingested"], found["expired"]) == (keys, keys[2:])
        taken = len(storage.seen)

        again = secai(home, *argv, **settings)
        assert json.loads(again.stdout) == {"repository": "octo/app", "runs": 3, "to_ingest": []}
        assert len(storage.seen) == taken, "nothing is taken twice"
        wrong = secai(home, "backfill", "octo/none", "--since", since, **settings)
        assert wrong.returncode == 2
        assert "404" in sentence(wrong)
        assert sql(home, "select count(distinct key) from scan_runs") == [(3,)]
