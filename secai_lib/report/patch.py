"""The combined patch: its bytes as the fixes room made them, and how large it is."""

import re
from itertools import pairwise
from typing import NamedTuple

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


class PatchSize(NamedTuple):
    """How much a patch changes."""

    files: int
    """Files it touches."""
    added: int
    """Lines it adds."""
    removed: int
    """Lines it removes."""


class DiffLine(NamedTuple):
    """One line of a unified diff."""

    kind: str
    """`file`, `hunk`, `add`, `del`, `same` or `note`."""
    text: str
    """The line, with its sign, without its line end."""


def diff_lines(diff: str) -> tuple[DiffLine, ...]:
    r"""The lines of a unified diff with their kinds.

    Hunk headers say how many lines follow, so a removed line that itself begins with `-- ` is
    not taken for a file header. Only `\n` ends a line: a carriage return belongs to the text.
    """
    lines: list[DiffLine] = []
    old = new = 0
    for text in diff.removesuffix("\n").split("\n") if diff else ():
        sign = text[:1]
        if (old or new) and sign in ("+", "-", " ", ""):
            kind = {"+": "add", "-": "del"}.get(sign, "same")
            old -= kind != "add"
            new -= kind != "del"
        elif sign == "\\":
            kind = "note"
        elif found := _HUNK.match(text):
            kind = "hunk"
            old, new = (int(count) if count is not None else 1 for count in found.groups())
        else:
            kind = "file"
        old, new = max(old, 0), max(new, 0)
        lines.append(DiffLine(kind, text))
    return tuple(lines)


def readable(diff: str) -> str:
    r"""`diff` for the eye: without `\r` at line ends where every line of the file has one.

    Where only some lines have it the carriage returns stay, since the mix may be the point.
    """
    text = [line.text for line in diff_lines(diff) if line.kind in ("add", "del", "same")]
    uniform = bool(text) and all(line.endswith("\r") for line in text)
    return diff.replace("\r\n", "\n") if uniform else diff


def patch_size(patch: str) -> PatchSize:
    """How many files, added and removed lines the unified diff `patch` has."""
    lines = diff_lines(patch)
    heads = [line.text for line in lines if line.kind == "file"]
    names = {
        (old, new)
        for old, new in pairwise(heads)
        if old.startswith("--- ") and new.startswith("+++ ")
    }
    return PatchSize(
        files=len(names),
        added=sum(line.kind == "add" for line in lines),
        removed=sum(line.kind == "del" for line in lines),
    )


def patch_bytes(patch: str) -> bytes:
    """The patch as `git apply` reads it: UTF-8, line ends untouched, a newline at the end."""
    return (patch if patch.endswith("\n") or not patch else patch + "\n").encode()
