"""Reads reports from a file, a folder or a zip, all of which may be hostile."""

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from secai_lib.core.errors import UnsafeArchive
from secai_lib.core.record import Record
from secai_lib.core.scan import LeftOut
from secai_lib.gateways.zip_checks import (
    ENTRY_BYTES,
    PATH_CHARS,
    collision,
    directory_claims,
    entry_problem,
    name_problem,
    overlap,
)

_SMALL = 1_000_000
"""Bytes up to which the ratio does not matter: a megabyte of blanks hurts nobody."""
_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            ValueError, OverflowError, struct.error, OSError)  # fmt: skip
"""What `zipfile` raises for bytes that are no sound archive."""


class ArchiveLimits(Record):
    """What a folder or an archive may cost; a breach is an error that names the limit."""

    entries: int = 10_000
    """Files and folders in all."""
    file_bytes: int = 256 * 2**20
    """Unpacked bytes of one file."""
    total_bytes: int = 1024 * 2**20
    """Unpacked bytes in all."""
    ratio: int = 200
    """Unpacked bytes per packed byte of a member above one megabyte; text rarely passes 30."""
    nesting: int = 1
    """Archives inside archives that are opened."""


def read_reports(
    path: Path, limits: ArchiveLimits | None = None, skipped: list[LeftOut] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Every file of `path` as (path inside it, bytes), sorted; one file in memory at a time.

    `path` is a file, a folder or a zip; a zip below a folder or inside a zip appears as a folder
    with the zip's name. Everything is unpacked once and checked before the first file is given
    out, so a hostile archive gives nothing at all. Links, devices and unreadable files of a
    folder are left out and noted in `skipped`. Raises UnsafeArchive naming the broken limit, and
    FileNotFoundError when there is nothing at `path`.
    """
    reader = _Reader(path.name, limits or ArchiveLimits(), skipped if skipped is not None else [])
    for _ in reader.walk(path, check=True):
        pass
    yield from reader.walk(path, check=False)


class _Reader:
    """Walks a folder or archive twice: to check and count, then to give out."""

    def __init__(self, name: str, limits: ArchiveLimits, skipped: list[LeftOut]) -> None:
        self._name = name
        self._limits = limits
        self._skipped = skipped
        self._entries = 0
        self._total = 0
        self._noting = True

    def walk(self, path: Path, *, check: bool) -> Iterator[tuple[str, bytes]]:
        self._entries = self._total = 0
        self._noting = check
        if not path.exists():
            raise FileNotFoundError(2, "there is nothing here", path.name)
        if path.is_dir():
            for name, file in self._files_of(path):
                yield from self._take(file, name, check, zipped=name.lower().endswith(".zip"))
        elif path.is_file():
            yield from self._take(path, path.name, check, top=True, zipped=True)
        else:
            raise self._unsafe("it is neither a file nor a folder")

    def _files_of(self, folder: Path) -> Iterator[tuple[str, Path]]:
        found: list[tuple[str, Path]] = []

        def closed(error: OSError) -> None:
            inside = Path(error.filename).relative_to(folder).as_posix()
            self._skip(inside, f"it cannot be opened ({error.strerror})")

        for here, folders, names in os.walk(folder, onerror=closed):
            inside = Path(here).relative_to(folder)
            taken = set()
            for name in sorted([*folders, *names]):
                file, relative = folder / inside / name, (inside / name).as_posix()
                self._count_entry()
                if obstacle := _obstacle(file, relative):
                    self._skip(relative, obstacle)
                elif file.is_dir():
                    taken.add(name)
                else:
                    found.append((relative, file))
            folders[:] = sorted(taken)
        yield from sorted(found)

    def _take(
        self, file: Path, name: str, check: bool, *, zipped: bool, top: bool = False
    ) -> Iterator[tuple[str, bytes]]:
        try:
            handle = file.open("rb")
        except OSError as error:
            reason = f"it cannot be read ({error.strerror})"
            if top:
                raise self._unsafe(reason) from error
            self._skip(name, reason)
            return
        with handle:
            if zipped and _is_zip(handle):
                prefix = "" if top else f"{name}/"
                yield from self._members(handle, prefix, check, depth=0)
                return
            if top:
                self._count_entry()
                if name.lower().endswith(".zip"):
                    raise self._unsafe(f"{name} is no zip archive: it is cut off or another format")
            self._count_bytes(name, file.stat().st_size)
            data = b"" if check else handle.read(self._limits.file_bytes + 1)
            if len(data) > self._limits.file_bytes:
                raise self._unsafe(f"{name} grew while it was read", "file_bytes")
            yield name, data

    def _members(
        self, handle: BinaryIO, prefix: str, check: bool, depth: int
    ) -> Iterator[tuple[str, bytes]]:
        if depth > self._limits.nesting:
            raise self._unsafe(f"{prefix[:-1]} is an archive too deep inside others", "nesting")
        try:
            size, entries = directory_claims(handle)
            if size > self._limits.entries * ENTRY_BYTES or entries > self._limits.entries:
                raise self._unsafe(f"it has more than {self._limits.entries} entries", "entries")
            with zipfile.ZipFile(handle) as archive:
                infos = archive.infolist()
                self._check_entries(infos, prefix)
                if shared := overlap(infos, archive.start_dir):
                    raise self._unsafe(f"{prefix}{_printable(shared)} shares bytes with another")
                for info in sorted(infos, key=lambda info: info.filename):
                    if not info.is_dir():
                        yield from self._member(archive, info, prefix, check, depth)
        except UnsafeArchive:
            raise
        except _DAMAGED as error:
            raise self._unsafe(f"it is damaged or cut off ({type(error).__name__})") from error

    def _check_entries(self, infos: list[zipfile.ZipInfo], prefix: str) -> None:
        for info in infos:
            self._count_entry()
            name = prefix + _printable(info.orig_filename)
            if reason := name_problem(info.orig_filename):
                raise self._unsafe(f"the name {name!r} {reason}")
            if reason := entry_problem(info):
                raise self._unsafe(f"{name} {reason}")
            self._check_ratio(name, info.file_size, info.compress_size)
        if found := collision(info.filename for info in infos):
            name, how = found
            raise self._unsafe(f"it holds {prefix}{_printable(name)} {how}")

    def _member(
        self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, prefix: str, check: bool, depth: int
    ) -> Iterator[tuple[str, bytes]]:
        name = prefix + info.filename
        nested = name.lower().endswith(".zip")
        content = io.BytesIO()
        size = 0
        with archive.open(info) as member:
            while block := member.read(_BLOCK):
                # what the directory says may be a lie: what comes out is counted
                size += len(block)
                self._check_size(name, size)
                self._check_ratio(name, size, info.compress_size)
                if nested or not check:
                    content.write(block)
        if nested and _is_zip(content):
            yield from self._members(content, f"{name}/", check, depth + 1)
            return
        self._count_bytes(name, size)
        yield name, content.getvalue()

    def _count_entry(self) -> None:
        self._entries += 1
        if self._entries > self._limits.entries:
            raise self._unsafe(f"it has more than {self._limits.entries} entries", "entries")

    def _count_bytes(self, name: str, size: int) -> None:
        self._check_size(name, size)
        self._total += size

    def _check_size(self, name: str, size: int) -> None:
        if size > self._limits.file_bytes:
            limit = self._limits.file_bytes
            raise self._unsafe(f"{name} has more than {limit} bytes", "file_bytes")
        if self._total + size > self._limits.total_bytes:
            limit = self._limits.total_bytes
            raise self._unsafe(f"it unpacks to more than {limit} bytes", "total_bytes")

    def _check_ratio(self, name: str, size: int, packed: int) -> None:
        if size > _SMALL and size > self._limits.ratio * max(packed, 1):
            raise self._unsafe(
                f"{name} unpacks to more than {self._limits.ratio} times its size", "ratio"
            )

    def _skip(self, path: str, reason: str) -> None:
        # the second walk meets the same obstacles
        if self._noting:
            self._skipped.append(LeftOut(path=_printable(path), reason=reason))

    def _unsafe(self, reason: str, limit: str = "") -> UnsafeArchive:
        return UnsafeArchive(self._name, reason, limit=limit)


def _is_zip(handle: BinaryIO) -> bool:
    handle.seek(0)
    magic = handle.read(4)
    handle.seek(0)
    return magic in (b"PK\x03\x04", b"PK\x05\x06")


def _obstacle(file: Path, name: str) -> str:
    """Why the entry `name` of a folder is not taken; empty when it is."""
    if file.is_symlink():
        return "a link is not followed"
    if not _utf8(name):
        return "its name is not UTF-8"
    if len(name) > PATH_CHARS:
        return f"its path has more than {PATH_CHARS} characters"
    if not name.isprintable():
        return "its name has characters that cannot be shown"
    return "" if file.is_file() or file.is_dir() else "not a regular file"


def _utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= 80 else shown[:77] + "..."
