"""One file of the commit, as it may be shown."""

from collections.abc import Iterable

from secai_lib.code_context.locate import Place, locate
from secai_lib.code_context.outline import Span, by_line, innermost, outline
from secai_lib.code_context.packages import package_line
from secai_lib.code_context.redaction import Values, redacted_lines
from secai_lib.core.context import CodeContext, CodeScope, ContextStatus
from secai_lib.core.finding import Finding, LockfileLocation, SourceLocation
from secai_lib.core.syntax import grammar_of, language_of

CodeLocation = SourceLocation | LockfileLocation

MAX_WIDTH = 500
"""Characters of a shown line; longer ones are generated."""


class FileView:
    """A file, read and parsed once, with the secrets that findings mark in it."""

    def __init__(self, path: str, text: str) -> None:
        """Read `text`, which is the file `path`."""
        text = text.removeprefix("\ufeff")
        grammar = grammar_of(path)
        self.path = path
        self.language = language_of(path)
        self._literals = grammar is not None and grammar.literals
        self._raw = text.split("\n")
        self.lines = [line.removesuffix("\r") for line in self._raw]
        if not self.lines[-1]:
            self.lines.pop()
        self.outline = outline(self.language, text)
        self._statements = by_line(self.outline.statements, len(self.lines))
        self.shown: list[str] = self.lines
        self._values = Values(())

    def locate(self, finding: Finding, place: CodeLocation) -> Place:
        """Where `place` is in this file."""
        if isinstance(place, SourceLocation):
            return locate(self.lines, place.start_line, place.end_line, place.snippet)
        return self._package(finding, place)

    def _package(self, finding: Finding, place: LockfileLocation) -> Place:
        package, named = finding.result.package, locate(self.lines, place.start_line, None, "")
        if package is None:
            return named
        if named.start and package_line(self.lines[named.start - 1 : named.start + 4], package):
            return named
        line = package_line(self.lines, package)
        if line is None:
            reason = f"No line names {package.name} {package.version}."
            return named if named.start else Place(ContextStatus.NOT_FOUND, reason=reason)
        if place.start_line is None or named.start == line:
            return Place(ContextStatus.EXACT, line, line)
        reason = f"{package.name} stands at line {line}, not {place.start_line}."
        return Place(ContextStatus.RELOCATED, line, line, reason)

    def mark(self, place: CodeLocation, found: Place) -> set[int]:
        """The lines of a secret: where the scanner says, and where its text stands.

        All lines when nobody can say where it is.
        """
        if not found.start:
            return set(range(1, len(self.lines) + 1))
        first = place.start_line or found.start
        last = max(getattr(place, "end_line", None) or first, first)
        last = min(last, len(self.lines))
        return {*range(max(first, 1), last + 1), *range(found.start, found.end + 1)}

    def redact(self, secret: set[int]) -> set[str]:
        """Takes the values on the `secret` lines out of what is shown, and returns them."""
        self.shown, values = redacted_lines(
            self.lines, secret, self.outline, self.language, literals=self._literals
        )
        return values

    def forget(self, values: Iterable[str]) -> None:
        """Takes `values` out of everything that will be shown."""
        self._values = Values(values)

    def hidden(self) -> dict[int, str]:
        """Line number (from 1) -> what is shown instead, for every line that holds a secret."""
        shown = (self._values.out_of(line) for line in self.shown)
        pairs = enumerate(zip(self.lines, shown, strict=True), 1)
        return {number: instead for number, (line, instead) in pairs if instead != line}

    def without_secrets(self, text: str) -> str:
        """`text` without the values that are hidden in this file."""
        return self._values.out_of(text)

    def context(
        self, fingerprint: str, place: Place, column: int | None, context_lines: int, max_lines: int
    ) -> CodeContext:
        """The context of a finding at `place`, with at most `max_lines` lines of its own."""
        parts = self.outline
        context = CodeContext(
            fingerprint=fingerprint,
            status=place.status,
            reason=place.reason,
            path=self.path,
            language=self.language,
            imports=tuple(self._import(span) for span in parts.imports),
            syntax_errors=parts.syntax_errors,
        )
        if not place.start:
            return context
        start, end = self._whole(place, max_lines)
        point, lines = self._point(place, column), self._content(place)
        function = innermost(parts.functions, *lines, point)
        around = [s for s in parts.enclosing if function is None or s.holds(function)]
        enclosing = innermost(around or parts.enclosing, *lines, point)
        return context.model_copy(
            update={
                "start_line": start,
                "end_line": end,
                "snippet": self._text(start, end),
                "before": self._text(max(start - context_lines, 1), start - 1),
                "after": self._text(end + 1, end + context_lines),
                "function": self._scope(function),
                "enclosing": self._scope(enclosing),
            }
        )

    def _whole(self, place: Place, max_lines: int) -> tuple[int, int]:
        """The lines of the block or the statements round the place, at most `max_lines`."""
        fitting = [span for span in self.outline.blocks if span.end - span.start < max_lines]
        if block := innermost(fitting, place.start, place.end):
            return block.start, block.end
        ends = [self._statements[line - 1] for line in (place.start, place.end)]
        found = [span for span in ends if span]
        start = min([place.start, *(span.start for span in found)])
        end = max([place.end, *(span.end for span in found)])
        if end - start < max_lines:
            return start, min(end, len(self.lines))
        return place.start, min(place.end, place.start + max_lines - 1)

    def _content(self, place: Place) -> tuple[int, int]:
        """The place's lines without blank ones and document marks at its ends."""
        told = [
            number
            for number in range(place.start, place.end + 1)
            if self.lines[number - 1].strip() not in ("", "---", "...")
        ]
        return (told[0], told[-1]) if told else (place.start, place.end)

    def _text(self, start: int, end: int) -> str:
        lines = self.shown[start - 1 : end] if end >= start else []
        return "\n".join(self._line(line) for line in lines)

    def _line(self, line: str) -> str:
        line = self._values.out_of(line)
        return line if len(line) <= MAX_WIDTH else f"{line[:MAX_WIDTH]} ..."

    def _import(self, span: Span) -> str:
        lines = slice(span.start - 1, span.end)
        if self.lines[lines] == self.shown[lines]:
            return self._values.out_of(span.name)
        return self._line(" ".join(" ".join(self.shown[lines]).split()))

    def _scope(self, span: Span | None) -> CodeScope | None:
        if span is None:
            return None
        name = self._values.out_of(span.name)
        return CodeScope(kind=span.kind, name=name, start_line=span.start, end_line=span.end)

    def _point(self, place: Place, column: int | None) -> int | None:
        """The byte of a column (from 1) on the place's first line; None without a column."""
        if column is None or place.status is not ContextStatus.EXACT:
            return None
        before = "".join(f"{line}\n" for line in self._raw[: place.start - 1])
        head = self._raw[place.start - 1][: max(column - 1, 0)]
        return len((before + head).encode("utf-8", "replace"))
