"""What every rule asks first: which file, which text, which lines."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ParamSpec

from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.yaml_edit import EditRefused

_Arguments = ParamSpec("_Arguments")


@dataclass(frozen=True)
class Place:
    """The file of a finding and the lines the scanner named."""

    path: str
    """The file."""
    text: str
    """Its text at the scanned commit."""
    first: int
    """First line, from 1; 1 when the scanner named only the file."""
    last: int
    """Last line, inclusive; the file's last when the scanner named only the file."""

    def edit(self, start: int, end: int, replacement: str) -> Edit:
        """The edit of this file between two characters."""
        return Edit(path=self.path, start=start, end=end, replacement=replacement)

    def line_start(self, position: int) -> int:
        """First character of the line that holds `position`."""
        return self.text.rfind("\n", 0, position) + 1

    def line_end(self, position: int) -> int:
        """First character of the line after the one that holds `position`."""
        found = self.text.find("\n", position)
        return found + 1 if found >= 0 else len(self.text)

    @property
    def newline(self) -> str:
        """The line end that the file uses."""
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"


def whole(path: str, text: str) -> Place:
    """The whole of a file as a place, for those who look for no finding's lines."""
    return Place(path, text, 1, text.count("\n") + 1)


def place_of(finding: Finding, files: SourceFiles) -> Place:
    """Where the finding stands; raises `Abstain` when its file cannot be read."""
    location = finding.result.location
    path = finding.result.path
    if path is None:
        raise Abstain("no_source", "The finding names no file of the repository.")
    text = files.read(path)
    if text is None:
        raise Abstain("no_source", f"{path} cannot be read at the scanned commit.")
    total = text.count("\n") + 1
    first, last = finding.result.line, None
    if isinstance(location, SourceLocation):
        last = location.end_line
    return Place(path, text, first or 1, max(first or 1, last or (first or total)))


def proposal(
    kind: str, title: str, explanation: str, edits: Iterable[Edit], approach: str = "default"
) -> Proposal:
    """A proposal with its edits sorted and none twice; raises `Abstain` without an edit."""
    unique: Sequence[Edit] = sorted(
        dict.fromkeys(edits), key=lambda e: (e.path, e.start, e.end, e.replacement)
    )
    if not unique:
        raise Abstain("not_found", "The weakness is no longer in the named place; scan again.")
    return Proposal(
        kind=kind,
        approach=approach,
        title=title,
        explanation=explanation,
        edits=tuple(unique),
    )


def refusable(
    make: Callable[_Arguments, Edit], *args: _Arguments.args, **kwargs: _Arguments.kwargs
) -> Edit:
    """What `make` returns; a refused YAML edit becomes `Abstain`."""
    try:
        return make(*args, **kwargs)
    except EditRefused as error:
        raise Abstain("involved", str(error)) from error
