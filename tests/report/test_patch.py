"""Diffs are read by their hunk headers."""

from secai_lib.report.patch import diff_lines, patch_bytes, patch_size, readable
from tests.fakes.records import make_diff

TRICKY = (
    "diff --git a/q.sql b/q.sql\n--- a/q.sql\n+++ b/q.sql\n@@ -1,3 +1,3 @@ SELECT\n"
    " one\n--- a/comment in SQL\n+++ a/comment in SQL\n \n\\ No newline at end of file\n"
)


def test_a_removed_comment_is_no_header() -> None:
    kinds = [line.kind for line in diff_lines(TRICKY)]

    assert kinds == ["file", "file", "file", "hunk", "same", "del", "add", "same", "note"]
    assert patch_size(TRICKY) == (1, 1, 1)


def test_a_file_changed_twice_counts_once() -> None:
    patch = make_diff("a.yml", "a\n", "b\n") + make_diff("a.yml", "c\n", "d\n")

    assert patch_size(patch + make_diff("b.yml", "a\n", "b\nc\n")) == (2, 4, 3)


def test_new_and_deleted_files_count() -> None:
    patch = "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+a\n--- a/y\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"

    assert patch_size(patch) == (2, 1, 1)


def test_an_empty_patch_is_nothing() -> None:
    assert patch_size("") == (0, 0, 0)
    assert patch_bytes("") == b""
    assert diff_lines("") == ()


def test_the_bytes_are_those_of_the_fixes_room() -> None:
    patch = make_diff("ü.yml", "a\r\n", "b\r\n")

    assert patch_bytes(patch) == patch.encode()
    assert b"-a\r\n+b\r\n" in patch_bytes(patch)
    assert patch_bytes("x") == b"x\n"


def test_carriage_returns_are_hidden_only_where_all_lines_have_them() -> None:
    assert "\r" not in readable(make_diff("a", "a\r\nb\r\n", "a\r\nc\r\n"))
    assert "+c\r\n" in readable(make_diff("a", "a\nb\n", "a\nc\r\n"))
