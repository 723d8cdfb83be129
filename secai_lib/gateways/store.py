"""The data root: every product complete or absent, never half written, never locked for a reader.

Layout under the root (`.secai/data`):

    inbox/ID/... and ID.json        reports somebody handed us, secrets taken out
    requests/KEY.json               what a scan run is to be made of
    .aside/                         what is being written; swept when its writer is dead
    PRODUCT[/KEY]/HASH/...          one version of a product; manifest.json is written last
    PRODUCT[/KEY]/current           link to the version in force, swapped atomically
    warehouse.duckdb                all tables for SQL, swapped in whole, opened read-only

A *slot* is a product, or one partition of it. HASH is a content hash, so the same content lands in
the same folder and nothing is overwritten.
"""

import errno
import fcntl
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from pydantic import TypeAdapter, ValidationError

from secai_lib.core.errors import StorageError, UsageError
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash, sha256_hex
from secai_lib.core.scan import RawFile, ScanRequest
from secai_lib.gateways.scratch import scratch_folder

KEEP_VERSIONS = 3
"""Older versions of a slot that stay readable after a new one is in force."""


class Store:
    """Reads and writes products under one root; safe for any number of processes."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made on the first write."""
        self.root = root

    # -- versions of a slot ---------------------------------------------------------------

    def publish(
        self,
        product: str,
        files: Mapping[str, bytes | Path],
        *,
        key: str = "",
        origin: Origin,
        counts: Mapping[str, int],
    ) -> Manifest:
        """The manifest of the new version in force, which holds `files` (name -> bytes).

        A large file may be named by its path instead: it is moved in and never read as a whole.

        Raises:
            StorageError: the disk is full or not writable; the version before stays in force.
        """
        manifest = Manifest(
            product=product,
            key=key,
            origin=origin,
            counts=dict(counts),
            files={
                name: _sha256_of(data) if isinstance(data, Path) else sha256_hex(data)
                for name, data in sorted(files.items())
            },
        )
        slot = self._slot(product, key)
        version = content_hash(manifest)
        with translated_errors():
            if not _is_whole(slot / version, manifest):
                self._write_version(slot, version, files, manifest)
            self._swap_link(slot / "current", version)
            _sweep(slot, keep=version)
        return manifest

    def reusable(self, product: str, key: str = "", *, origin: Origin) -> Manifest | None:
        """The manifest in force if it has the same `origin` and its files are whole."""
        manifest = self.manifest(product, key)
        if manifest is None or manifest.origin != origin:
            return None
        return manifest if _is_whole(self._version(product, key, manifest), manifest) else None

    def manifest(self, product: str, key: str = "") -> Manifest | None:
        """The manifest in force, or None when the slot is empty or not readable as one."""
        try:
            text = (self._slot(product, key) / "current" / "manifest.json").read_text("utf-8")
            return Manifest.model_validate_json(text)
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def require(self, product: str, key: str = "") -> Manifest:
        """The manifest in force.

        Raises:
            StorageError: there is none.
        """
        manifest = self.manifest(product, key)
        if manifest is None:
            raise StorageError(f"there is no {product} {key} yet; materialize {product} first")
        return manifest

    def read(self, product: str, name: str, key: str = "") -> bytes:
        """One file of the version in force.

        Raises:
            StorageError: the file is missing or its hash is not the manifest's.
        """
        manifest = self.require(product, key)
        if name not in manifest.files:
            raise StorageError(f"{product} {key} holds no {name}; materialize {product} again")
        try:
            data = (self._version(product, key, manifest) / name).read_bytes()
        except FileNotFoundError:
            newer = self.manifest(product, key)
            if newer != manifest:  # swept by writers that were quicker than we
                return self.read(product, name, key)
            data = b""
        if sha256_hex(data) != manifest.files[name]:
            raise StorageError(f"{product} {key}: {name} is damaged; materialize {product} again")
        return data

    def path(self, product: str, key: str = "") -> Path:
        """The folder that always leads to the version in force (a link)."""
        return self._slot(product, key) / "current"

    def keys(self, product: str) -> tuple[str, ...]:
        """Keys of the partitions with a version in force, sorted."""
        folder = self.root / product
        if not folder.is_dir():
            return ()
        return tuple(sorted(p.name for p in folder.iterdir() if (p / "current").is_symlink()))

    def _slot(self, product: str, key: str) -> Path:
        for part in (product, key):
            if part.startswith(".") or "/" in part or "\\" in part or "\0" in part:
                raise UsageError(f"{part!r} is no product or key")
        return self.root / product / key if key else self.root / product

    def _version(self, product: str, key: str, manifest: Manifest) -> Path:
        return self._slot(product, key) / content_hash(manifest)

    def _write_version(
        self, slot: Path, version: str, files: Mapping[str, bytes | Path], manifest: Manifest
    ) -> None:
        with scratch_folder(self._aside) as folder:
            aside = folder / version
            aside.mkdir()
            for name, data in files.items():
                target = aside / name
                # `..` also where it stays inside: it could name another file of the product
                climbs = ".." in Path(name).parts
                if climbs or not target.resolve().is_relative_to(aside.resolve()):
                    raise UsageError(f"{name!r} leads out of the product's folder")
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(data, Path):
                    _move_synced(data, target)
                else:
                    write_synced(target, data)
            write_synced(aside / "manifest.json", canonical_json(manifest).encode())
            slot.mkdir(parents=True, exist_ok=True)
            try:
                aside.rename(slot / version)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                # another process finished the same content first, or a damaged one lies there
                if not _is_whole(slot / version, manifest):
                    (slot / version).rename(folder / "damaged")
                    aside.rename(slot / version)

    def _swap_link(self, link: Path, target: str) -> None:
        if link.is_symlink() and link.readlink() == Path(target):
            return
        with scratch_folder(self._aside) as folder:
            (folder / "link").symlink_to(target)
            (folder / "link").replace(link)

    @property
    def _aside(self) -> Path:
        return self.root / ".aside"

    # -- requests and inbox ---------------------------------------------------------------

    def save_request(self, key: str, request: ScanRequest) -> None:
        """Remember what the scan run `key` is to be made of."""
        with translated_errors():
            folder = self.root / "requests"
            folder.mkdir(parents=True, exist_ok=True)
            with scratch_folder(self._aside) as scratch:
                write_synced(scratch / key, canonical_json(request).encode())
                (scratch / key).replace(folder / f"{key}.json")

    def has_request(self, key: str) -> bool:
        """True when it is known what the scan run `key` is to be made of."""
        return (self.root / "requests" / f"{key}.json").is_file()

    def request(self, key: str) -> ScanRequest:
        """What the scan run `key` is to be made of.

        Raises:
            UsageError: nobody asked for that run.
        """
        try:
            data = (self.root / "requests" / f"{key}.json").read_bytes()
        except FileNotFoundError:
            raise UsageError(
                f"nothing is known of the scan run {key}; add it with `secai scan` or `ingest`"
            ) from None
        adapter: TypeAdapter[ScanRequest] = TypeAdapter(ScanRequest)
        return adapter.validate_json(data)

    def put_inbox(self, files: Mapping[str, bytes], listed: Sequence[RawFile] = ()) -> str:
        """The inbox id (content hash) of `files`, copied into the inbox.

        `listed` says what became of files whose secrets were taken out before.
        """
        inbox = content_hash({name: sha256_hex(data) for name, data in sorted(files.items())})
        with translated_errors():
            target = self.root / "inbox" / inbox
            if not target.is_dir():
                with scratch_folder(self._aside) as folder:
                    aside = folder / inbox
                    aside.mkdir()
                    for name, data in files.items():
                        (aside / name).parent.mkdir(parents=True, exist_ok=True)
                        write_synced(aside / name, data)
                    rows = TypeAdapter(list[RawFile]).dump_json(list(listed))
                    write_synced(folder / "list", rows)
                    target.parent.mkdir(exist_ok=True)
                    (folder / "list").replace(target.with_name(f"{inbox}.json"))
                    if not target.is_dir():
                        aside.rename(target)
        return inbox

    def inbox_list(self, inbox: str) -> dict[str, RawFile]:
        """What `put_inbox` was told of the files of an inbox folder, by path."""
        rows = (self.root / "inbox" / f"{inbox}.json").read_bytes()
        return {row.path: row for row in TypeAdapter(list[RawFile]).validate_json(rows)}

    def inbox(self, inbox: str) -> dict[str, bytes]:
        """The files of an inbox folder by relative path, sorted."""
        folder = self.root / "inbox" / inbox
        return {
            str(path.relative_to(folder).as_posix()): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    # -- the warehouse ------------------------------------------------------------------------

    @property
    def warehouse(self) -> Path:
        """The DuckDB file for SQL; open it read-only."""
        return self.root / "warehouse.duckdb"

    def has_warehouse(self) -> bool:
        """True when the warehouse is there and can be opened."""
        if not self.warehouse.is_file():
            return False
        try:
            duckdb.connect(str(self.warehouse), read_only=True).close()
        except duckdb.Error:
            return False
        return True

    def rebuild_warehouse(self, build: Callable[[duckdb.DuckDBPyConnection], None]) -> None:
        """Build a fresh warehouse aside and swap it in; readers keep the one they have open."""
        with translated_errors(), self.lock("warehouse"):
            for stale in self.root.glob(".warehouse.*.tmp*"):
                stale.unlink()
            aside = self.root / f".warehouse.{os.getpid()}.tmp"
            try:
                with duckdb.connect(str(aside)) as connection:
                    build(connection)
                aside.replace(self.warehouse)
            finally:
                aside.unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Hold the lock `name` among all processes; the kernel frees it when we die."""
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


@contextmanager
def translated_errors(place: str = "data folder", setting: str = "SECAI_HOME") -> Iterator[None]:
    """Turn errors of the disk into a `StorageError` that says what to do.

    The sentence names the `place` and the `setting` that moves it elsewhere.
    """
    try:
        yield
    except OSError as error:
        what = {
            errno.ENOSPC: "the disk is full: free some space",
            errno.EDQUOT: "the disk quota is used up: free some space",
            errno.EACCES: f"no permission to write to the {place}: check its owner",
            errno.EPERM: f"no permission to write to the {place}: check its owner",
            errno.EROFS: f"the {place} is read-only: set {setting} to another place",
        }.get(error.errno or 0, f"the {place} cannot be written ({error.strerror})")
        raise StorageError(
            f"{what}; nothing was changed, run the command again afterwards"
        ) from error
    except duckdb.IOException as error:
        raise StorageError(
            "the warehouse cannot be written (is the disk full?); the old one is still in force"
        ) from error


def _is_whole(folder: Path, manifest: Manifest) -> bool:
    written = folder / "manifest.json"
    if not written.is_file() or written.read_bytes() != canonical_json(manifest).encode():
        return False
    return all(
        (folder / name).is_file() and _sha256_of(folder / name) == digest
        for name, digest in manifest.files.items()
    )


def _sha256_of(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _move_synced(path: Path, target: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())
    shutil.move(path, target)


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` to `path`; it is on the disk when this returns."""
    with path.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())


def _sweep(slot: Path, *, keep: str) -> None:
    """Remove all but the newest versions; a partition slot holds no others' folders."""
    versions = [
        p
        for p in slot.iterdir()
        if p.is_dir() and not p.is_symlink() and (p / "manifest.json").is_file()
    ]
    versions.sort(key=lambda p: (p.name == keep, p.stat().st_mtime_ns), reverse=True)
    for stale in versions[KEEP_VERSIONS:]:
        shutil.rmtree(stale, ignore_errors=True)
