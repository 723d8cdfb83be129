"""Our own copies of the scanned commits: nothing is ever read from a working tree.

`SourceStore` keeps one bare repository per project. A snapshot copies the objects of one commit
(no history, so shallow clones and worktrees are fine) and then writes a ref for it. Objects go in
children first and the ref last; an object that is there therefore has all of its children, and a
process that is killed half-way leaves nothing that looks complete.
"""

import os
import re
import shutil
import tempfile
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pygit2
from pygit2.enums import ApplyLocation, DeltaStatus, DiffFind, FileMode, RepositoryOpenFlag

from secai_lib.core.errors import SourceError, StorageError
from secai_lib.core.record import Record
from secai_lib.gateways.commit_files import CommitFiles, export_files, walk

MAX_OBJECTS = 500_000
"""Objects of one commit; a tree bomb has billions, the Linux kernel about 95,000."""

MAX_RENAMES = 1000
"""Removed or added files up to which changed ones are compared; equal ones are always found."""

_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)?")
_SCP_URL = re.compile(r"(?:[^@/:]+@)?[^/:]{2,}:(?P<path>(?!//).+)")
_REF = "refs/secai/"
_OPENING = threading.Lock()


class Snapshot(Record):
    """A commit that is now in our own store."""

    repository: str
    """`owner/name` of the `origin` remote, else the folder's name."""
    commit: str
    """The commit (40 hex digits)."""
    branch: str
    """The branch that is checked out; empty for a detached HEAD."""
    committed_at: datetime
    """The commit's time (UTC)."""
    uncommitted: int
    """Changed tracked files, which are not part of the snapshot; a best effort."""


class SourceStore:
    """Bare repositories under one folder, one per project."""

    def __init__(self, root: Path, *, max_bytes: int = 1 << 20) -> None:
        """Keep the `root` folder; files over `max_bytes` are not read as text."""
        self._root = root
        self._max_bytes = max_bytes

    def snapshot(self, path: Path, commit: str = "") -> Snapshot:
        """A commit of the repository whose top folder is `path`, copied into the store.

        Without `commit` (hex digits, 7 at least) it is HEAD. Raises `SourceError` when there is
        no commit to read, `StorageError` when the store cannot be written.
        """
        shown = path.name or path.resolve().name or "the folder"
        source = _open(path, shown)
        head, branch = (_commit(source, commit, shown), "") if commit else _head(source, shown)
        name = _repository_name(source, path)
        with _writing():
            target = self._open_or_create(name)
            _copy_commit(source, target, head, shown)
            # Few objects can make billions of paths; libgit2's own `status` would walk them all.
            deque(walk(target, target[head.tree_id].peel(pygit2.Tree)), maxlen=0)
            _write_ref(Path(target.path), str(head.id))
        return Snapshot(
            repository=name,
            commit=str(head.id),
            branch=branch,
            committed_at=_time(head.commit_time),
            uncommitted=_uncommitted(source),
        )

    def has(self, repository: str, commit: str) -> bool:
        """Whether the files of `commit` are here."""
        return self._find(repository, commit) is not None

    def files(self, repository: str, commit: str, *, exact: bool = False) -> CommitFiles:
        """The files of `commit`, read-only; raises `SourceError` when it is not here.

        With `exact` only those are read whose bytes are their text in UTF-8: a patch of any other
        would not fit the file.
        """
        tree = self._need(repository, commit)
        return CommitFiles(*tree, max_bytes=self._max_bytes, exact=exact)

    def export(self, repository: str, commit: str, target: Path) -> tuple[str, ...]:
        """What was left out (`path: reason`) of the files written into the new folder `target`.

        Regular files only: no links, no names that leave the folder, and no scanner
        configuration that would run code of the scanned repository. Raises `SourceError` for an
        unknown commit and `StorageError` when the folder cannot be written (it is removed then).
        """
        return export_files(*self._need(repository, commit), target)

    def renames(self, repository: str, old: str, new: str) -> dict[str, str]:
        """Path in the commit `old` -> its path in `new`, for every file that git sees renamed.

        Empty where one of the commits is not here: nothing is guessed then.
        """
        before, after = self._find(repository, old), self._find(repository, new)
        if before is None or after is None:
            return {}
        try:
            diff = before[1].diff_to_tree(after[1], context_lines=0)
            diff.find_similar(flags=DiffFind.FIND_RENAMES, rename_limit=MAX_RENAMES)
            moved = [delta for delta in diff.deltas if delta.status is DeltaStatus.RENAMED]
        except (pygit2.GitError, KeyError):
            return {}
        return {delta.old_file.path: delta.new_file.path for delta in moved}

    def commits(self, repository: str) -> tuple[str, ...]:
        """Every commit of `repository` in the store, oldest first."""
        target = self._open_existing(repository)
        if target is None:
            return ()
        shas = [name.removeprefix(_REF) for name in target.references if name.startswith(_REF)]
        known = [
            (target[sha].peel(pygit2.Commit).commit_time, sha) for sha in shas if sha in target
        ]
        return tuple(sha for _, sha in sorted(known))

    def _folder(self, repository: str) -> Path:
        if not _NAME.fullmatch(repository):
            raise SourceError("A repository is named owner/name, with letters, digits, - _ and .")
        return self._root / f"{repository.replace('/', '~')}.git"

    def _open_existing(self, repository: str) -> pygit2.Repository | None:
        if not _NAME.fullmatch(repository):
            return None
        folder = self._folder(repository)
        return _open_git(folder, RepositoryOpenFlag.BARE) if folder.is_dir() else None

    def _open_or_create(self, repository: str) -> pygit2.Repository:
        """The project's bare repository; a new one appears in one rename, whole or not at all."""
        folder = self._folder(repository)
        if not folder.is_dir():
            self._root.mkdir(parents=True, exist_ok=True)
            fresh = Path(tempfile.mkdtemp(prefix=".new-", dir=self._root))
            pygit2.init_repository(str(fresh), bare=True)
            try:
                fresh.rename(folder)
            except OSError:
                shutil.rmtree(fresh, ignore_errors=True)
                if not folder.is_dir():  # otherwise another process was faster: use its folder
                    raise
        return _open_git(folder, RepositoryOpenFlag.BARE)

    def _find(self, repository: str, commit: str) -> tuple[pygit2.Repository, pygit2.Tree] | None:
        target = self._open_existing(repository) if _COMMIT.fullmatch(commit) else None
        if target is None or _REF + commit not in target.references or commit not in target:
            return None
        return target, target[commit].peel(pygit2.Tree)

    def _need(self, repository: str, commit: str) -> tuple[pygit2.Repository, pygit2.Tree]:
        found = self._find(repository, commit)
        if found is None:
            raise SourceError(
                f"Commit {commit[:40]} of {repository} is not here; "
                "run SecAI on a checkout of that commit to bring its source in."
            )
        return found


