"""Edits put into texts, and the lines they move."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from secai_lib.core.fix import Edit, SourceFiles


class EditError(ValueError):
    """Edits do not fit: they overlap, or lie outside the text; the message is a sentence."""


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits` of one file put in; raises `EditError` when two touch each other."""
    parts, position, previous = [], 0, -1
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if not 0 <= edit.start <= edit.end <= len(text):
            raise EditError(f"An edit of {edit.path} lies outside the file.")
        if edit.start < position or edit.start == previous:
            raise EditError(f"Two edits of {edit.path} overlap.")
        parts += [text[position : edit.start], edit.replacement]
        position, previous = edit.end, edit.start
    return "".join([*parts, text[position:]])


def by_path(edits: Iterable[Edit]) -> dict[str, tuple[Edit, ...]]:
    """Path -> its edits in the text's order; paths sorted."""
    found: dict[str, list[Edit]] = {}
    for edit in sorted(edits, key=lambda edit: (edit.path, edit.start, edit.end)):
        found.setdefault(edit.path, []).append(edit)
    return {path: tuple(group) for path, group in found.items()}


def fixed_texts(files: SourceFiles, edits: Iterable[Edit]) -> dict[str, str]:
    """Path -> text after `edits`; raises `EditError` for a file that is not there."""
    texts = {}
    for path, group in by_path(edits).items():
        base = files.read(path)
        if base is None:
            raise EditError(f"{path} cannot be read at this commit.")
        texts[path] = apply_edits(base, group)
    return texts


def inverse(text: str, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits that lead back to `text` after `edits` were put in."""
    back, shift = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        start = edit.start + shift
        end = start + len(edit.replacement)
        old = text[edit.start : edit.end]
        back.append(Edit(path=edit.path, start=start, end=end, replacement=old))
        shift += len(edit.replacement) - len(old)
    return tuple(back)


@dataclass(frozen=True)
class LineMap:
    """Where the lines of a file go when edits are put in; lines count from 1."""

    text: str
    """The file before."""
    edits: tuple[Edit, ...]
    """Edits of this file."""

    def target(self, line: int) -> tuple[int, int]:
        """First and last line that `line` can be after the edits: one line if untouched."""
        shift = 0
        for start, end, added in self._regions:
            if line < start:
                break
            if line <= end:
                return start + shift, end + shift + added
            shift += added
        return line + shift, line + shift

    @cached_property
    def _regions(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(self._touched())

    def _touched(self) -> Iterator[tuple[int, int, int]]:
        """Touched lines, first and last, and how many lines are added there."""
        for edit in sorted(self.edits, key=lambda edit: edit.start):
            removed = self.text[edit.start : edit.end]
            start = self.text.count("\n", 0, edit.start) + 1
            added = edit.replacement.count("\n") - removed.count("\n")
            if not removed and self._at_line_start(edit) and edit.replacement.endswith("\n"):
                # Whole lines put before `start`: the line itself is only moved.
                yield start, start - 1, added
                continue
            end = start + removed.count("\n")
            if removed.endswith("\n") and self._at_line_start(edit):
                end -= 1
            yield start, end, added

    def _at_line_start(self, edit: Edit) -> bool:
        return edit.start == 0 or self.text[edit.start - 1] == "\n"


@dataclass(frozen=True)
class LineChain:
    """Several `LineMap`s of one file, one after the other."""

    maps: tuple[LineMap, ...] = ()
    """In the order in which their edits were put in."""

    def target(self, line: int) -> tuple[int, int]:
        """First and last line that `line` of the first text can be in the last one."""
        low = high = line
        for step in self.maps:
            low, high = step.target(low)[0], step.target(high)[1]
        return low, high


@dataclass(frozen=True)
class Overlay:
    """The files of a commit with some texts replaced."""

    files: SourceFiles
    texts: Mapping[str, str]
    """Path -> text that stands instead."""

    def paths(self) -> tuple[str, ...]:
        """Every path of the commit and of the texts, sorted."""
        return tuple(sorted({*self.files.paths(), *self.texts}))

    def read(self, path: str) -> str | None:
        """The replaced text, else the commit's."""
        return self.texts[path] if path in self.texts else self.files.read(path)


@dataclass(frozen=True)
class Texts:
    """Files that are in no commit."""

    texts: Mapping[str, str]
    """Path -> text."""

    def paths(self) -> tuple[str, ...]:
        """Every path, sorted."""
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        """The text of `path`; None when it is not there."""
        return self.texts.get(path)
