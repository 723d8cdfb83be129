"""The account of one report: every raw result becomes a `Result` or a `Skipped`."""

from collections.abc import Callable

from pydantic import ValidationError

from secai_lib.core.finding import (
    ArchiveLocation,
    Evidence,
    ImageLocation,
    Location,
    ParsedReport,
    Result,
    Skipped,
)
from secai_lib.parsers.node import Broken, Node, NoResult

_LONGEST_NAME = 1000
"""Characters of a name that any number of results share (an image's, a version's): written into
each of them, a long one makes terabytes of a small report."""


class Tally:
    """Collects the results of one report; nothing can get lost in it."""

    def __init__(self, file: str) -> None:
        """Open the account of the report `file`."""
        self.file = file
        self._results: list[Result] = []
        self._skipped: list[Skipped] = []
        self._raw = 0

    def evidence(self, node: Node) -> Evidence:
        """Where the raw result `node` stands."""
        return Evidence(file=self.file, pointer=node.pointer)

    def add(self, tool: str, node: Node, build: Callable[[Node], Result]) -> None:
        """Count the raw result `node` and keep what `build` makes of it, or why it makes none."""
        self._raw += 1
        try:
            if not isinstance(node.value, dict):
                raise node.broken("an object")
            self._results.append(_shortened(build(node)))
        except NoResult as verdict:
            self._skip(tool, node.pointer, str(verdict), results=1)
        except Broken as error:
            reason = f"broken result: {error.reason} at {error.pointer or '/'}"
            self._skip(tool, node.pointer, reason, results=1, malformed=True)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = f"broken result: {where}: {first['msg']}"
            self._skip(tool, node.pointer, reason, results=1, malformed=True)

    def leave_out(self, tool: str, node: Node, reason: str, *, results: int) -> None:
        """Count `results` raw results under `node` that are of no use, with the `reason`."""
        if results:
            self._raw += results
            self._skip(tool, node.pointer, reason, results=results)

    def note(self, tool: str, node: Node, reason: str) -> None:
        """Record what the scanner itself could not do; stands for no raw result."""
        self._skip(tool, node.pointer, reason, results=0)

    def report(self, *tools: str) -> ParsedReport:
        """The closed account, written by `tools`."""
        return ParsedReport(
            file=self.file,
            tools=tuple(sorted(set(tools))),
            results=tuple(self._results),
            skipped=tuple(self._skipped),
            raw_results=self._raw,
        )

    def _skip(
        self, tool: str, pointer: str, reason: str, *, results: int, malformed: bool = False
    ) -> None:
        self._skipped.append(
            Skipped(
                file=self.file,
                pointer=pointer,
                tool=tool,
                reason=reason,
                malformed=malformed,
                results=results,
            )
        )


def _shortened(result: Result) -> Result:
    """`result` with the names cut that it shares with others."""
    changes: dict[str, object] = {}
    if len(result.tool_version) > _LONGEST_NAME:
        changes["tool_version"] = result.tool_version[:_LONGEST_NAME]
    places = tuple(_short_place(place) for place in result.locations)
    if places != result.locations:
        changes["locations"] = places
    return result.model_copy(update=changes) if changes else result


def _short_place(place: Location) -> Location:
    if not isinstance(place, ImageLocation | ArchiveLocation):
        return place
    names = place.model_dump(exclude={"kind"})
    long = {name: text[:_LONGEST_NAME] for name, text in names.items() if len(text) > _LONGEST_NAME}
    return place.model_copy(update=long) if long else place
