"""Commits are copied whole, read confined, and written out without what could do harm."""

import multiprocessing
import os
import subprocess
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode

from secai_lib.core.errors import SourceError, StorageError
from secai_lib.gateways import commit_files
from secai_lib.gateways.commit_files import decoded
from secai_lib.gateways.source import SourceStore, apply_patch

Files = dict[str, bytes]


def commit(folder: Path, files: Files, *, remote: str = "", seconds: int = 0) -> pygit2.Repository:
    if (folder / ".git").exists():
        repo = pygit2.Repository(str(folder))
    else:
        repo = pygit2.init_repository(str(folder), initial_head="main")
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
        repo.index.add(path)
    repo.index.write()
    who = pygit2.Signature("A", "a@example.com", 1_700_000_000 + seconds, 0)
    parents = [] if repo.head_is_unborn else [repo.head.target]
    repo.create_commit("HEAD", who, who, "m", repo.index.write_tree(), parents)
    if remote:
        repo.remotes.create("origin", remote)
    return repo


def raw_commit(folder: Path, entries: list[tuple[int, bytes, pygit2.Oid]]) -> pygit2.Repository:
    """A commit of a tree that no honest git would write."""
    repo = pygit2.Repository(str(folder))
    tree = b"".join(b"%o %s\0" % (mode, name) + oid.raw for mode, name, oid in entries)
    return point_head(repo, repo.odb.write(pygit2.GIT_OBJECT_TREE, tree))


def point_head(repo: pygit2.Repository, tree: pygit2.Oid, parent: str = "") -> pygit2.Repository:
    lines = [f"tree {tree}", *([f"parent {parent}"] if parent else [])]
    who = "A <a@example.com> 1700000000 +0000"
    text = "\n".join([*lines, f"author {who}", f"committer {who}", "", "m", ""])
    oid = repo.odb.write(pygit2.GIT_OBJECT_COMMIT, text.encode())
    repo.references.create("refs/heads/main", oid, force=True)
    return repo


@pytest.fixture
def store(tmp_path: Path) -> SourceStore:
    return SourceStore(tmp_path / "store")


def test_a_snapshot_is_read_from_the_commit_and_not_from_the_working_tree(
    tmp_path: Path, store: SourceStore
) -> None:
    repo = commit(tmp_path / "app", {"a.txt": b"one\r\n", "src/b.py": b"x = 1\n"})
    (tmp_path / "app/a.txt").write_bytes(b"changed, and longer")
    (tmp_path / "app/new.txt").write_bytes(b"untracked")
    taken = store.snapshot(tmp_path / "app")
    assert (taken.repository, taken.branch, taken.uncommitted) == ("app", "main", 1)
    assert taken.commit == str(repo.head.target)
    assert taken.committed_at.isoformat() == "2023-11-14T22:13:20+00:00"
    files = store.files("app", taken.commit)
    assert files.paths() == ("a.txt", "src/b.py")
    assert files.read("a.txt") == "one\r\n"


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://user:t0ken@github.com/own/na.me.git", "own/na.me"),
        ("https://x@github.com/own/name/", "own/name"),
        ("git@github.com:own/name.git", "own/name"),
        ("ssh://git@host.example:22/own/name", "own/name"),
        ("https://git.example/a/b/own/name.git", "own/name"),
        ("https://git.example/../..", "repository/repository"),
        ("file:///home/somebody/secret-project", "app"),
        ("/home/somebody/secret-project", "app"),
        ("../secret-project", "app"),
    ],
)
def test_the_name_comes_from_the_remote_without_credentials_or_local_folders(
    tmp_path: Path, store: SourceStore, url: str, name: str
) -> None:
    commit(tmp_path / "app", {"a": b"1"}, remote=url)
    taken = store.snapshot(tmp_path / "app")
    assert taken.repository == name
    assert store.has(name, taken.commit)
    assert {p.parent for p in tmp_path.rglob("*.git") if p.is_dir() and p.name != ".git"} == {
        tmp_path / "store"
    }


