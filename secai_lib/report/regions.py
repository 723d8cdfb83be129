"""Offsets of a text as SARIF regions: lines from 1, columns from 1 in UTF-16 code units."""

from bisect import bisect_right
from itertools import pairwise

_BOM = "\ufeff"


class Regions:
    r"""Turns offsets of one text into SARIF regions.

    A line ends after `\n`, so a `\r` before it is the line's last character, which agrees with
    the `newlineSequences` the run declares. A byte order mark is no character to SARIF.
    """

    def __init__(self, text: str) -> None:
        """Index the line starts of `text`."""
        self._text = text
        self._starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]

    def region(self, start: int, end: int) -> dict[str, int]:
        """The region of `text[start:end]`; start and end agree for an insertion.

        Raises:
            ValueError: the offsets lie outside of the text, or the region would hold the byte
                order mark, which SARIF cannot name.
        """
        if not 0 <= start <= end <= len(self._text):
            raise ValueError(f"offsets {start}..{end} lie outside of the text")
        if start == 0 and self._text.startswith(_BOM):
            raise ValueError("a region cannot hold the byte order mark")
        (start_line, start_column), (end_line, end_column) = self._place(start), self._place(end)
        return {
            "startLine": start_line,
            "startColumn": start_column,
            "endLine": end_line,
            "endColumn": end_column,
        }

    def _place(self, offset: int) -> tuple[int, int]:
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if line == 1 and self._text.startswith(_BOM):
            start += len(_BOM)
        return line, utf16_length(self._text[start:offset]) + 1


def utf16_length(text: str) -> int:
    """How many UTF-16 code units `text` has."""
    return len(text) + sum(char > "\uffff" for char in text)


def disjoint(spans: list[tuple[int, int]]) -> bool:
    """True when no two of `spans` (start, end) overlap; `spans` must be sorted."""
    return all(first[1] <= second[0] for first, second in pairwise(spans))
