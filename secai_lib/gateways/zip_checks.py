"""What a zip archive says about itself, and what in it is reason enough to refuse all of it.

Structure: PKWARE's APPNOTE 6.3 (4.3.12 directory, 4.3.14 zip64 record, 4.3.16 end record).
"""

import os
import re
import struct
import unicodedata
import zipfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import BinaryIO

PATH_CHARS = 400
"""Longest path of a member; longer ones break file systems and terminals."""
ENTRY_BYTES = 46 + 2 * PATH_CHARS
"""Bytes of one entry of a zip's directory that are plausible for us."""
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1 | 0x40 | 0x2000
"""Flags: encrypted, strongly encrypted, directory encrypted (4.4.4)."""
_UTF8_NAME = 0x800
_DOS_FOLDER = 0x10
_EMPTY_DEFLATED = 16
"""Packed bytes up to which an entry can be empty whatever the method."""
_DRIVE = re.compile(r"[A-Za-z]:")
_DEVICE = re.compile(r"(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.I)
"""Names that Windows takes for a device, with any ending and in every folder."""
_END, _END64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_SIZE, _END64_SIZE, _LOCATOR_SIZE, _HEADER_SIZE = 22, 56, 20, 30
_LONGEST_COMMENT = 0xFFFF


def directory_claims(handle: BinaryIO) -> tuple[int, int]:
    """Bytes and entries of the directory, the largest that any end record claims.

    `zipfile` would read the whole directory at once. It looks for the zip64 record right before
    the locator, others follow the locator's offset: a liar may write both. Raises BadZipFile when
    there is no end record.
    """
    end = handle.seek(0, os.SEEK_END)
    start = max(0, end - _END_SIZE - _LONGEST_COMMENT - 1 - _LOCATOR_SIZE)
    handle.seek(start)
    tail = handle.read()
    at = tail.rfind(_END)
    if at < 0 or at + _END_SIZE > len(tail):
        raise zipfile.BadZipFile("no end of central directory")
    entries, size = struct.unpack_from("<HL", tail, at + 10)
    sizes, counts = [0 if size == 0xFFFFFFFF else size], [0 if entries == 0xFFFF else entries]
    locator = at - _LOCATOR_SIZE
    if locator >= 0 and tail.startswith(_LOCATOR, locator):
        (offset,) = struct.unpack_from("<Q", tail, locator + 8)
        for place in (offset, start + locator - _END64_SIZE):
            record = _read_at(handle, place, end)
            if record.startswith(_END64) and len(record) == _END64_SIZE:
                counts.append(struct.unpack_from("<Q", record, 32)[0])
                sizes.append(struct.unpack_from("<Q", record, 40)[0])
    handle.seek(0)
    return max(sizes), max(counts)


def _read_at(handle: BinaryIO, place: int, end: int) -> bytes:
    if not 0 <= place < end:
        return b""
    handle.seek(place)
    return handle.read(_END64_SIZE)


def name_problem(name: str) -> str:
    """What is wrong with a member's name, as the end of a sentence; empty when nothing is."""
    parts = name.rstrip("/").split("/")
    if name.startswith("/") or _DRIVE.match(name):
        return "is absolute"
    if "\\" in name:
        return "has a backslash"
    if ".." in parts:
        return "leads out of the archive"
    if "" in parts or "." in parts:
        return "is not in its plain form"
    if len(name) > PATH_CHARS:
        return f"has more than {PATH_CHARS} characters"
    if not name.isprintable():
        return "has characters that cannot be shown"
    if any(_DEVICE.match(part) for part in parts):
        return "is a device on Windows"
    if any(part.endswith((".", " ")) for part in parts):
        return "ends in a dot or blank, which Windows drops"
    return ""


def entry_problem(info: zipfile.ZipInfo) -> str:
    """What is wrong with an entry apart from its name, as the end of a sentence; empty if nothing.

    Everything here is what the directory says; what comes out is counted while it is unpacked.
    """
    kind = S_IFMT(info.external_attr >> 16)
    if kind not in (0, S_IFREG, S_IFDIR):
        return "is a link or a device"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is packed with a method we do not unpack"
    if info.is_dir():
        hidden = info.file_size or info.compress_size > _EMPTY_DEFLATED
        return "is named like a folder and has content" if hidden else ""
    marked = kind == S_IFDIR or (kind == 0 and info.external_attr & _DOS_FOLDER)
    return "is marked as a folder and named like a file" if marked else ""


def collision(names: Iterable[str]) -> tuple[str, str] | None:
    """The first of `names` that some file system cannot keep apart from another one, and why.

    Names are compared as disks do that ignore case or compose accents (Windows, macOS).
    """
    seen: dict[str, str] = {}
    for name in names:
        key = _folded(name.rstrip("/"))
        if key in seen:
            same = seen[key].rstrip("/") == name.rstrip("/")
            return name, "twice" if same else "twice but for upper case or the way of accents"
        seen[key] = name
    files = {key for key, name in seen.items() if not name.endswith("/")}
    for key, name in seen.items():
        if any(str(parent) in files for parent in PurePosixPath(key).parents):
            return name, "below a file"
    return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def overlap(infos: Iterable[zipfile.ZipInfo], directory: int) -> str:
    """The name of an entry whose bytes another one or the `directory` (its offset) shares.

    Honest archives never do that; it is how a few kilobytes become petabytes without nesting.
    Empty when every byte belongs to one entry. Raises BadZipFile for an impossible offset.
    """
    end, last = 0, ""
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < 0:
            raise zipfile.BadZipFile("an entry before the beginning")
        if info.header_offset < end:
            return info.orig_filename
        encoding = "utf-8" if info.flag_bits & _UTF8_NAME else "cp437"
        name = len(info.orig_filename.encode(encoding))
        # the local extra field and a data descriptor may come on top: this is the least
        end, last = info.header_offset + _HEADER_SIZE + name + info.compress_size, info.filename
    return last if end > directory else ""