def test_commits_are_kept_oldest_first_and_a_repetition_writes_nothing(
    tmp_path: Path, store: SourceStore
) -> None:
    commit(tmp_path / "app", {"a": b"1", "same": b"same"})
    first = store.snapshot(tmp_path / "app").commit
    commit(tmp_path / "app", {"a": b"2"}, seconds=60)
    second = store.snapshot(tmp_path / "app").commit
    before = sorted((tmp_path / "store").rglob("*"))
    assert store.snapshot(tmp_path / "app").commit == second
    assert sorted((tmp_path / "store").rglob("*")) == before
    assert store.commits("app") == (first, second)
    assert store.files("app", first).read("a") == "1"
    assert store.files("app", second).read("a") == "2"


def test_history_is_neither_needed_nor_copied(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"1"})
    tree = repo.head.peel(pygit2.Commit).tree_id
    point_head(repo, tree, parent="1" * 40)  # as in a shallow clone, the parent is not there
    (tmp_path / "app/.git/shallow").write_text(f"{repo.head.target}\n")
    taken = store.snapshot(tmp_path / "app")
    assert store.files("app", taken.commit).read("a") == "1"


def test_detached_heads_and_worktrees_are_fine(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"1"}, remote="https://h.example/o/n")
    repo.add_worktree("other", str(tmp_path / "other"))
    assert store.snapshot(tmp_path / "other").branch == "other"
    repo.set_head(repo.head.target)
    taken = store.snapshot(tmp_path / "app")
    assert (taken.repository, taken.branch) == ("o/n", "")


def test_a_folder_of_another_owner_is_read(tmp_path: Path, store: SourceStore) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a folder away")
    commit(tmp_path / "app", {"a": b"1"})
    for path in (tmp_path / "app", *(tmp_path / "app").rglob("*")):
        os.chown(path, 12345, 12345)
    with pytest.raises(pygit2.GitError, match="owned"):
        pygit2.Repository(str(tmp_path / "app"))
    extensions = pygit2.settings.extensions
    assert store.snapshot(tmp_path / "app").repository == "app"
    assert pygit2.settings.owner_validation is True
    assert pygit2.settings.extensions == extensions


def test_nothing_of_the_repository_is_run(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {".gitattributes": b"*.txt filter=evil\n", "a.txt": b"1\n"})
    ran = tmp_path / "ran"
    script = tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {ran}\ncat\n")
    script.chmod(0o755)
    for key in ("filter.evil.clean", "filter.evil.smudge", "core.fsmonitor"):
        repo.config[key] = str(script)
    (tmp_path / "app/a.txt").write_bytes(b"2\n")
    taken = store.snapshot(tmp_path / "app")
    store.export("app", taken.commit, tmp_path / "out")
    assert taken.uncommitted == 1
    assert not ran.exists()


def no_folder(folder: Path) -> None:
    pass


def only_a_file(folder: Path) -> None:
    folder.write_text("x")


def an_empty_folder(folder: Path) -> None:
    folder.mkdir()


def no_repository(folder: Path) -> None:
    folder.mkdir()
    (folder / "a").write_text("x")


def no_commit(folder: Path) -> None:
    pygit2.init_repository(str(folder))


def inside_a_repository(folder: Path) -> None:
    commit(folder.parent, {f"{folder.name}/a": b"1"})


def sha256_objects(folder: Path) -> None:
    repo = pygit2.init_repository(str(folder))
    repo.config["core.repositoryformatversion"] = 1
    repo.config["extensions.objectformat"] = "sha256"


def unknown_extension(folder: Path) -> None:
    repo = commit(folder, {"a": b"1"})
    repo.config["core.repositoryformatversion"] = 1
    repo.config["extensions.fromthefuture"] = "true"


def a_missing_blob(folder: Path) -> None:
    repo = commit(folder, {"a": b"1"})
    repo.config["core.repositoryformatversion"] = 1
    repo.config["extensions.partialclone"] = "origin"
    oid = str(repo.head.peel(pygit2.Commit).tree["a"].id)
    (folder / ".git/objects" / oid[:2] / oid[2:]).unlink()


def a_missing_commit(folder: Path) -> None:
    commit(folder, {"a": b"1"})
    (folder / ".git/refs/heads/main").write_text("1" * 40 + "\n")


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (no_folder, "There is no folder thing"),
        (only_a_file, "thing is a file"),
        (an_empty_folder, "The folder thing is empty"),
        (no_repository, "thing is not a git repository"),
        (no_commit, "thing has no commit"),
        (inside_a_repository, "thing lies inside a git repository"),
        (sha256_objects, "thing stores SHA-256 objects"),
        (unknown_extension, "thing uses a git feature"),
        (a_missing_blob, "thing lacks some files"),
        (a_missing_commit, "newest commit of thing cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, store: SourceStore, make: object, sentence: str
) -> None:
    (tmp_path / "in").mkdir()
    assert callable(make)
    make(tmp_path / "in/thing")
    with pytest.raises(SourceError, match=sentence) as error:
        store.snapshot(tmp_path / "in/thing")
    assert str(tmp_path) not in str(error.value)
    assert "\n" not in str(error.value)
    assert store.commits("thing") == ()


