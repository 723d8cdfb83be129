"""Syntax trees of hostile files: parsed in bounded time, or not at all."""

import re

from tree_sitter import Language, Node, Parser, Tree

CHUNK = 8192
"""Bytes of one probe."""
STEPS_PER_KIB = 15
"""Progress reports a parser may make for each KiB; measured: real files at most 12, junk 16-85."""
MAX_LINE = 20_000
"""Bytes; a longer line means generated code, whose structure tells nobody anything."""
MAX_DEPTH = 500
"""Brackets or tags inside one another; more of them never close, and recovery is quadratic."""
SMALL = 32_768
"""Bytes up to which the parser is trusted with any text: seconds at the worst."""
READ = 65_536
"""Bytes handed to the parser at a time."""
MAX_YAML_DEPTH = 100
"""Blocks inside one another; at 341 the scanner of tree-sitter-yaml 0.7.2 overruns its buffer and
takes the process down."""

_BRACKET = re.compile(rb"(?P<open>[(\[{]|<[A-Za-z])|(?P<close>[)\]}]|</|/>)")
_INDICATOR = re.compile(rb"[-?:](?=\s|$)")


def parse(language: Language, data: bytes) -> Tree | None:
    """The syntax tree of `data` (UTF-8); None when parsing it could take very long.

    Error recovery in tree-sitter is quadratic: 100 KiB of brackets keep it busy for minutes and
    its own progress callback comes too late. Real code never is so tangled, so pieces of the
    file are tried first and the first one that needs too many steps ends the attempt.
    """
    if any(len(line) > MAX_LINE for line in data.split(b"\n")):
        return None
    if _depth(data) > MAX_DEPTH:
        return None
    chunks = range(0, len(data), CHUNK) if len(data) > SMALL else range(0)
    if any(_parse(language, data[at : at + CHUNK]) is None for at in chunks):
        return None
    return Parser(language).parse(data)


def _parse(language: Language, data: bytes) -> Tree | None:
    allowed = STEPS_PER_KIB * max(len(data), CHUNK) // 1024
    steps = 0

    def stop(_offset: int, _has_error: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > allowed

    try:
        return Parser(language).parse(
            lambda offset, _point: data[offset : offset + READ], progress_callback=stop
        )
    except ValueError:  # how the binding says that the callback stopped it
        return None


def _depth(data: bytes) -> int:
    """The most brackets or tags open at once, told by their characters alone."""
    depth = deepest = 0
    for found in _BRACKET.finditer(data):
        depth = max(0, depth + (1 if found["open"] else -1))
        deepest = max(deepest, depth)
    return deepest


def lines_of(node: Node) -> tuple[int, int]:
    """First and last line of `node`, from 1, inclusive; a final line break does not count."""
    first, end = node.start_point.row + 1, node.end_point
    return first, max(first, end.row + 1 if end.column else end.row)


def yaml_depth(data: bytes) -> int:
    """The most blocks that may be open at once in the YAML text `data`; never too low."""
    deepest = 0
    columns: list[int] = []
    for line in data.splitlines():
        indent = len(line) - len(line.lstrip())
        if indent == len(line):
            continue
        while columns and columns[-1] >= indent:
            columns.pop()
        columns.append(indent)
        inner = [found.start() for found in _INDICATOR.finditer(line)]
        columns += [column for column in inner if column > indent]
        deepest = max(deepest, len(columns) + 1)
    return deepest