def apply_patch(path: Path, patch: str | bytes) -> tuple[str, ...]:
    """The files that changed when `patch` was applied to the working tree at `path`, sorted.

    All of the patch or nothing: raises `SourceError` when a part of it does not fit the files
    as they are now.
    """
    shown = path.name or path.resolve().name
    repository = _open(path, shown)
    try:
        diff = pygit2.Diff.parse_diff(patch)
        repository.applies(diff, ApplyLocation.WORKDIR, raise_error=True)
        repository.apply(diff, ApplyLocation.WORKDIR)
    except (pygit2.GitError, KeyError) as error:
        raise SourceError(
            f"The patch does not fit the files of {shown} as they are now; "
            "commit or stash your changes and make the fixes again."
        ) from error
    return tuple(sorted({delta.new_file.path for delta in diff.deltas}))


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except (OSError, pygit2.GitError) as error:
        raise StorageError(
            f"The store of source files cannot be written ({_words(error)}); "
            "check the space and the permissions of the data folder."
        ) from error


def _words(error: Exception) -> str:
    """The error's own words without a path, which would name the user's folders."""
    text = error.strerror if isinstance(error, OSError) else str(error).split("'")[0]
    return (text or type(error).__name__).strip(" :")


def _open_git(path: Path, flags: RepositoryOpenFlag) -> pygit2.Repository:
    """The repository at `path`, whoever owns it and even when it is a partial clone.

    Both switches are global in libgit2, so they are set for the moment of opening only. Naming
    the folder is consent enough: libgit2 runs neither hooks nor external filters.
    """
    with _OPENING:
        validated, extensions = pygit2.settings.owner_validation, pygit2.settings.extensions
        try:
            pygit2.settings.owner_validation = False
            pygit2.settings.set_extensions(["partialclone"])
            return pygit2.Repository(str(path), flags)
        finally:
            pygit2.settings.owner_validation = validated
            if "partialclone" not in extensions:
                pygit2.settings.set_extensions(["!partialclone"])


def _open(path: Path, shown: str) -> pygit2.Repository:
    if not path.exists():
        raise SourceError(f"There is no folder {shown}; check the path.")
    if not path.is_dir():
        raise SourceError(f"{shown} is a file; name the top folder of a git repository.")
    try:
        return _open_git(path, RepositoryOpenFlag.NO_SEARCH)
    except pygit2.GitError as error:
        raise SourceError(_why_not_opened(path, shown, str(error))) from error


