"""The sample becomes the same git repository wherever and however it is written."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pygit2
import pytest

from secai_lib.core.errors import SourceError, StorageError, UsageError
from secai_lib.gateways import sample
from secai_lib.gateways.sample import SAMPLE_REMOTE, create_sample, sample_reports


@pytest.fixture
def umask_077() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def head(folder: Path) -> pygit2.Commit:
    return pygit2.Repository(str(folder)).head.peel(pygit2.Commit)


def copied_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample's source that a test may change."""
    source = tmp_path / "source"
    shutil.copytree(sample._DEMO / "repository", source / "repository")
    monkeypatch.setattr(sample, "_DEMO", source)
    return source / "repository"


def test_one_commit_on_main_with_a_clean_tree(tmp_path: Path) -> None:
    folder = create_sample(tmp_path / "deep" / "nestbox")
    repo = pygit2.Repository(str(folder))
    commit = head(folder)
    assert repo.head.shorthand == "main"
    assert commit.parents == []
    assert (commit.commit_time, commit.commit_time_offset) == (1_757_923_200, 0)
    assert repo.remotes["origin"].url == SAMPLE_REMOTE
    assert repo.status() == {}
    assert sorted(p.name for p in (tmp_path / "deep").iterdir()) == ["nestbox"]


def test_the_commit_holds_exactly_the_bundled_bytes(tmp_path: Path) -> None:
    folder = create_sample(tmp_path / "nestbox")
    repo = pygit2.Repository(str(folder))
    index = pygit2.Index()
    index.read_tree(head(folder).tree)
    committed = {entry.path: repo[entry.id].read_raw() for entry in index}
    assert committed == dict(sample._files())
    assert ".github/workflows/ci.yml" in committed and ".gitignore" in committed
    modes = {entry.path: entry.mode for entry in index}
    assert {p for p, mode in modes.items() if mode == 0o100755} == {
        "scripts/announce.sh",
        "scripts/dev-up.sh",
    }


def test_same_bytes_same_commit_whatever_the_umask(tmp_path: Path, umask_077: None) -> None:
    strict = create_sample(tmp_path / "strict")
    os.umask(0o022)
    assert head(create_sample(tmp_path / "usual")).id == head(strict).id


def test_modes_and_droppings_of_the_checkout_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = head(create_sample(tmp_path / "plain")).id
    source = copied_demo(tmp_path, monkeypatch)
    for path in source.rglob("*"):
        if path.is_file():
            path.chmod(0o777)
    (source / "tools" / "__pycache__").mkdir()
    (source / "tools" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert head(create_sample(tmp_path / "odd")).id == plain


def test_one_changed_byte_is_another_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = head(create_sample(tmp_path / "plain")).id
    source = copied_demo(tmp_path, monkeypatch)
    (source / "README.md").write_text("changed\n", encoding="utf-8")
    assert head(create_sample(tmp_path / "other")).id != plain


def test_a_second_call_leaves_the_folder_alone(tmp_path: Path) -> None:
    folder = create_sample(tmp_path / "nestbox")
    note = folder / "note.txt"
    note.write_text("mine", encoding="utf-8")
    create_sample(folder)
    assert note.read_text(encoding="utf-8") == "mine"


def test_an_older_untouched_sample_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_sample(tmp_path / "nestbox")
    source = copied_demo(tmp_path, monkeypatch)
    (source / "NEW.md").write_text("new\n", encoding="utf-8")
    create_sample(folder)
    assert (folder / "NEW.md").exists()


def test_an_older_sample_that_somebody_changed_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = create_sample(tmp_path / "nestbox")
    (folder / "README.md").write_text("mine", encoding="utf-8")
    source = copied_demo(tmp_path, monkeypatch)
    (source / "NEW.md").write_text("new\n", encoding="utf-8")
    with pytest.raises(UsageError, match="something other than the bundled sample"):
        create_sample(folder)
    assert (folder / "README.md").read_text(encoding="utf-8") == "mine"


def test_a_foreign_folder_is_refused_and_an_empty_one_taken(tmp_path: Path) -> None:
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError):
        create_sample(foreign)
    assert [p.name for p in foreign.iterdir()] == ["thesis.txt"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (create_sample(empty) / "README.md").exists()


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError, match="the sample repository cannot be written"):
        create_sample(tmp_path / "file" / "nestbox")


def test_an_installation_without_hidden_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = copied_demo(tmp_path, monkeypatch)
    shutil.rmtree(source / ".github")
    with pytest.raises(SourceError, match="install secai again"):
        create_sample(tmp_path / "nestbox")


def test_the_reports_are_there() -> None:
    assert (sample_reports() / "gitleaks-results.sarif").is_dir()