def test_a_partial_clone_with_all_its_files_is_fine(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"1"})
    repo.config["core.repositoryformatversion"] = 1
    repo.config["extensions.partialclone"] = "origin"
    assert store.files("app", store.snapshot(tmp_path / "app").commit).read("a") == "1"


@pytest.mark.parametrize("killed_after", [0, 1, 2, 3])
def test_a_killed_snapshot_leaves_nothing_that_looks_complete(
    tmp_path: Path, store: SourceStore, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    from secai_lib.gateways import source

    repo = commit(tmp_path / "app", {"a": b"1", "b/c": b"2"})
    copy = source._copy_object
    done: list[object] = []

    def dying(*args: object) -> None:
        if len(done) == killed_after:
            raise KeyboardInterrupt
        done.append(args)
        copy(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(source, "_copy_object", dying)
    with pytest.raises(KeyboardInterrupt):
        store.snapshot(tmp_path / "app")
    head = str(repo.head.target)
    assert not store.has("app", head)
    kept = pygit2.Repository(str(tmp_path / "store/app.git"))
    for oid in kept:
        found = kept[oid]
        if isinstance(found, pygit2.Tree):
            assert all(entry.id in kept for entry in found), "a tree before its children"
    monkeypatch.undo()
    store.snapshot(tmp_path / "app")
    assert store.files("app", head).read("b/c") == "2"


def take(root: str, folder: str) -> str:
    return SourceStore(Path(root)).snapshot(Path(folder)).commit


def test_two_processes_at_once(tmp_path: Path, store: SourceStore) -> None:
    commit(tmp_path / "app", {f"d{n % 7}/f{n}": str(n).encode() for n in range(200)})
    work = [(str(tmp_path / "store"), str(tmp_path / "app"))] * 4
    with multiprocessing.get_context("fork").Pool(4) as pool:
        commits = set(pool.starmap(take, work))
    assert len(commits) == 1
    assert len(store.files("app", commits.pop()).paths()) == 200
    assert [p.name for p in (tmp_path / "store").iterdir()] == ["app.git"]
    assert not list((tmp_path / "store/app.git").glob("secai-ref-*"))


def test_an_unwritable_store_is_a_storage_error(tmp_path: Path) -> None:
    commit(tmp_path / "app", {"a": b"1"})
    (tmp_path / "store").write_text("a file where the folder should be")
    with pytest.raises(StorageError) as error:
        SourceStore(tmp_path / "store").snapshot(tmp_path / "app")
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("name", ["", "..", "../x", "a/../b", "a/b/c", ".git", "a~b", "a\\b", "/x"])
def test_names_and_commits_from_outside_reach_no_other_folder(
    tmp_path: Path, store: SourceStore, name: str
) -> None:
    commit(tmp_path / "app", {"a": b"1"})
    sha = store.snapshot(tmp_path / "app").commit
    assert not store.has(name, sha)
    assert store.commits(name) == ()
    for unknown in ("0" * 40, "HEAD", sha[:12], f"../{sha}", ""):
        assert not store.has("app", unknown)
    with pytest.raises(SourceError, match="not here"):
        store.files(name, sha)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain", "plain"),
        ("größe".encode(), "größe"),
        ("größe".encode("latin-1"), "größe"),
        (b"\xef\xbb\xbfmark", "mark"),
        ("wide".encode("utf-16"), "wide"),
        (b"\xfe\xff" + "wide".encode("utf-16-be"), "wide"),
        ("wider".encode("utf-32"), "wider"),
        (b"\xff\xfeodd", None),
        (b"a\0b", None),
        (b"", ""),
    ],
)
def test_encodings(data: bytes, text: str | None) -> None:
    assert decoded(data) == text


