"""What a scan run on GitHub leaves, its artifacts being hostile, gone or many."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from secai_assets.assets import raw_scans
from secai_assets.assets.raw_scans import Received, download_run, read_run, take_in
from secai_assets.resources.house import House
from secai_lib.core.scan import GithubScan
from secai_lib.gateways.archive import ArchiveLimits
from secai_lib.gateways.github import GithubActions
from secai_lib.quality.scans import archives_ok, not_expired
from tests.fakes.github_server import COMMIT, FakeArtifact, FakeRun, GithubServer, StorageServer

REQUEST = GithubScan(
    repository="octo/app", run_id=7, commit=COMMIT, created_at=datetime(2025, 9, 11, tzinfo=UTC)
)


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def artifact(number: int, name: str, files: Mapping[str, bytes] | None = None) -> FakeArtifact:
    return FakeArtifact(number, 7, name, zipped(files or {"report.json": b"[]"}))


def taken(
    folder: Path, artifacts: list[FakeArtifact], limits: ArchiveLimits | None = None
) -> Received:
    blobs = {f"/blob/{one.id}": one.content for one in artifacts}
    with (
        StorageServer(blobs) as storage,
        GithubServer([FakeRun(7)], artifacts, storage=storage.url) as server,
        GithubActions(server.url, None) as github,
    ):
        return download_run(github, REQUEST, folder, limits or ArchiveLimits(), lambda _: None)


@pytest.mark.parametrize(
    "name", ["..", "../../etc", "/abs", "a\\b", "c:", "con", "a" * 300, "a\nb", "end.", "é", ""]
)
def test_a_hostile_name_becomes_a_safe_folder(name: str, tmp_path: Path) -> None:
    received = taken(tmp_path, [artifact(1, name), artifact(2, "plain")])
    assert not received.refused
    strange, plain = sorted(received.files, key=lambda path: path.startswith("plain/"))
    assert plain == "plain/report.json"
    assert strange.endswith("~1/report.json")
    assert ".." not in strange.split("/")
    assert strange.isascii() and strange.isprintable() and len(strange) < 130


def test_names_that_differ_by_case_or_hide_in_each_other_stay_apart(tmp_path: Path) -> None:
    names = ["Scan", "scan", "a", "a/report.json"]
    received = taken(tmp_path, [artifact(n, name) for n, name in enumerate(names, 1)])
    assert sorted(received.files) == [
        "Scan~1/report.json",
        "a-report.json~4/report.json",
        "a/report.json",
        "scan~2/report.json",
    ]


def test_limits_hold_for_all_artifacts_together(tmp_path: Path) -> None:
    """Each is well below the limit; the third would pass it and is named."""
    artifacts = [artifact(n, f"scan{n}", {"r.json": bytes([n]) * 400}) for n in (1, 2, 3)]
    received = taken(tmp_path, artifacts, ArchiveLimits(total_bytes=1000))
    assert sorted(received.files) == ["scan1/r.json", "scan2/r.json"]
    assert [line.partition(":")[0] for line in received.refused] == ["scan3"]

    artifacts = [artifact(n, f"scan{n}", {"a": b"1", "b": b"2"}) for n in (1, 2, 3)]
    received = taken(tmp_path, artifacts, ArchiveLimits(entries=5))
    assert len(received.files) == 4
    assert len(received.refused) == 1


def test_one_artifact_that_is_gone_takes_no_other_with_it(tmp_path: Path) -> None:
    artifacts = [
        artifact(1, "kept"),
        replace(artifact(2, "listed as expired"), expired=True),
        replace(artifact(3, "gone since"), gone=True),
    ]
    received = taken(tmp_path, artifacts)
    assert sorted(received.files) == ["kept/report.json"]
    assert received.gone == ["gone since", "listed as expired"]
    assert not received.expired and not received.refused
    assert taken(tmp_path, artifacts[1:]).expired
    assert not taken(tmp_path, []).expired, "a run without artifacts is no expired one"


@pytest.mark.usefixtures("home")
def test_what_was_taken_is_kept_when_github_deletes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version of our code takes a run in again; by then its artifacts may be gone."""
    house = House()
    key = house.add_request(REQUEST)
    versions = iter(["one", "two", "three"])
    monkeypatch.setattr(raw_scans, "code_version", lambda *_: next(versions))
    artifacts = [
        artifact(1, "kept"),
        artifact(2, "later gone", {"x.json": json.dumps({}).encode()}),
    ]

    def receive(artifacts: list[FakeArtifact]) -> Callable[..., Received]:
        return lambda *_: taken(tmp_path, artifacts)

    monkeypatch.setattr(raw_scans, "_receive", receive(artifacts))
    first, reused = take_in(house, key, lambda _: None)
    assert not reused
    run = read_run(house, key)
    assert len(run.files) == 2 and not_expired(run).passed

    monkeypatch.setattr(
        raw_scans, "_receive", receive([artifacts[0], replace(artifacts[1], gone=True)])
    )
    assert take_in(house, key, lambda _: None) == (first, True)
    assert read_run(house, key) == run


@pytest.mark.usefixtures("home")
def test_a_partly_expired_run_is_a_warning_and_no_refusal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    key = house.add_request(REQUEST)
    artifacts = [artifact(1, "kept"), replace(artifact(2, "old"), expired=True)]
    monkeypatch.setattr(raw_scans, "_receive", lambda *_: taken(tmp_path, artifacts))
    manifest, _ = take_in(house, key, lambda _: None)
    assert manifest.counts["expired"] == 1
    run = read_run(house, key)
    assert archives_ok(run).passed
    assert not not_expired(run).passed
    assert "old" in not_expired(run).sentence
    assert not run.expired
