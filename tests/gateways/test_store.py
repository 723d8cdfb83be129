import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import duckdb
import pytest

from secai_lib.core.errors import StorageError, UsageError
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.gateways.store import KEEP_VERSIONS, Store

ROOT = Path(__file__).resolve().parents[2]


def publish(store: Store, text: str, *, key: str = "k", code: str = "1") -> Manifest:
    return store.publish(
        "thing",
        {"a.txt": text.encode(), "deep/b.txt": b"b"},
        key=key,
        origin=origin(text, code=code),
        counts={"rows": 1},
    )


def origin(text: str = "", *, settings: str = "s", code: str = "1") -> Origin:
    return Origin(inputs={"text": text}, settings=settings, code_version=code)


def test_a_version_is_read_back_and_found_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "data")
    assert store.manifest("thing", "k") is None
    manifest = publish(store, "one")
    assert store.manifest("thing", "k") == manifest
    assert store.read("thing", "deep/b.txt", "k") == b"b"
    assert store.keys("thing") == ("k",)
    assert store.reusable("thing", "k", origin=origin("one"))
    for changed in (origin("two"), origin("one", settings="t"), origin("one", code="2")):
        assert store.reusable("thing", "k", origin=changed) is None


def test_the_newest_version_is_in_force_and_old_ones_are_swept(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for number in range(KEEP_VERSIONS + 3):
        publish(store, str(number))
    assert store.read("thing", "a.txt", "k") == str(KEEP_VERSIONS + 2).encode()
    versions = [p for p in (tmp_path / "thing" / "k").iterdir() if p.name != "current"]
    assert len(versions) == KEEP_VERSIONS


def test_going_back_to_an_older_content_brings_it_into_force(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for text in ("one", "two", "one"):
        publish(store, text)
    assert store.read("thing", "a.txt", "k") == b"one"


def test_a_damaged_file_is_noticed_and_repaired_by_the_next_publish(tmp_path: Path) -> None:
    store = Store(tmp_path)
    publish(store, "one")
    (store.path("thing", "k") / "a.txt").write_text("tampered")
    with pytest.raises(StorageError, match="damaged"):
        store.read("thing", "a.txt", "k")
    assert not store.reusable("thing", "k", origin=origin("one"))
    publish(store, "one")
    assert store.read("thing", "a.txt", "k") == b"one"


@pytest.mark.parametrize(
    "name", ["../escape", "a/../../escape", "/etc/escape", "a/../manifest.json"]
)
def test_a_file_cannot_leave_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        Store(tmp_path).publish("thing", {name: b""}, origin=origin(), counts={})
    assert not (tmp_path / "thing").exists() or not list((tmp_path / "thing").glob("*"))


@pytest.mark.parametrize("key", ["../x", "a/b", ".hidden", "a\\b", "nul\0"])
def test_a_hostile_key_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(UsageError):
        publish(Store(tmp_path), "x", key=key)


def test_a_full_disk_leaves_the_old_version_in_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    publish(store, "one")

    def full(_fd: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        publish(store, "two")
    assert store.read("thing", "a.txt", "k") == b"one"
    assert not list((tmp_path / "thing" / "k").glob(".*"))


def test_inbox_is_content_addressed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.put_inbox({"a/b.json": b"1", "c": b"2"})
    assert store.put_inbox({"c": b"2", "a/b.json": b"1"}) == first
    assert store.inbox(first) == {"a/b.json": b"1", "c": b"2"}


WRITER = """
    import sys
    from pathlib import Path
    from secai_lib.core.manifest import Origin
    from secai_lib.gateways.store import Store
    store = Store(Path(sys.argv[1]))
    def build(connection):
        count = store.read("thing", "a.txt", "k").decode() if store.manifest("thing", "k") else "0"
        connection.execute("create table t as select * from range(20000)")
        connection.execute(f"create table n as select {count} as n")
    print("ready", flush=True)
    for number in range(int(sys.argv[2])):
        store.publish("thing", {"a.txt": str(number).encode() , "pad": b"x" * 200_000}, key="k",
            origin=Origin(inputs={"n": str(number)}, settings="", code_version=""), counts={})
        store.rebuild_warehouse(build)
"""


def start_writer(root: Path, rounds: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITER), str(root), str(rounds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_writers_killed_in_the_middle_lose_nothing_and_lock_nobody_out(tmp_path: Path) -> None:
    """Two writers, further ones killed again and again, and a reader that opens all the time."""
    steady = [start_writer(tmp_path, 12) for _ in range(2)]
    reads = kills = 0
    while any(writer.poll() is None for writer in steady):
        victim = start_writer(tmp_path, 1000)
        assert victim.stdout is not None
        victim.stdout.readline()
        store = Store(tmp_path)
        while kills < 200:
            if store.warehouse.is_file():
                with duckdb.connect(str(store.warehouse), read_only=True) as connection:
                    assert connection.execute("select count(*) from t").fetchall() == [(20000,)]
                assert store.read("thing", "a.txt", "k").isdigit()
                reads += 1
                break
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        kills += 1
    for writer in steady:
        _, errors = writer.communicate()
        assert writer.returncode == 0, errors
    assert kills >= 1
    assert reads >= 1
    publish(Store(tmp_path), "last")
    assert Store(tmp_path).read("thing", "a.txt", "k") == b"last"


def test_a_large_file_is_moved_in_and_counts_like_bytes(tmp_path: Path) -> None:
    store, large = Store(tmp_path / "data"), tmp_path / "large"
    large.write_bytes(b"x" * 1000)
    origin = Origin(inputs={}, settings="", code_version="")
    manifest = store.publish("fused", {"model": large, "card": b"y"}, origin=origin, counts={})
    assert store.read("fused", "model") == b"x" * 1000 and not large.exists()
    assert store.reusable("fused", origin=origin) == manifest
    same = store.publish("fused", {"model": b"x" * 1000, "card": b"y"}, origin=origin, counts={})
    assert same == manifest