def test_links_submodules_binaries_and_large_files_are_not_read(tmp_path: Path) -> None:
    store = SourceStore(tmp_path / "store", max_bytes=10)
    repo = commit(tmp_path / "app", {"a": b"1", "bin": b"\0", "ten": b"x" * 10, "big": b"x" * 11})
    link = repo.create_blob(b"/etc/passwd")
    repo.index.add(pygit2.IndexEntry("link", link, FileMode.LINK))
    repo.index.add(pygit2.IndexEntry("sub", pygit2.Oid(hex="1" * 40), FileMode.COMMIT))
    point_head(repo, repo.index.write_tree())
    sha = store.snapshot(tmp_path / "app").commit
    files = store.files("app", sha)
    assert files.paths() == ("a", "big", "bin", "ten")
    assert files.read("ten") == "x" * 10
    for path in ("bin", "big", "link", "sub", "absent", "/a", "./a", "x/../a", "", "a/"):
        assert files.read(path) is None
    left_out = store.export("app", sha, tmp_path / "out")
    assert left_out == ("link: a symbolic link", "sub: a submodule")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a", "big", "bin", "ten"]


def test_hostile_trees_are_confined(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"fine"})
    blob = repo.create_blob(b"evil")
    folder = repo.odb.write(pygit2.GIT_OBJECT_TREE, b"100644 config\0" + blob.raw)
    names = [b"..", b".", b".git", b".GIT", b"git~1", b".git ", ".g\u200cit".encode(), b"a\\..\\b"]
    entries = [(0o40000, name, folder) for name in names]
    entries += [(0o100644, name, blob) for name in (b"../up", b"/abs", b"\xff", b"ok", b"ok")]
    raw_commit(tmp_path / "app", [*entries, (0o40000, b"ok", folder), (0o100644, b"x" * 300, blob)])
    sha = store.snapshot(tmp_path / "app").commit
    assert store.files("app", sha).paths() == ("ok", "ok/config", "x" * 300)
    left_out = store.export("app", sha, tmp_path / "deep/out")
    assert len(left_out) == len(names) + 3 + 3
    assert [p.name for p in (tmp_path / "deep").rglob("*")] == ["out", "ok"]
    assert not (tmp_path / "deep/up").exists()
    assert sum("another file has this name" in reason for reason in left_out) == 2
    assert sum("impossible on this file system" in reason for reason in left_out) == 1


def test_a_tree_bomb_is_refused(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"1"})
    mode, oid = 0o100644, repo.create_blob(b"x")
    for _ in range(9):
        tree = b"".join(b"%o d%d\0" % (mode, n) + oid.raw for n in range(10))
        mode, oid = 0o40000, repo.odb.write(pygit2.GIT_OBJECT_TREE, tree)
    point_head(repo, oid)
    with pytest.raises(SourceError, match="more than"):  # few objects, a billion paths
        store.snapshot(tmp_path / "app")
    assert store.commits("app") == ()


@pytest.fixture(autouse=True)
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_files, "MAX_ENTRIES", 2_000)


def test_deep_folders_end_somewhere(tmp_path: Path, store: SourceStore) -> None:
    repo = commit(tmp_path / "app", {"a": b"1"})
    mode, oid = 0o100644, repo.create_blob(b"x")
    for _ in range(3_000):
        oid = repo.odb.write(pygit2.GIT_OBJECT_TREE, b"%o d\0" % mode + oid.raw)
        mode = 0o40000
    point_head(repo, oid)
    sha = store.snapshot(tmp_path / "app").commit
    assert store.files("app", sha).paths() == ()
    (left_out,) = store.export("app", sha, tmp_path / "out")
    assert left_out.endswith("deeper than 100 folders")


