"""The few lines of a file that a model sees and may change.

A window depends on the text and on the lines it has to hold, so that it is cut for training and
for asking by the same function. Which lines those are is the caller's choice: the finding's where
that is enough, so that the window does not tell where the answer goes.
"""

import os.path
import unicodedata
from collections.abc import Mapping, Set

from secai_lib.core.record import Record
from secai_lib.datasets.placeholders import masked, placeholders_of

MAX_LINE = 400
"""Characters of the longest line of a window: longer ones were made by a program."""


_DOCUMENT = "---"
"""Between two YAML documents: the next one says nothing about this one."""


class NoWindow(Exception):
    """No window can be cut, or no answer be given in it: `code` to count by, and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code, self.reason = code, reason


class Window(Record):
    """A stretch of whole lines of one file, as a model sees it."""

    path: str
    """The file."""
    first_line: int
    """The number of its first line in the file, from 1."""
    start: int
    """First character of the stretch in the file's text, from 0."""
    end: int
    """Character after its last one; the line end behind it is outside."""
    newline: str
    """The file's line end: `\\n` or `\\r\\n`."""
    indent: str
    """What every line begins with in the file and is not shown."""
    placeholders: Mapping[str, str]
    """Placeholder -> the hash it stands for."""
    known: Mapping[str, str] = {}
    """What a table knows beside the text, e.g. `actions/checkout v4.4.0` -> placeholder."""
    lines: tuple[str, ...]
    """The lines as they are shown."""

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)

    def shown(self, line: str) -> str:
        """A line of the file as it would be shown in this window."""
        bare = line.removeprefix(self.indent) if line.strip() else line[len(self.indent) :]
        return masked(bare, self.placeholders)


def cut_window(
    text: str,
    path: str,
    first: int,
    last: int,
    *,
    limit: int,
    hidden: Set[int] = frozenset(),
    known: Mapping[str, str] = {},
) -> Window:
    """The window of at most `limit` lines of `text` round its lines `first` to `last`.

    Lines count from 0 and `last` is not held itself: equal ones stand for the place before a line.
    No line of `hidden` is shown. `known` is what a table knows beside the text: name -> hash.

    Raises:
        NoWindow: the lines do not fit, or must not or cannot be shown.
    """
    newline = line_end(text)
    lines = text.split(newline)
    if last - first > limit:
        raise NoWindow("too_far_apart", f"The change needs more than {limit} lines of {path}.")
    if any(number in hidden for number in range(first, last)):
        raise NoWindow("secret", f"A secret stands in the lines of {path} that change.")
    first, last = _grown(lines, first, last, limit, hidden)
    taken = lines[first:last]
    _refuse_unreadable(path, taken)
    indents = [_indent(line) for line in taken if line.strip()]
    indent = os.path.commonprefix(indents)  # noqa: RUF071 - characters are what is meant
    start = sum(len(line) for line in lines[:first]) + first * len(newline)
    stretch = newline.join(taken)
    placeholders = placeholders_of(stretch, known.values())
    window = Window(
        path=path,
        first_line=first + 1,
        start=start,
        end=start + len(stretch),
        newline=newline,
        indent=indent,
        placeholders=placeholders,
        known={
            name: next(token for token, value in placeholders.items() if value == commit)
            for name, commit in sorted(known.items())
        },
        lines=(),
    )
    return window.model_copy(update={"lines": tuple(window.shown(line) for line in taken)})


def changed_lines(base: str, fixed: str) -> tuple[int, int]:
    """The lines of `base` that differ in `fixed`: first, and the one after the last, from 0."""
    newline = line_end(base)
    return span(base.split(newline), fixed.split(newline))[:2]


def span(
    old: list[str] | tuple[str, ...], new: list[str] | tuple[str, ...]
) -> tuple[int, int, int]:
    """Where two lists differ: first index, index after the last in `old`, and the same in `new`."""
    shorter = min(len(old), len(new))
    first = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    most = shorter - first
    same = next((i for i in range(most) if old[-1 - i] != new[-1 - i]), most)
    return first, len(old) - same, len(new) - same


def line_end(text: str) -> str:
    """The line end of `text`; raises `NoWindow` when it has several kinds."""
    crlf = text.count("\r\n")
    if crlf == text.count("\r") and crlf in (0, text.count("\n")):
        return "\r\n" if crlf else "\n"
    raise NoWindow("mixed_line_ends", "The file has several kinds of line ends.")


def _grown(
    lines: list[str], first: int, last: int, limit: int, hidden: Set[int]
) -> tuple[int, int]:
    """`first` and `last` with as much above as below, up to a secret and to the document's ends."""
    low, high = first, last
    end = len(lines) - (not lines[-1])  # behind the last line end there is no line
    grew = True
    while grew and high - low < limit:
        grew = False
        if low > 0 and low - 1 not in hidden and lines[low - 1] != _DOCUMENT:
            low, grew = low - 1, True
        if high - low < limit and high < end and high not in hidden and lines[high] != _DOCUMENT:
            high, grew = high + 1, True
    while low < first and not lines[low].strip():
        low += 1
    while high > last and not lines[high - 1].strip():
        high -= 1
    return low, high


def _refuse_unreadable(path: str, lines: list[str]) -> None:
    if not any(line.strip() for line in lines):
        raise NoWindow("empty", f"There is no text round the change of {path}.")
    if any(len(line) > MAX_LINE for line in lines):
        raise NoWindow("long_line", f"{path} has lines of more than {MAX_LINE} characters.")
    if any(unicodedata.category(c) == "Cc" and c != "\t" for line in lines for c in line):
        raise NoWindow("control_characters", f"{path} holds control characters.")


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
