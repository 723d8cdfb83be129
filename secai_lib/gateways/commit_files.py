"""The files of one commit in our own store: listed, read as text, written out for scanners."""

import codecs
import errno
import shutil
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pygit2
from pygit2.enums import FileMode

from secai_lib.core.errors import SourceError, StorageError

MAX_ENTRIES = 300_000
"""Entries of one commit's tree, folders counted; a tree bomb has billions."""
MAX_DEPTH = 100
"""Folders inside one another."""

RUNS_CODE = dict.fromkeys(
    (".checkov.yaml", ".checkov.yml"), "checkov would load and run code that this file names"
)
"""Scanner configuration that never reaches a scanner, because it can execute code."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark is the beginning of this one
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BAD_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
_REGULAR = (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
_IGNORED_BY_HFS = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0xFEFF])


class Entry(NamedTuple):
    """A file of the tree, or something in its place that we do not take."""

    path: str
    """Path from the top, with `/`."""
    oid: pygit2.Oid
    """Its object."""
    refused: str
    """Why it is not taken; empty for a regular file."""


class CommitFiles:
    """The regular files of one commit; the `SourceFiles` that rooms are given.

    Links, submodules and names that could leave a folder are not there at all, so no path can
    lead outside the commit.
    """

    def __init__(
        self,
        repository: pygit2.Repository,
        tree: pygit2.Tree,
        *,
        max_bytes: int,
        exact: bool = False,
    ) -> None:
        """Read from `tree`; not files over `max_bytes`, nor, if `exact`, what is not plain UTF-8.

        Of such a file the text is not what stands in it, so nobody can edit it by its text.
        """
        self._repository = repository
        self._tree = tree
        self._max_bytes = max_bytes
        self._exact = exact

    @cached_property
    def _blobs(self) -> Mapping[str, pygit2.Oid]:
        entries = walk(self._repository, self._tree)
        return {entry.path: entry.oid for entry in entries if not entry.refused}

    def paths(self) -> tuple[str, ...]:
        """Every regular file, relative, sorted."""
        return tuple(sorted(self._blobs))

    def read(self, path: str) -> str | None:
        """The file's text without a byte order mark, line ends as they are.

        None when there is no such regular file, when it is binary, or over the size limit.
        """
        oid = self._blobs.get(path)
        if oid is None or self._repository.odb.read_header(oid)[1] > self._max_bytes:
            return None
        data = self._repository.odb.read(oid)[1]
        text = decoded(data)
        lossless = text is not None and text.encode("utf-8", "replace") == data
        return text if lossless or not self._exact else None


def decoded(data: bytes) -> str | None:
    """The text of `data` by its byte order mark, else UTF-8, else Latin-1; None when binary."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in data:
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def walk(repository: pygit2.Repository, tree: pygit2.Tree) -> Iterator[Entry]:
    """Every file of `tree` in git's order, and with a reason everything that is not taken.

    Raises `SourceError` for a tree that is too large to be honest.
    """
    pending = [("", tree, 0)]
    seen = 0
    while pending:
        folder, current, depth = pending.pop()
        for item in current:
            seen += 1
            if seen > MAX_ENTRIES:
                raise SourceError(f"The commit has more than {MAX_ENTRIES:,} files and folders.")
            name = (item.raw_name or b"").decode("utf-8", "replace")
            entry = Entry(folder + name, item.id, _refusal(name, item.filemode))
            if item.filemode != FileMode.TREE or entry.refused:
                yield entry
            elif depth >= MAX_DEPTH:
                yield entry._replace(refused=f"deeper than {MAX_DEPTH} folders")
            else:
                pending.append((f"{entry.path}/", repository[item.id].peel(pygit2.Tree), depth + 1))


def _refusal(name: str, mode: int) -> str:
    bare = name.translate(_IGNORED_BY_HFS).rstrip(". ").lower()
    if bare in ("", ".git", "git~1") or "\\" in name or "/" in name:
        return "its name could lead outside the folder"
    if "\ufffd" in name:
        return "its name is not UTF-8"
    if mode == FileMode.LINK:
        return "a symbolic link"
    if mode == FileMode.COMMIT:
        return "a submodule"
    return "" if mode in (*_REGULAR, FileMode.TREE, 0o100664) else "not a regular file"


def export_files(repository: pygit2.Repository, tree: pygit2.Tree, target: Path) -> tuple[str, ...]:
    """What was left out (`path: reason`, sorted) of the files written into the new `target`.

    Raises `StorageError` when `target` has something in it or cannot be written; a folder that
    could not be filled is removed again.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        if any(target.iterdir()):
            raise StorageError(f"The folder {target.name} for the scanners is not empty.")
    except OSError as error:
        raise _unwritable(error) from error
    left_out = []
    try:
        for entry in walk(repository, tree):
            name = entry.path.rpartition("/")[2]
            refused = entry.refused or RUNS_CODE.get(name.lower(), "")
            refused = refused or _write(target / entry.path, repository.odb.read(entry.oid)[1])
            if refused:
                left_out.append(f"{entry.path}: {refused}")
    except BaseException as error:
        shutil.rmtree(target, ignore_errors=True)
        if isinstance(error, OSError):
            raise _unwritable(error) from error
        raise
    return tuple(sorted(left_out))


def _write(path: Path, data: bytes) -> str:
    """Writes a new file; the reason when its name is impossible beside the others."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:
            file.write(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        # Names that differ in case only are one file on macOS; a hostile tree repeats names.
        return "another file has this name on this file system"
    except OSError as error:
        if error.errno in _BAD_NAME:
            return "its name is impossible on this file system"
        raise
    return ""


def _unwritable(error: OSError) -> StorageError:
    return StorageError(f"The files for the scanners cannot be written ({error.strerror}).")
