"""Edits as git reads them, without showing a secret that stands beside the change.

A patch needs unchanged lines round a change, and one of them may be a secret. git does with fewer:
none before a change, one after it. So the context ends before a secret; where even that is too
much the change cannot be said to git, and is shown with the secret masked.
"""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

CONTEXT_LINES = 3
"""Unchanged lines around a change in a patch: what git itself writes."""
MASK = "[redacted]"

Opcode = tuple[str, int, int, int, int]
"""What happens (`equal`, `replace`, ...) to the old lines from-to, and which new ones follow."""


class Secrets(Protocol):
    """Where the secrets of the commit stand."""

    def lines(self, path: str) -> Collection[int]:
        """The lines of `path` (from 1) that hold one."""
        ...

    def masked(self, path: str, text: str) -> str:
        """`text`, which is about `path`, without the file's secrets."""
        ...


class NoSecrets:
    """Of a commit in which no scanner found one."""

    def lines(self, path: str) -> Collection[int]:
        """Nothing."""
        return ()

    def masked(self, path: str, text: str) -> str:
        """The text itself."""
        return text


class SecretShown(Exception):
    """A patch would show a secret; `path` is the file."""

    def __init__(self, path: str, line: int) -> None:
        """Name the file and the line (from 1)."""
        super().__init__(f"A patch of {path} would show the secret in line {line}.")
        self.path = path


def git_patch(
    base: Mapping[str, str], fixed: Mapping[str, str], secrets: Secrets | None = None
) -> str:
    """The unified diff from `base` to `fixed` (path -> text) that `git apply` takes.

    Raises `SecretShown` when it cannot be said without a secret.
    """
    veil = secrets or NoSecrets()
    changes = (_Change(path, base[path], fixed[path], veil) for path in sorted(fixed))
    return "".join(change.patch() for change in changes)


def shown_diff(base: Mapping[str, str], fixed: Mapping[str, str], secrets: Secrets) -> str:
    """The same for the eye: where no patch can be had, with every secret masked."""
    try:
        return git_patch(base, fixed, secrets)
    except SecretShown:
        changes = (_Change(path, base[path], fixed[path], secrets) for path in sorted(fixed))
        return "".join(change.masked() for change in changes)


@dataclass(frozen=True)
class _Change:
    """One file before and after."""

    path: str
    before: str
    after: str
    secrets: Secrets

    def patch(self) -> str:
        old, new = _lines(self.before), _lines(self.after)
        hidden = self._hidden()
        hunks = [hunk for group in _groups(old, new) for hunk in _split(group, hidden)]
        for hunk in hunks:
            self._refuse_secrets(hunk, new, hidden, len(old))
        body = (_hunk(hunk, old, new) for hunk in hunks)
        return self._with_head(body) if hunks else ""

    def masked(self) -> str:
        old, new = _lines(self.before), _lines(self.after)
        hidden = self._hidden()
        groups = _groups(old, new)
        for group in groups:
            for kind, a, b, c, d in group:
                touched = kind != "equal" and any(line in hidden for line in range(a, b))
                for at in range(c, d):
                    if touched or self._holds(new[at]):
                        new[at] = _masked(new[at])
        old = [_masked(line) if at in hidden else line for at, line in enumerate(old)]
        return self._with_head(_hunk(group, old, new) for group in groups) if groups else ""

    def _hidden(self) -> frozenset[int]:
        """The old lines (from 0) that hold a secret."""
        return frozenset(line - 1 for line in self.secrets.lines(self.path))

    def _holds(self, text: str) -> bool:
        return self.secrets.masked(self.path, text) != text

    def _refuse_secrets(
        self, hunk: Sequence[Opcode], new: Sequence[str], hidden: Collection[int], length: int
    ) -> None:
        """Raises where a change touches a secret, or git would need one to know the place."""
        for kind, a, b, c, d in hunk:
            shown = [line for line in range(a, b) if line in hidden]
            if shown:
                raise SecretShown(self.path, shown[0] + 1)
            if kind != "equal" and any(self._holds(line) for line in new[c:d]):
                raise SecretShown(self.path, a + 1)
        kind, _, end, _, _ = hunk[-1]
        if kind != "equal" and end < length:
            raise SecretShown(self.path, end + 1)

    def _with_head(self, hunks: Iterator[str]) -> str:
        old, new = _name(f"a/{self.path}"), _name(f"b/{self.path}")
        tab = "\t" if " " in self.path else ""
        return f"diff --git {old} {new}\n--- {old}{tab}\n+++ {new}{tab}\n" + "".join(hunks)


def _groups(old: Sequence[str], new: Sequence[str]) -> list[list[Opcode]]:
    if list(old) == list(new):
        return []
    matcher = difflib.SequenceMatcher(None, old, new)
    return [list(group) for group in matcher.get_grouped_opcodes(CONTEXT_LINES)]


def _split(group: Sequence[Opcode], hidden: Collection[int]) -> list[list[Opcode]]:
    """The hunk as one or more hunks whose unchanged lines hold no secret."""
    hunks: list[list[Opcode]] = [[]]
    for index, (kind, a, b, c, d) in enumerate(group):
        secret = [line for line in range(a, b) if line in hidden] if kind == "equal" else []
        if not secret:
            hunks[-1].append((kind, a, b, c, d))
            continue
        first, last = secret[0], secret[-1] + 1
        if index > 0 and first > a:
            hunks[-1].append((kind, a, first, c, c + first - a))
        hunks.append([])
        if index < len(group) - 1 and last < b:
            hunks[-1].append((kind, last, b, c + last - a, d))
    return [hunk for hunk in hunks if any(kind != "equal" for kind, *_ in hunk)]


def _hunk(hunk: Sequence[Opcode], old: Sequence[str], new: Sequence[str]) -> str:
    first, last = hunk[0], hunk[-1]
    spans = _span(first[1], last[2]), _span(first[3], last[4])
    written = [f"@@ -{spans[0]} +{spans[1]} @@\n"]
    for kind, a, b, c, d in hunk:
        if kind == "equal":
            written += (f" {line}" for line in old[a:b])
        else:
            written += (f"-{line}" for line in old[a:b])
            written += (f"+{line}" for line in new[c:d])
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in written
    )


def _span(start: int, end: int) -> str:
    """First line (from 1) and number of lines; an empty span names the line before it."""
    length = end - start
    return f"{start + 1}" if length == 1 else f"{start + 1 if length else start},{length}"


def _masked(line: str) -> str:
    bare = line.rstrip("\r\n")
    return f"{bare[: len(bare) - len(bare.lstrip())]}{MASK}{line[len(bare) :]}"


def _lines(text: str) -> list[str]:
    r"""Lines as git counts them: `\n` ends a line, no other character does."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _name(path: str) -> str:
    """`path` as git writes it: quoted with octal escapes where it holds odd characters."""
    data = path.encode()
    if all(32 <= byte < 127 and byte not in b'"\\' for byte in data):
        return path
    plain = {ord('"'): '\\"', ord("\\"): "\\\\"}
    quoted = (plain.get(b) or (chr(b) if 32 <= b < 127 else f"\\{b:03o}") for b in data)
    return '"' + "".join(quoted) + '"'