def test_the_export_leaves_out_configuration_that_runs_code(
    tmp_path: Path, store: SourceStore
) -> None:
    commit(
        tmp_path / "app",
        {
            ".checkov.yaml": b"external-checks-dir: [evil]",
            "deep/er/.Checkov.YML": b"x",
            "checkov.yaml": b"a look-alike",
            ".github/workflows/ci.yml": b"on: push\n",
        },
    )
    sha = store.snapshot(tmp_path / "app").commit
    left_out = store.export("app", sha, tmp_path / "out")
    assert [entry.partition(":")[0] for entry in left_out] == [
        ".checkov.yaml",
        "deep/er/.Checkov.YML",
    ]
    written = {p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*")}
    assert {"checkov.yaml", ".github/workflows/ci.yml"} <= written
    with pytest.raises(StorageError, match="not empty"):
        store.export("app", sha, tmp_path / "out")
    assert (tmp_path / "out/checkov.yaml").read_bytes() == b"a look-alike"


def test_a_patch_is_applied_whole_or_not_at_all(tmp_path: Path) -> None:
    commit(tmp_path / "app", {"a": b"one\ntwo\n", "b": b"three\n"})
    part = "diff --git a/{0} b/{0}\n--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-{1}\n+{2}\n"
    good = part.format("b", "three", "3")
    with pytest.raises(SourceError, match="does not fit"):
        apply_patch(tmp_path / "app", good + part.format("a", "other", "1"))
    assert (tmp_path / "app/b").read_text() == "three\n"
    assert apply_patch(tmp_path / "app", good) == ("b",)
    assert (tmp_path / "app/b").read_text() == "3\n"


def test_a_patch_may_add_a_file(tmp_path: Path) -> None:
    commit(tmp_path / "app", {"a": b"1\n"})
    made = "diff --git a/d/n b/d/n\nnew file mode 100644\nindex 0000000..2222222\n"
    patch = f"{made}--- /dev/null\n+++ b/d/n\n@@ -0,0 +1 @@\n+x\n"
    assert apply_patch(tmp_path / "app", patch) == ("d/n",)
    assert (tmp_path / "app/d/n").read_text() == "x\n"


@pytest.mark.parametrize("path", ["../up", ".git/hooks/evil", "x/../../up"])
def test_a_patch_cannot_leave_the_working_tree(tmp_path: Path, path: str) -> None:
    commit(tmp_path / "app", {"a": b"1\n"})
    made = f"diff --git a/{path} b/{path}\nnew file mode 100644\nindex 0000000..2222222\n"
    with pytest.raises(SourceError):
        apply_patch(tmp_path / "app", f"{made}--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+evil\n")
    assert not (tmp_path / "up").exists()
    assert not (tmp_path / "app/.git/hooks/evil").exists()


@pytest.mark.parametrize(
    "data", [b"\xef\xbb\xbfa\n", "é\n".encode("latin-1"), "a\n".encode("utf-16")]
)
def test_a_text_that_is_not_the_bytes_is_never_edited(data: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "r"
    folder.mkdir()
    (folder / "odd.py").write_bytes(data)
    (folder / "good.py").write_bytes("é\r\n".encode())
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *who, *words], cwd=folder, check=True)
    store = SourceStore(tmp_path / "store")
    taken = store.snapshot(folder)
    assert store.files(taken.repository, taken.commit).read("odd.py") is not None
    exact = store.files(taken.repository, taken.commit, exact=True)
    assert exact.read("odd.py") is None and exact.read("good.py") == "é\r\n"


def renames_of(tmp_path: Path, before: Files, after: Files) -> dict[str, str]:
    """What the store says of two commits that hold exactly these files."""
    commits = []
    store = SourceStore(tmp_path / "store")
    for number, files in enumerate((before, after)):
        folder = tmp_path / f"{number}" / "shop"
        folder.mkdir(parents=True)
        commit(folder, files, seconds=number)
        commits.append(store.snapshot(folder).commit)
    assert store.renames("shop", *commits[::-1]).keys() == set(
        store.renames("shop", *commits).values()
    )
    return store.renames("shop", *commits)


LONG = b"".join(b"line %d\n" % n for n in range(60))


def test_git_says_which_files_were_renamed(tmp_path: Path) -> None:
    changed = LONG.replace(b"line 7\n", b"another\n")
    before = {"a.py": LONG, "b.py": b"other\n" * 9, "same.py": LONG[:100], "gone.py": b"x = 1\n"}
    after = {"src/a.py": changed, "c/b.py": b"other\n" * 9, "same.py": LONG[:90], "new.py": b"y\n"}
    assert renames_of(tmp_path, before, after) == {"a.py": "src/a.py", "b.py": "c/b.py"}


def test_without_both_commits_no_rename_is_guessed(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    commit(folder, {"a.py": LONG})
    store = SourceStore(tmp_path / "store")
    here = store.snapshot(folder).commit
    for one, other in ((here, "0" * 40), ("0" * 40, here), ("", here), (here, "main")):
        assert store.renames("shop", one, other) == {}
    assert store.renames("unknown/shop", here, here) == {}
