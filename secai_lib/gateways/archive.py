"""Reads reports from a file, a folder or a zip, all of which may be hostile."""

import io
import os
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

from secai_lib.core.errors import UnsafeArchive
from secai_lib.core.record import Record

PATH_CHARS = 400
"""Longest path of a member; longer ones break file systems and terminals."""
_SMALL = 1_000_000
"""Bytes up to which the ratio does not matter: a megabyte of blanks hurts nobody."""
_BLOCK = 1 << 20
_ENTRY_OVERHEAD = 46 + 2 * PATH_CHARS
"""Bytes of one entry of a zip's directory that are plausible for us."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
            ValueError, struct.error, OSError)  # fmt: skip


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


class SkippedFile(Record):
    """A file that was not taken."""

    path: str
    """Its path inside the folder."""
    reason: str
    """Why not."""


def read_reports(
    path: Path, limits: ArchiveLimits | None = None, skipped: list[SkippedFile] | None = None
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

    def __init__(self, name: str, limits: ArchiveLimits, skipped: list[SkippedFile]) -> None:
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
        else:
            yield from self._take(path, path.name, check, top=True, zipped=True)

    def _files_of(self, folder: Path) -> Iterator[tuple[str, Path]]:
        found: list[tuple[str, Path]] = []

        def closed(error: OSError) -> None:
            inside = Path(error.filename).relative_to(folder).as_posix()
            self._skip(inside, f"it cannot be opened ({error.strerror})")

        for here, folders, names in os.walk(folder, onerror=closed):
            folders.sort()
            for name in sorted([*names, *(d for d in folders if (Path(here) / d).is_symlink())]):
                file = Path(here) / name
                relative = file.relative_to(folder).as_posix()
                self._count_entry()
                if file.is_symlink():
                    self._skip(relative, "a link is not followed")
                elif not file.is_file():
                    self._skip(relative, "not a regular file")
                elif not _utf8(relative):
                    self._skip(relative, "its name is not UTF-8")
                else:
                    found.append((relative, file))
        yield from sorted(found)

    def _take(
        self, file: Path, name: str, check: bool, *, zipped: bool, top: bool = False
    ) -> Iterator[tuple[str, bytes]]:
        try:
            handle = file.open("rb")
        except OSError as error:
            self._skip(name, f"it cannot be read ({error.strerror})")
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
            if _directory_bytes(handle) > self._limits.entries * _ENTRY_OVERHEAD:
                raise self._unsafe("it has too many entries", "entries")
            with zipfile.ZipFile(handle) as archive:
                infos = archive.infolist()
                self._check_names(infos, prefix)
                for info in sorted(infos, key=lambda info: info.filename):
                    if not info.is_dir():
                        yield from self._member(archive, info, prefix, check, depth)
        except UnsafeArchive:
            raise
        except _DAMAGED as error:
            raise self._unsafe(f"it is damaged or cut off ({type(error).__name__})") from error

    def _check_names(self, infos: list[zipfile.ZipInfo], prefix: str) -> None:
        seen: dict[str, str] = {}
        for info in infos:
            self._count_entry()
            name = prefix + _printable(info.orig_filename)
            self._check_entry(info, name)
            key = unicodedata.normalize("NFC", info.filename).casefold().rstrip("/")
            if key in seen:
                kind = "twice" if seen[key] == info.filename else "twice but for upper case"
                raise self._unsafe(f"it holds {name} {kind}")
            seen[key] = info.filename
        files = {key for key, name in seen.items() if not name.endswith("/")}
        for key in seen:
            if any(str(parent) in files for parent in PurePosixPath(key).parents):
                raise self._unsafe(f"{prefix}{_printable(key)} lies below a file")

    def _check_entry(self, info: zipfile.ZipInfo, name: str) -> None:
        reason = _name_problem(info.orig_filename)
        if reason:
            raise self._unsafe(f"the name {name!r} {reason}")
        if S_IFMT(info.external_attr >> 16) not in (0, S_IFREG, S_IFDIR):
            raise self._unsafe(f"{name} is a link or a device")
        if info.flag_bits & _ENCRYPTED:
            raise self._unsafe(f"{name} is encrypted")
        if info.compress_type not in _METHODS:
            raise self._unsafe(f"{name} is packed with a method we do not unpack")
        self._check_ratio(name, info.file_size, info.compress_size)

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
            self._skipped.append(SkippedFile(path=_printable(path), reason=reason))

    def _unsafe(self, reason: str, limit: str = "") -> UnsafeArchive:
        return UnsafeArchive(self._name, reason, limit=limit)


def _is_zip(handle: BinaryIO) -> bool:
    handle.seek(0)
    magic = handle.read(4)
    handle.seek(0)
    return magic in (b"PK\x03\x04", b"PK\x05\x06")


def _directory_bytes(handle: BinaryIO) -> int:
    """How large the archive says its directory is; zipfile would read all of it at once."""
    end = handle.seek(0, os.SEEK_END)
    handle.seek(max(0, end - 65_557 - 20))
    tail = handle.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        raise zipfile.BadZipFile("no end of central directory")
    size = int(struct.unpack_from("<L", tail, at + 12)[0])
    if at >= 20 and tail[at - 20 : at - 16] == b"PK\x06\x07":
        handle.seek(struct.unpack_from("<Q", tail, at - 12)[0])
        large = handle.read(56)
        size = max(size if size != 0xFFFFFFFF else 0, struct.unpack_from("<Q", large, 40)[0])
    handle.seek(0)
    return size


def _name_problem(name: str) -> str:
    """What is wrong with a member's name, as the end of a sentence; empty when nothing is."""
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or (len(name) > 1 and name[1] == ":" and name[0].isalpha()):
        return "is absolute"
    if "\\" in name:
        return "has a backslash"
    if ".." in parts:
        return "leads out of the archive"
    if "" in parts or "." in parts:
        return "is not in its plain form"
    if len(name) > PATH_CHARS:
        return f"has more than {PATH_CHARS} characters"
    return "" if name.isprintable() else "has characters that cannot be shown"


def _utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(name: str) -> str:
    shown = "".join(c if c.isprintable() else "?" for c in name)
    return shown if len(shown) <= 80 else shown[:77] + "..."
