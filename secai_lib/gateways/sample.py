"""The bundled sample repository as a git repository of its own, and the reports that go with it."""

import tempfile
from pathlib import Path

import pygit2

from secai_lib.core.errors import SourceError, StorageError, UsageError

SAMPLE_REMOTE = "https://github.com/secai-demo/nestbox.git"
"""The sample's `origin`; it names the repository and is never contacted."""
_DEMO = Path(__file__).resolve().parent.parent / "demo"
_AUTHOR = ("Nestbox Team", "team@nestbox.example")
_COMMITTED_AT = 1_757_923_200
"""2025-09-15 08:00 UTC, an hour before the reports were made."""
_MESSAGE = "Nestbox 1.8.0\n"
_DROPPINGS = frozenset({"__pycache__", ".DS_Store", ".mypy_cache", ".ruff_cache"})
"""What tools leave behind; it is no part of the sample."""


def create_sample(target: Path) -> Path:
    """The folder `target`, which holds the sample with one commit on branch `main`.

    The commit depends on the sample's bytes alone. A `target` that holds this commit already is
    left alone, one that holds an older, untouched sample is replaced.

    Raises:
        UsageError: `target` holds something else, or a sample that somebody changed.
        SourceError: the installation lacks the sample.
        StorageError: `target` cannot be written; what was there before is untouched.
    """
    files = _files()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".sample-", dir=target.parent) as scratch:
            fresh = Path(scratch) / "fresh"
            commit = _build(fresh, files)
            if _is_there(target, commit):
                return target
            if target.exists():
                target.rename(Path(scratch) / "old")
            try:
                fresh.rename(target)
            except OSError:
                # somebody else made it between our look and our rename
                if not _is_there(target, commit):
                    raise
    except (OSError, pygit2.GitError) as error:
        reason = getattr(error, "strerror", None) or "git refused"
        raise StorageError(
            f"the sample repository cannot be written to {target.name} ({reason}): "
            "make room or choose another folder"
        ) from error
    return target


def sample_reports() -> Path:
    """The folder of reports that go with the sample, laid out as `gh run download` does it."""
    return _DEMO / "reports"


def _files() -> list[tuple[str, bytes]]:
    root = _DEMO / "repository"
    files = [
        (path.relative_to(root).as_posix(), path.read_bytes())
        for path in root.rglob("*")
        if path.is_file() and not _DROPPINGS & set(path.relative_to(root).parts)
    ]
    if not any(path.startswith(".github/") for path, _ in files):
        # package builders like to drop hidden folders
        raise SourceError("the sample repository is not complete here: install secai again")
    return sorted(files)


def _build(folder: Path, files: list[tuple[str, bytes]]) -> str:
    repo = pygit2.init_repository(str(folder), initial_head="main")
    for path, data in files:
        # The mode follows from the text, because a checkout or an umask may have lost it.
        script = data.startswith(b"#!")
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(0o755 if script else 0o644)
        mode = pygit2.enums.FileMode.BLOB_EXECUTABLE if script else pygit2.enums.FileMode.BLOB
        repo.index.add(pygit2.IndexEntry(path, repo.create_blob(data), mode))
    repo.index.write()
    who = pygit2.Signature(*_AUTHOR, _COMMITTED_AT, 0)
    tree = repo.index.write_tree()
    commit = str(repo.create_commit("refs/heads/main", who, who, _MESSAGE, tree, []))
    repo.remotes.create("origin", SAMPLE_REMOTE)
    repo.free()
    return commit


def _is_there(target: Path, commit: str) -> bool:
    """True when `target` holds `commit`, False when it may be (re)placed."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return False
    try:
        repo = pygit2.Repository(str(target), pygit2.enums.RepositoryOpenFlag.NO_SEARCH)
        head = repo.head.peel(pygit2.Commit)
        if str(head.id) == commit:
            return True
        ours = (head.author.name, head.author.email) == _AUTHOR and not head.parents
        untouched = ours and not repo.status()
    except pygit2.GitError:
        untouched = False
    if untouched:
        return False
    raise UsageError(
        f"the folder {target.name} holds something other than the bundled sample: "
        "move it away or choose another folder"
    )
