"""What a file is made of: scopes, imports, blocks, texts; all from one query over its tree."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from tree_sitter import Node, Query, QueryCursor

from secai_lib.core.syntax import (
    SyntaxRefused,
    compiled,
    has_grammar,
    lines_of,
    parse_bytes,
    text_of,
)

MAX_IMPORTS = 200
"""Import lines that are kept."""
MAX_TEXT = 300
"""Characters of a name or an import line that are kept."""
_SHARED = {
    "javascript": ("javascript", "javascript_fields"),
    "typescript": ("javascript", "typescript_fields"),
    "tsx": ("javascript", "typescript_fields"),
}
"""Query files of a language that has not simply one of its name."""


class Span(NamedTuple):
    """A stretch of the file."""

    start: int
    """First line, from 1."""
    end: int
    """Last line, inclusive."""
    start_byte: int = 0
    """First byte of the UTF-8 text."""
    end_byte: int = 0
    """Byte after the last one."""
    kind: str = ""
    """For a scope: `function`, `class`, `job`, ..."""
    name: str = ""
    """For a scope: its name. For an import: its text."""

    def covers(self, start: int, end: int) -> bool:
        """Whether the lines `start` to `end` lie inside."""
        return self.start <= start and end <= self.end

    def holds(self, other: "Span") -> bool:
        """Whether `other` lies inside and is smaller."""
        inside = self.start_byte <= other.start_byte and other.end_byte <= self.end_byte
        return inside and self.length > other.length

    @property
    def length(self) -> int:
        """Bytes."""
        return self.end_byte - self.start_byte


class Outline(NamedTuple):
    """A file's structure; empty for a language we do not read."""

    functions: tuple[Span, ...] = ()
    """Named functions, methods, jobs, stages."""
    enclosing: tuple[Span, ...] = ()
    """Classes, objects and the like."""
    imports: tuple[Span, ...] = ()
    """Import statements, each on one line."""
    blocks: tuple[Span, ...] = ()
    """Blocks that say more than a statement: steps, jobs, containers."""
    statements: tuple[Span, ...] = ()
    """Statements, nested ones too."""
    texts: tuple[Span, ...] = ()
    """String literals and comments that span several lines."""
    syntax_errors: int = 0
    """Error nodes and missing tokens."""
    parsed: bool = False
    """False when there is no syntax tree."""


@cache
def query_of(language: str) -> Query:
    """The query of `language`, from its files in `queries/` and the one for errors.

    The captures mean the same in all of them: `@function.KIND` and `@enclosing.KIND` with a
    `@name`, `@stage` (up to the next one) with its `@stage.name`, `@import`, `@statement`,
    `@block` where a whole block says more than a statement, `@string` for text that may go on
    over several lines.
    """
    folder = resources.files(__package__).joinpath("queries")
    names = (*_SHARED.get(language, (language,)), "errors")
    texts = (folder.joinpath(f"{name}.scm").read_text("utf-8") for name in names)
    return compiled(language, "\n".join(texts))


def outline(language: str, text: str) -> Outline:
    """The structure of `text`; unparsed without a grammar, or when it is too tangled to read."""
    if not has_grammar(language):
        return Outline()
    data = text.encode("utf-8", "replace")
    try:
        root = parse_bytes(data, language).root_node
    except SyntaxRefused:
        return Outline()
    query = query_of(language)
    scopes: dict[str, list[tuple[int, Span]]] = defaultdict(list)
    spans: dict[str, set[Span]] = defaultdict(set)
    for pattern, captures in QueryCursor(query).matches(root):
        name = captures.get("name", captures.get("stage.name", [None]))[0]
        default = query.pattern_settings(pattern).get("name") or ""
        for capture, nodes in captures.items():
            group, _, kind = capture.partition(".")
            if group in ("function", "enclosing") or capture == "stage":
                label = _text(name).strip("\"'`") if name else default
                key = name.start_byte if name else nodes[0].start_byte
                scopes[group].append((key, _span(nodes[0], kind or group, label)))
            elif group == "import":
                spans[group] |= {_span(node, group, _text(node)) for node in nodes}
            elif group == "string":
                spans[group] |= {_span(node) for node in nodes if (node.text or b"").strip()}
            else:
                spans[group] |= {_span(node) for node in nodes}
    functions = _widest(scopes["function"])
    enclosing = _widest(scopes["enclosing"])
    return Outline(
        functions=(*_with_methods(functions, enclosing), *_stages(scopes["stage"], data)),
        enclosing=tuple(enclosing),
        imports=tuple(sorted(spans["import"]))[:MAX_IMPORTS],
        blocks=tuple(sorted(spans["block"])),
        statements=_without_scopes(spans["statement"], [*functions, *enclosing]),
        texts=tuple(sorted(span for span in spans["string"] if span.end > span.start)),
        syntax_errors=len(spans["error"]),
        parsed=True,
    )


