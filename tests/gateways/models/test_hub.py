"""Downloads from a Hub on 127.0.0.1 that speaks the real one's protocol."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

import pytest

from secai_lib.core.errors import ModelError, RateLimited, StorageError, Unreachable
from secai_lib.core.settings import ModelSource
from secai_lib.gateways import machine
from secai_lib.gateways.models import ModelShelf
from tests.fakes.hub_server import COMMIT, HubServer, HubStorage, blobs
from tests.fakes.local_server import Fault
from tests.fakes.tiny_models import CONFIG, PARAMETERS, tiny_model

ROOT = Path(__file__).resolve().parents[3]
SOURCE = ModelSource(uri="hf://octo/tiny")
FILES = tiny_model() | {"pytorch_model.bin": b"pickle", "onnx/model.onnx": b"o", "a.py": b"x"}
CHUNK = 1000
MAIN = MappingProxyType({"main": COMMIT})
WEIGHTS = FILES["model.safetensors"]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    sleep = time.sleep
    # the client waits a second and more between its own attempts
    monkeypatch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "shelf")


@contextmanager
def hub(
    monkeypatch: pytest.MonkeyPatch,
    files: Mapping[str, bytes] = FILES,
    *,
    cut: int = 0,
    flip: bool = False,
    token: str = "",
    gated: bool = False,
    moved_from: str = "",
    revisions: Mapping[str, str] = MAIN,
    faults: Sequence[Fault] = (),
) -> Iterator[tuple[HubServer, HubStorage]]:
    with ExitStack() as stack:
        storage = stack.enter_context(HubStorage(blobs(files), cut=cut, flip=flip))
        server = stack.enter_context(
            HubServer(files, storage=storage.url, token=token, gated=gated, moved_from=moved_from,
                      revisions=revisions, faults=faults)
        )  # fmt: skip
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server, storage


def test_the_newest_commit_is_taken_and_recorded(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    with hub(monkeypatch) as (server, storage):
        model = shelf.obtain(SOURCE, said.append)
    assert (model.name, model.uri, model.revision) == ("tiny", "hf://octo/tiny", COMMIT)
    assert (model.licence, model.parameters) == ("Apache-2.0", PARAMETERS)
    assert set(model.files) == {f"safetensors/{name}" for name in tiny_model()}
    asked = [seen.path for seen in (*server.seen, *storage.seen)]
    assert not [path for path in asked if path.endswith((".bin", ".onnx", ".py"))]
    assert len(storage.seen) == 1, "the pickle is not even asked for"
    assert any(line.startswith("hf://octo/tiny: 100 % of ") for line in said)
    assert shelf.find(SOURCE) == model, "without the server"
    assert not (shelf.root / ".partial").exists() or not list((shelf.root / ".partial").iterdir())


def test_a_pinned_revision_is_another_model(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = "0ld" + "2" * 37
    with hub(monkeypatch, revisions={"main": COMMIT, "v1": "a" * 40}):
        newest = shelf.obtain(SOURCE)
        pinned = shelf.obtain(ModelSource(uri=SOURCE.uri, revision="v1"))
        with pytest.raises(ModelError, match=f"has no revision '{old}'"):
            shelf.obtain(ModelSource(uri=SOURCE.uri, revision=old))
    assert (newest.revision, pinned.revision) == (COMMIT, "a" * 40)
    assert newest.folder != pinned.folder


def test_offline_by_setting_is_no_fault_of_the_network(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with hub(monkeypatch), pytest.raises(ModelError, match="HF_HUB_OFFLINE forbids"):
        shelf.obtain(SOURCE)


def test_the_hash_of_the_tree_can_be_pinned(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(monkeypatch):
        digest = shelf.obtain(SOURCE).source_sha256
        pinned = ModelSource(uri=SOURCE.uri, sha256=digest)
        assert shelf.obtain(pinned).source_sha256 == digest
        with pytest.raises(ModelError, match="has the SHA-256"):
            shelf.obtain(ModelSource(uri=SOURCE.uri, sha256="0" * 64))


def test_the_token_goes_to_the_hub_and_nowhere_else(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_s3cr3t")
    said: list[str] = []
    with hub(monkeypatch, token="hf_s3cr3t") as (server, storage):
        shelf.obtain(SOURCE, said.append)
    assert {seen.headers.get("authorization") for seen in server.seen} == {"Bearer hf_s3cr3t"}
    assert not [seen for seen in storage.seen if "authorization" in seen.headers]
    kept = b"".join(p.read_bytes() for p in shelf.root.rglob("*") if p.is_file())
    assert b"hf_s3cr3t" not in kept and "hf_s3cr3t" not in "".join(said)


@pytest.mark.parametrize(
    ("gated", "token", "sentence"),
    [
        (True, "hf_s3cr3t", "is gated: accept its terms"),
        (False, "hf_s3cr3t", "does not exist or is private"),
    ],
)
def test_a_closed_repository_says_what_to_do(
    gated: bool, token: str, sentence: str, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with (
        hub(monkeypatch, token=token, gated=gated),
        pytest.raises(ModelError, match=sentence) as refused,
    ):
        shelf.obtain(SOURCE)
    assert "hf_another" not in str(refused.value) and shelf.models() == []


def test_a_repository_that_moved_is_followed(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(monkeypatch, moved_from="old/name"):
        model = shelf.obtain(ModelSource(uri="hf://old/name"))
    assert (model.uri, model.revision) == ("hf://old/name", COMMIT)


def test_a_body_that_is_cut_off_is_resumed(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # a shorter piece is not kept; 10 MB in earnest
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", CHUNK)
    with hub(monkeypatch, cut=1) as (_, storage):
        shelf.verify(shelf.obtain(SOURCE))
    first, second = storage.seen
    assert "range" not in first.headers
    kept = len(WEIGHTS) // 2 // CHUNK * CHUNK
    assert second.headers["range"].startswith(f"bytes={kept}-")
    assert "s3cr3t" not in "".join(capfd.readouterr()), "a signed address is a secret"


HANGS = f"""
import sys
from pathlib import Path
import huggingface_hub.constants
huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = {CHUNK}
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.models import ModelShelf
ModelShelf(Path(sys.argv[1])).obtain(ModelSource(uri="hf://octo/tiny"), lambda line: None)
"""


def test_a_killed_download_goes_on_where_it_was(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hub(monkeypatch, cut=1000) as (_, storage):
        process = subprocess.Popen(
            [sys.executable, "-c", HANGS, str(shelf.root)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.DEVNULL,
        )
        while not storage.seen and process.poll() is None:
            time.sleep(0.01)
        time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
    begun = [p for p in (shelf.root / ".partial").rglob("*.part") if p.stat().st_size]
    assert begun and shelf.find(SOURCE) is None
    have = begun[0].stat().st_size
    with hub(monkeypatch) as (_, storage):
        shelf.verify(shelf.obtain(SOURCE))
    assert storage.seen[0].headers["range"].startswith(f"bytes={have}-")


def test_a_byte_that_changed_on_the_way_is_found(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        hub(monkeypatch, flip=True),
        pytest.raises(Unreachable, match=r"model\.safetensors of hf://octo/tiny came damaged"),
    ):
        shelf.obtain(SOURCE)
    assert shelf.models() == []
    with hub(monkeypatch):
        shelf.verify(shelf.obtain(SOURCE))


@pytest.mark.parametrize(
    ("fault", "kind", "sentence"),
    [
        (Fault(500, {}), Unreachable, "fault of its own .HTTP 500"),
        (Fault(429, {"Retry-After": "7"}), RateLimited, "wait 7 s"),
        (Fault(403, {}), ModelError, "refuses hf://octo/tiny .HTTP 403"),
        (Fault(404, {"X-Error-Code": "RepoNotFound"}), ModelError, "does not exist"),
    ],
)
def test_an_answer_that_is_none_becomes_a_sentence(
    fault: Fault, kind: type[Exception], sentence: str, shelf: ModelShelf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with hub(monkeypatch, faults=[fault] * 20), pytest.raises(kind, match=sentence):
        shelf.obtain(SOURCE)


def test_a_name_that_no_repository_has_is_a_sentence(shelf: ModelShelf) -> None:
    with pytest.raises(ModelError, match="hf://octo/a--b is no name of a repository"):
        shelf.obtain(ModelSource(uri="hf://octo/a--b"))


def test_without_a_network_it_may_be_tried_again(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(Unreachable, match="the Hub did not answer"):
        shelf.obtain(SOURCE)


def test_pickles_alone_are_refused_before_they_are_fetched(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {name: data for name, data in FILES.items() if not name.endswith(".safetensors")}
    with (
        hub(monkeypatch, files) as (_, storage),
        pytest.raises(ModelError, match="only pickled weights"),
    ):
        shelf.obtain(SOURCE)
    assert storage.seen == []


def test_what_will_never_do_is_not_kept(shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch) -> None:
    files = tiny_model(config=CONFIG | {"quantization_config": {"bits": 4}})
    with hub(monkeypatch, files), pytest.raises(ModelError, match="quantised already"):
        shelf.obtain(SOURCE)
    assert list((shelf.root / ".partial").iterdir()) == [] and shelf.models() == []


def test_names_that_climb_out_are_not_asked_for(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bad = {"../escaped.json": b"{}", "/tmp/escaped.json": b"{}", "x\n.json": b"{}"}
    with hub(monkeypatch, FILES | bad):
        model = shelf.obtain(SOURCE)
    assert set(model.files) == {f"safetensors/{name}" for name in tiny_model()}
    assert not list(tmp_path.rglob("*escaped*"))


def test_too_little_disk_is_said_before_the_download(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "free_disk", lambda _: 1000)
    with hub(monkeypatch) as (_, storage), pytest.raises(StorageError, match="GB of disk"):
        shelf.obtain(SOURCE)
    assert storage.seen == []
