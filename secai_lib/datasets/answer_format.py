"""The answer of Stage 2: one block that says which lines to replace by which.

    <<<
    old lines, as the window shows them
    ===
    new lines
    >>>

A model stops at `>>>`. No line numbers, no whole files: a small model can write nothing else.
"""

import re

from secai_lib.core.record import Record

STOP = ">>>"
"""Where generation stops."""

MAX_ANSWER = 20_000
"""Characters of an answer that is read."""

_OPEN, _MIDDLE, _CLOSE = (re.compile(rf"\s*{c}{{3,7}}\s*") for c in "<=>")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})[\w+-]*\s*")


class AnswerRefused(Exception):
    """An answer cannot be applied: `code` to count by, and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both."""
        super().__init__(reason)
        self.code, self.reason = code, reason


class Block(Record):
    """Lines to look for, and the lines to put there."""

    old: tuple[str, ...]
    """At least one line of text."""
    new: tuple[str, ...]
    """Empty for a deletion."""

    @property
    def text(self) -> str:
        """The answer as a model writes it."""
        return "\n".join(("<<<", *self.old, "===", *self.new, STOP))


def parse(answer: str) -> Block:
    """The block of `answer`; a missing end, code fences and stray spaces are overlooked.

    Raises:
        AnswerRefused: there is no block, more than one, or one that changes nothing.
    """
    if len(answer) > MAX_ANSWER:
        raise AnswerRefused("too_long", "The answer is longer than any window.")
    lines = answer.replace("\r\n", "\n").split("\n")
    opened = [i for i, line in enumerate(lines) if _OPEN.fullmatch(line)]
    closed = [i for i, line in enumerate(lines) if _CLOSE.fullmatch(line)]
    if len(opened) > 1 or len(closed) > 1:
        raise AnswerRefused("several_blocks", "The answer has more than one block.")
    start = opened[0] + 1 if opened else 0
    end = closed[0] if closed else _end(lines, fenced=_fenced(lines[: max(start - 1, 0)]))
    middle = [i for i in range(start, end) if _MIDDLE.fullmatch(lines[i])]
    if len(middle) != 1:
        raise AnswerRefused("no_block", "The answer has no `===` between old and new lines.")
    old = _unfenced(lines[start : middle[0]])
    new = _unfenced(lines[middle[0] + 1 : end])
    if not any(line.strip() for line in old):
        raise AnswerRefused("empty", "The answer does not say which lines to replace.")
    if old == new:
        raise AnswerRefused("no_change", "The answer changes nothing.")
    return Block(old=tuple(old), new=tuple(new))


def is_marker(line: str) -> bool:
    """True when `line` could be taken for one of the block's marks."""
    return STOP in line or any(mark.fullmatch(line) for mark in (_OPEN, _MIDDLE, _CLOSE))


def _end(lines: list[str], *, fenced: bool) -> int:
    """Where the new lines end when the last mark is missing."""
    end = len(lines)
    if lines[-1] == "":
        end -= 1
    if fenced and end and _FENCE.fullmatch(lines[end - 1]):
        end -= 1
    return end


def _fenced(before: list[str]) -> bool:
    return any(_FENCE.fullmatch(line) for line in before)


def _unfenced(lines: list[str]) -> list[str]:
    if len(lines) >= 2 and _FENCE.fullmatch(lines[0]) and _FENCE.fullmatch(lines[-1]):
        return lines[1:-1]
    return lines