def innermost(spans: Iterable[Span], start: int, end: int, point: int | None = None) -> Span | None:
    """The innermost of `spans` round the lines `start` to `end`.

    Lines decide; where several spans share theirs, the one round the byte `point`, then the
    smallest.
    """

    def order(span: Span) -> tuple[int, bool, int]:
        outside = point is not None and not span.start_byte <= point < span.end_byte
        return span.end - span.start, outside, span.length

    return min((span for span in spans if span.covers(start, end)), key=order, default=None)


def by_line(spans: Iterable[Span], count: int) -> list[Span | None]:
    """The innermost of `spans` for each of `count` lines, without its own search for every one."""
    painted: list[Span | None] = [None] * count
    for span in sorted(spans, key=lambda span: (span.start - span.end, -span.length)):
        first, last = span.start - 1, min(span.end, count)
        painted[first:last] = [span] * max(last - first, 0)
    return painted


def _span(node: Node, kind: str = "", name: str = "") -> Span:
    return Span(*lines_of(node), node.start_byte, node.end_byte, kind, name)


def _text(node: Node) -> str:
    return " ".join(text_of(node).split())[:MAX_TEXT]


def _widest(scopes: Sequence[tuple[int, Span]]) -> list[Span]:
    """One span for each name: with its decorators, its `export`, its `const`."""
    widest: dict[int, Span] = {}
    for key, span in scopes:
        if key not in widest or span.length > widest[key].length:
            widest[key] = span
    return sorted(widest.values())


def _with_methods(functions: Sequence[Span], enclosing: Sequence[Span]) -> Iterable[Span]:
    """The functions, of which those directly in a class are called methods."""
    open_scopes: list[Span] = []
    classes = set(enclosing)
    for span in sorted({*functions, *enclosing}, key=lambda s: (s.start_byte, -s.end_byte)):
        while open_scopes and open_scopes[-1].end_byte <= span.start_byte:
            open_scopes.pop()
        inside_class = bool(open_scopes) and open_scopes[-1] in classes
        open_scopes.append(span)
        if span not in classes:
            method = span.kind == "function" and inside_class
            yield span._replace(kind="method") if method else span


def _without_scopes(statements: Iterable[Span], scopes: Iterable[Span]) -> tuple[Span, ...]:
    """The statements that are no function or class, whose header says little about its body."""
    places = {(scope.start_byte, scope.end_byte) for scope in scopes if scope.kind != "object"}
    return tuple(sorted(s for s in statements if (s.start_byte, s.end_byte) not in places))


def _stages(firsts: Sequence[tuple[int, Span]], data: bytes) -> Iterable[Span]:
    """Build stages, each from its FROM to the line before the next one."""
    stages = sorted(span for _, span in firsts)
    last = data.count(b"\n") + (not data.endswith(b"\n"))
    for at, stage in enumerate(stages):
        following = stages[at + 1] if at + 1 < len(stages) else None
        yield stage._replace(
            end=following.start - 1 if following else last,
            end_byte=following.start_byte if following else len(data),
        )
