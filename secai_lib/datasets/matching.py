"""Where the old lines of an answer stand in a window, though a model may have copied them badly.

Three tries, each only when the one before found nothing: the very same lines; the same but for
spaces and blank lines; almost the same. More than one place is never guessed between. The work is
bounded by the window's size times the answer's.
"""

from collections import Counter
from collections.abc import Sequence

from secai_lib.datasets.answer_format import AnswerRefused

ALIKE = 0.9
"""Mean similarity of the lines from which a place counts as meant."""

ALIKE_LINE = 0.75
"""Least similarity of each of its lines."""

CLEARLY = 0.05
"""How much better than the second best place it must be."""

Extent = tuple[int, int]
"""First line of a window that an old line stands for, and the one after the last."""


def find(lines: Sequence[str], old: Sequence[str]) -> tuple[Extent, ...]:
    """For each line of `old` the lines of the window it stands for; they follow one another.

    Blank lines of the window that `old` leaves out belong to the line behind them; blank lines of
    `old` that the window does not have stand for nothing.

    Raises:
        AnswerRefused: `old` stands nowhere in `lines`, or in more than one place.
    """
    size = len(old)
    exact = [i for i in range(len(lines) - size + 1) if list(lines[i : i + size]) == list(old)]
    if exact:
        start = _only(exact)
        return tuple((i, i + 1) for i in range(start, start + size))
    places = [i for i, line in enumerate(lines) if line.strip()]
    tight = ["".join(lines[i].split()) for i in places]
    wanted = ["".join(line.split()) for line in old if line.strip()]
    size = len(wanted)
    same = [i for i in range(len(tight) - size + 1) if tight[i : i + size] == wanted]
    start = _only(same) if same else _alike(tight, wanted)
    return _extents(lines, old, places[start : start + size])


def _only(starts: Sequence[int]) -> int:
    if len(starts) > 1:
        raise AnswerRefused("ambiguous", "The old lines stand in the window more than once.")
    return starts[0]


def _alike(tight: Sequence[str], wanted: Sequence[str]) -> int:
    """Where `wanted` almost stands, by the letter pairs that the lines share.

    Another number is another thing (a version, a port), not a slip.
    """
    pairs, sought = [_pairs(line) for line in tight], [_pairs(line) for line in wanted]
    digits = [_digits(line) for line in wanted]
    scores = []
    for start in range(len(tight) - len(wanted) + 1):
        found = [_dice(a, b) for a, b in zip(pairs[start:], sought, strict=False)]
        good = min(found) >= ALIKE_LINE
        good = good and [_digits(tight[start + i]) for i in range(len(wanted))] == digits
        scores.append((sum(found) / len(found) if good else 0.0, start))
    ranked = sorted(scores, key=lambda score: (-score[0], score[1]))
    if not ranked or ranked[0][0] < ALIKE:
        raise AnswerRefused("no_match", "The old lines do not stand in the window.")
    if len(ranked) > 1 and ranked[1][0] > ranked[0][0] - CLEARLY:
        raise AnswerRefused("ambiguous", "The old lines look like several places of the window.")
    return ranked[0][1]


def _pairs(line: str) -> Counter[str]:
    return Counter(f" {line} "[i : i + 2] for i in range(len(line) + 1))


def _digits(line: str) -> str:
    return "".join(filter(str.isdigit, line))


def _dice(a: Counter[str], b: Counter[str]) -> float:
    return 2 * (a & b).total() / (a.total() + b.total())


def _extents(lines: Sequence[str], old: Sequence[str], places: Sequence[int]) -> tuple[Extent, ...]:
    """`find`'s answer when the text lines of `old` are the lines `places` of the window."""
    cursor, remaining = places[0], list(reversed(places))
    extents: list[Extent] = []
    for line in old:
        if line.strip():
            place = remaining.pop()
            extents.append((min(cursor, place), place + 1))
            cursor = place + 1
        elif remaining and len(remaining) < len(places) and cursor < remaining[-1]:
            extents.append((cursor, cursor + 1))
            cursor += 1
        else:
            extents.append((cursor, cursor))
    return tuple(extents)