def _why_not_opened(path: Path, shown: str, error: str) -> str:
    if "object format" in error or "objectformat" in error:
        return f"{shown} stores SHA-256 objects, which cannot be read yet; use a SHA-1 clone of it."
    if "extension" in error or "version" in error:
        return f"{shown} uses a git feature that cannot be read here; make a plain clone of it."
    if not any(path.iterdir()):
        return f"The folder {shown} is empty; name the top folder of a git repository."
    if not (path / ".git").exists() and pygit2.discover_repository(str(path)):
        return f"{shown} lies inside a git repository; name the repository's top folder."
    return f"{shown} is not a git repository; run `git init`, commit, and try again."


def _head(source: pygit2.Repository, shown: str) -> tuple[pygit2.Commit, str]:
    if source.head_is_unborn:
        raise SourceError(f"{shown} has no commit on its current branch; commit and try again.")
    try:
        head = source.head.peel(pygit2.Commit)
    except (pygit2.GitError, KeyError) as error:
        raise SourceError(
            f"The newest commit of {shown} cannot be read; run `git fsck` there."
        ) from error
    return head, "" if source.head_is_detached else source.head.shorthand


def _commit(source: pygit2.Repository, commit: str, shown: str) -> pygit2.Commit:
    """Found by its number alone: an expression like `HEAD~3` or a branch may move."""
    if not _SHORT_COMMIT.fullmatch(commit):
        raise SourceError("A commit is named by 7 to 40 of its hex digits (0-9, a-f).")
    try:
        return source[commit].peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise SourceError(
            f"{shown} has no single commit {commit}; run `git fetch` there, or give all 40 digits."
        ) from error


def _repository_name(source: pygit2.Repository, path: Path) -> str:
    urls = {remote.name: remote.url or "" for remote in source.remotes}
    parts = [part for part in _url_path(urls.get("origin", "")).split("/") if part]
    if len(parts) > 1:
        return f"{_clean(parts[-2])}/{_clean(parts[-1].removesuffix('.git'))}"
    return _clean(path.resolve().name.removesuffix(".git"))


def _url_path(url: str) -> str:
    """The path part of a remote's URL; empty for a local folder, which names nobody's project."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if parts.scheme and parts.netloc:
        return "" if parts.scheme == "file" else parts.path
    scp = _SCP_URL.fullmatch(url)
    return scp["path"] if scp else ""


def _clean(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", name).lstrip(".") or "repository"


def _time(seconds: int) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0, UTC)  # a hostile commit may claim the year 300,000


def _uncommitted(source: pygit2.Repository) -> int:
    if source.is_bare:
        return 0
    try:
        return len(source.status(untracked_files="no"))
    except (pygit2.GitError, KeyError, OSError):
        return 0


def _copy_commit(
    source: pygit2.Repository, target: pygit2.Repository, head: pygit2.Commit, shown: str
) -> None:
    """Copies what `target` lacks of `head`, every object after the objects it names."""
    pending: list[tuple[pygit2.Oid, bool]] = [(head.tree_id, True)]
    begun: set[pygit2.Oid] = set()
    while pending:
        oid, is_tree = pending[-1]
        if oid in target.odb or oid in begun or not is_tree:
            pending.pop()
            if oid not in target.odb:
                _copy_object(source, target, oid, shown)
            continue
        begun.add(oid)
        pending += _children(source, oid, shown)
        if len(begun) + len(pending) > MAX_OBJECTS:
            raise SourceError(f"The commit of {shown} has more than {MAX_OBJECTS:,} objects.")
    _copy_object(source, target, head.id, shown)


def _children(
    source: pygit2.Repository, tree: pygit2.Oid, shown: str
) -> list[tuple[pygit2.Oid, bool]]:
    found = source.get(tree)
    if not isinstance(found, pygit2.Tree):
        raise _missing(shown)
    return [
        (entry.id, entry.filemode == FileMode.TREE)
        for entry in found
        if entry.filemode != FileMode.COMMIT  # a submodule: its commit is in another repository
    ]


def _copy_object(
    source: pygit2.Repository, target: pygit2.Repository, oid: pygit2.Oid, shown: str
) -> None:
    try:
        kind, data = source.odb.read(oid)
    except (KeyError, pygit2.GitError) as error:
        raise _missing(shown) from error
    target.odb.write(kind, data)


def _missing(shown: str) -> SourceError:
    return SourceError(
        f"{shown} lacks some files of its newest commit (a partial clone?); "
        "run `git fetch --refetch --no-filter` or clone it whole."
    )


def _write_ref(repository: Path, commit: str) -> None:
    """Names the commit in one rename; git's own lock file would outlive a killed process."""
    ref = repository / _REF / commit
    ref.parent.mkdir(parents=True, exist_ok=True)
    if ref.exists():
        return
    handle, fresh = tempfile.mkstemp(prefix="secai-ref-", dir=repository)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(f"{commit}\n")
    Path(fresh).replace(ref)
