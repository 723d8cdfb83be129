"""A model's answer put into a file: leniently where it was copied, strictly where it would guess.

The answer is hostile input: nothing outside of the window can change, no pattern of it is run, and
the work is linear in its length.
"""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from secai_lib.datasets.answer_format import AnswerRefused, parse
from secai_lib.datasets.matching import Extent, find
from secai_lib.datasets.placeholders import TOKEN, restored
from secai_lib.datasets.windows import Window

MAX_LINES = 120
"""Lines of the old or new part: twice the largest window."""


def apply_answer(text: str, window: Window, answer: str) -> str:
    """`text`, which `window` was cut from, with the block of `answer` put in.

    Lines that the answer keeps stay as the file has them; new ones get the indentation of their
    neighbours, the file's line end and the hashes behind the placeholders.

    Raises:
        AnswerRefused: no block, no or no single place for it, an invented placeholder, or a
            `text` that the window was not cut from.
    """
    raw = _raw_lines(text, window)
    block = parse(answer)
    if len(block.old) > MAX_LINES or len(block.new) > MAX_LINES:
        raise AnswerRefused("too_long", "The answer has more lines than any window.")
    extents = find(window.lines, block.old)
    lines = [
        *raw[: extents[0][0]],
        *_rewritten(raw, window, block.old, block.new, extents),
        *raw[extents[-1][1] :],
    ]
    tail = text[window.end :]
    if not lines:  # no line is left, so its end goes too
        tail = tail.removeprefix(window.newline)
    return text[: window.start] + window.newline.join(lines) + tail


def _raw_lines(text: str, window: Window) -> list[str]:
    raw = text[window.start : window.end].split(window.newline)
    if [window.shown(line) for line in raw] != list(window.lines):
        raise AnswerRefused("stale", f"{window.path} is not the text the window was cut from.")
    return raw


def _rewritten(
    raw: Sequence[str],
    window: Window,
    old: Sequence[str],
    new: Sequence[str],
    extents: Sequence[Extent],
) -> Iterator[str]:
    """The lines that take the place of those of `extents`."""
    steps = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for step, old_first, old_last, new_first, new_last in steps:
        if step == "equal":
            yield from raw[extents[old_first][0] : extents[old_last - 1][1]]
            continue
        for number in range(new_first, new_last):
            near = _neighbour(old, old_first + number - new_first, old_first, old_last)
            there = window.lines[extents[near][1] - 1]
            yield _written(window, _moved(new[number], old[near], there))


def _neighbour(old: Sequence[str], wanted: int, first: int, last: int) -> int:
    """The old line whose indentation says what a new line's means: its own, or one before it."""
    start = wanted if first <= wanted < last else max(min(wanted, last) - 1, 0)
    text = (i for i in range(start, -1, -1) if old[i].strip())
    return next(text, next(i for i, line in enumerate(old) if line.strip()))


def _moved(line: str, said: str, there: str) -> str:
    """`line` moved as `said`, a line of the answer, has to be to stand as `there` in the window."""
    mine, theirs, real = _indent(line), _indent(said), _indent(there)
    if theirs == real or not line.strip():
        return line
    if mine.startswith(theirs):
        return real + mine[len(theirs) :] + line[len(mine) :]
    if theirs.startswith(mine):
        return real[: max(len(real) - (len(theirs) - len(mine)), 0)] + line[len(mine) :]
    return line


def _written(window: Window, line: str) -> str:
    """A line of the answer as it stands in the file."""
    literal = window.text
    for token in TOKEN.findall(line):
        if token not in window.placeholders and token not in literal:
            raise AnswerRefused("unknown_placeholder", f"Nothing is known of {token}.")
    bare = restored(line, window.placeholders)
    return window.indent + bare if bare.strip() else bare


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
