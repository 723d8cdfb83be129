"""Edits, line maps and patches: git itself is the judge of a patch."""

import subprocess
from pathlib import Path

import pytest

from secai_lib.core.fix import Edit
from secai_lib.fixes.edits import EditError, LineChain, LineMap, apply_edits
from secai_lib.fixes.patch import git_patch


def edit(text: str, old: str, new: str, path: str = "f") -> Edit:
    start = text.index(old)
    return Edit(path=path, start=start, end=start + len(old), replacement=new)


def test_edits_are_put_in_by_place_not_by_order() -> None:
    text = "one two three"
    edits = [edit(text, "three", "3"), edit(text, "one", "1")]
    assert apply_edits(text, edits) == "1 two 3"


@pytest.mark.parametrize(
    "places", [[(0, 3), (2, 4)], [(1, 1), (1, 1)], [(0, 99)], [(3, 2)], [(-1, 0)]]
)
def test_edits_that_do_not_fit_are_refused(places: list[tuple[int, int]]) -> None:
    with pytest.raises(EditError):
        apply_edits("abcdef", [Edit(path="f", start=a, end=b, replacement="x") for a, b in places])


def test_lines_move_with_the_edits() -> None:
    text = "a\nb\nc\nd\n"
    insert = LineMap(text, (Edit(path="f", start=4, end=4, replacement="x\ny\n"),))
    assert [insert.target(line) for line in (1, 2, 3, 4)] == [(1, 1), (2, 2), (5, 5), (6, 6)]
    replaced = LineMap(text, (edit(text, "b\nc", "B"),))
    assert [replaced.target(line) for line in (1, 2, 3, 4)] == [(1, 1), (2, 2), (2, 2), (3, 3)]
    removed = LineMap(text, (edit(text, "b\n", ""),))
    assert removed.target(3) == (2, 2) and removed.target(1) == (1, 1)
    assert LineChain((insert, insert)).target(4) == (8, 8)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("a.txt", "a\nb\nc\n", "a\nB\nc\n"),
        ("dir/no newline.txt", "a\nb", "a\nb\n"),
        ("a.txt", "a\nb\n", "a\nb"),
        ("crlf.txt", "a\r\nb\r\nc\r\n", "a\r\nx\r\nb\r\nc\r\n"),
        ("odd.txt", "a\x0cb\u2028c\rd\ne\n", "a\x0cb\u2028c\rd\nf\n"),
        ("ü/é \"q\".txt", "a\n", "b\n"),
        ("a.txt", "", "new\n"),
        ("long.txt", "\n".join(map(str, range(60))), "\n".join(map(str, range(3, 58)))),
    ],
)  # fmt: skip
def test_git_takes_the_patch(path: str, before: str, after: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before.encode())
    subprocess.run(["git", "init", "-q", "."], cwd=tmp_path, check=True)
    patch = git_patch({path: before}, {path: after})
    (tmp_path / "p").write_bytes(patch.encode())
    subprocess.run(["git", "apply", "--check", "p"], cwd=tmp_path, check=True)
    subprocess.run(["git", "apply", "p"], cwd=tmp_path, check=True)
    assert file.read_bytes() == after.encode()


def test_nothing_changed_gives_no_patch() -> None:
    assert git_patch({"a": "x\n"}, {"a": "x\n"}) == ""
