"""A known edit carried over to other lines: what looking up the rule can do without a model."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\n|[^\S\n]+|\w+|[^\w\s]")


def block_of(response: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Old and new lines of an answer of the data set.

    Raises:
        ValueError: it is no block.
    """
    lines = response.split("\n")
    middle = lines.index("===")
    if lines[0] != "<<<" or lines[-1] != ">>>":
        raise ValueError("the data set's answer is no block")
    return tuple(lines[1:middle]), tuple(lines[middle + 1 : -1])


def block_text(old: Sequence[str], new: Sequence[str]) -> str:
    """The answer that puts `new` in the place of `old`."""
    return "\n".join(("<<<", *old, "===", *new, ">>>"))


def carried_over(response: str, window: Sequence[str]) -> str:
    """The edit of `response`, learnt from other lines, as an answer about `window`.

    The stretch of the window that is most like the old lines is changed word by word as those
    were; what it has more than they is kept.
    """
    old, new = block_of(response)
    place = _most_alike(old, window)
    here = window[place : place + len(old)]
    was, becomes, mine = (_TOKEN.findall("\n".join(lines)) for lines in (old, new, here))
    places = _places(was, mine)
    made: list[str] = []
    at = 0
    for step, first, last, begin, end in _steps(was, becomes):
        if step != "equal":
            made += mine[at : max(places[first], at)] + becomes[begin:end]
            at = max(places[last], at)
    text = "".join(made + mine[at:])
    return block_text(here, text.split("\n") if text else ())


def _most_alike(old: Sequence[str], window: Sequence[str]) -> int:
    """Index of the first stretch of the window that shares most words with `old`."""
    wanted = _TOKEN.findall("\n".join(old))

    def likeness(at: int) -> float:
        there = _TOKEN.findall("\n".join(window[at : at + len(old)]))
        return SequenceMatcher(None, wanted, there, autojunk=False).ratio()

    return max(range(max(len(window) - len(old) + 1, 1)), key=lambda at: (likeness(at), -at))


def _places(was: Sequence[str], mine: Sequence[str]) -> list[int]:
    """For every place between the words of `was` the place between those of `mine`."""
    places = [0] * (len(was) + 1)
    for _step, first, last, begin, end in _steps(was, mine):
        for place in range(first, last + 1):
            places[place] = min(begin + place - first, end) if place < last else end
    return places


def _steps(one: Sequence[str], other: Sequence[str]) -> list[tuple[str, int, int, int, int]]:
    return list(SequenceMatcher(None, one, other, autojunk=False).get_opcodes())
