"""No room on the disk: whatever step fails, readers see the store as it was."""

import errno
import io
import itertools
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from secai_lib.core.errors import StorageError
from secai_lib.core.manifest import Origin
from secai_lib.core.scan import FilesScan
from secai_lib.gateways.store import Store

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = Origin(inputs={}, settings="", code_version="")
REQUEST = FilesScan(repository="a/b", inbox="i", created_at=datetime(2026, 1, 1, tzinfo=UTC))


class FullDisk:
    """Lets `left` steps that need room succeed, then says that there is none."""

    def __init__(self, left: int) -> None:
        self.left = left

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("mkdir", "rename", "replace", "symlink", "fsync"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))
        real = io.open

        def opened(file: object, mode: str = "r", *rest: object, **named: object) -> object:
            if "w" in mode:
                self._step()
            return real(file, mode, *rest, **named)  # type: ignore[call-overload]

        monkeypatch.setattr(io, "open", opened)

    def _counted(self, real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            self._step()
            return real(*arguments, **named)

        return call

    def _step(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")


def fill(store: Store) -> None:
    publish(store, "one")
    store.put_inbox({"a.json": b"1"})
    store.save_request("k1", REQUEST)
    warehouse(store, 1)


def publish(store: Store, text: str, key: str = "k1") -> None:
    files = {f"files/{n}.json": f"{text} {n}".encode() for n in range(3)}
    files["run.json"] = text.encode()
    store.publish("raw_scans", files, key=key, origin=ORIGIN, counts={})


def warehouse(store: Store, number: int) -> None:
    def build(connection: duckdb.DuckDBPyConnection) -> None:
        connection.execute(f"create table t as select {number} as n")

    store.rebuild_warehouse(build)


def seen(store: Store) -> dict[str, object]:
    """All that a reader can see."""
    with duckdb.connect(str(store.warehouse), read_only=True) as connection:
        rows = connection.execute("select n from t").fetchall()
    return {
        "runs": {key: store.read("raw_scans", "run.json", key) for key in store.keys("raw_scans")},
        "requests": sorted(path.name for path in (store.root / "requests").iterdir()),
        "inbox": sorted(p.name for p in (store.root / "inbox").iterdir() if p.is_dir()),
        "warehouse": rows,
    }


ACTIONS: dict[str, Callable[[Store], object]] = {
    "a new version": lambda store: publish(store, "two"),
    "a new run": lambda store: publish(store, "two", key="k2"),
    "an upload": lambda store: store.put_inbox({"b.json": b"2", "c/d.json": b"3"}),
    "a request": lambda store: store.save_request("k2", REQUEST),
    "the warehouse": lambda store: warehouse(store, 2),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_every_step_may_find_the_disk_full(
    tmp_path: Path, action: Callable[[Store], object]
) -> None:
    refused = 0
    for steps in itertools.count():
        store = Store(tmp_path / str(steps))
        fill(store)
        before = seen(store)
        try:
            with pytest.MonkeyPatch.context() as monkeypatch:
                FullDisk(steps).install(monkeypatch)
                action(store)
        except StorageError as error:
            assert "disk is full" in str(error)
            refused += 1
            assert seen(store) == before
            assert [p for p in (store.root / ".aside").iterdir() if p.is_dir()] == []
            assert not list(store.root.glob(".warehouse.*.tmp*"))
            action(store)  # room again
            assert seen(store) != before
        else:
            break
    assert refused >= 2
    assert seen(store) != before


REAL = """
    import sys
    from pathlib import Path
    from secai_lib.core.errors import StorageError
    from secai_lib.gateways.store import Store
    from tests.gateways.test_store_full import fill, publish, seen, warehouse

    store = Store(Path(sys.argv[1]) / "data")
    fill(store)
    before = seen(store)
    def many(db):
        db.execute("create table t as select hash(range) as n from range(3000000)")
    for action in (
        lambda: publish(store, "x" * 3_000_000),
        lambda: publish(store, "x" * 3_000_000, key="k2"),
        lambda: store.put_inbox({"a": b"1", "b": b"x" * 8_000_000}),
        lambda: store.rebuild_warehouse(many),
    ):
        try:
            action()
        except StorageError as error:
            assert "full" in str(error), error
            assert seen(store) == before
        else:
            sys.exit("it fitted")
    publish(store, "two")
    warehouse(store, 2)
    assert seen(store)["runs"] == {"k1": b"two"} and seen(store)["warehouse"] == [(2,)]
    print("as it was")
"""


@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs a file system of its own")
def test_a_real_full_disk_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    mount = f"mount -t tmpfs -o size=6m none {tmp_path}"
    unshared = ["unshare", "-rm", "sh", "-c"]
    if subprocess.run([*unshared, mount], capture_output=True, check=False).returncode:
        pytest.skip("no file system may be mounted here")
    code = textwrap.dedent(REAL)
    done = subprocess.run(
        [*unshared, f'{mount} && exec "$0" -c "$1" "$2"', sys.executable, code, str(tmp_path)],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "as it was"), done.stderr[-800:]
