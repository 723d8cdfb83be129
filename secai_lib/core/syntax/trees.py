"""Syntax trees of hostile files: parsed in bounded time, or refused."""

import re
from collections.abc import Callable
from time import monotonic

from tree_sitter import Parser, Tree

from secai_lib.core.syntax.languages import grammar, has_grammar, loaded

MAX_BYTES = 2_000_000
"""A larger file is generated or bundled, and slow to walk."""
MAX_LINE = 20_000
"""Bytes; a longer line means generated code, whose structure tells nobody anything."""
MAX_DEPTH = 500
"""Brackets or tags inside one another; more of them never close, and recovery is quadratic."""
MAX_YAML_DEPTH = 100
"""Blocks inside one another; at 341 the scanner of tree-sitter-yaml 0.7.2 overruns its buffer and
takes the process down."""
CHUNK = 8192
"""Bytes of one probe."""
STEPS_PER_KIB = 32
"""Progress reports a parser may make for each KiB of a probe; measured: files of real projects at
most 12, the densest sound code 28, tangled junk up to 250."""
MAX_SECONDS = 10.0
"""The last resort against a text that deceives every rule above; a real file takes under one."""
READ = 65_536
"""Bytes handed to the parser at a time."""

_BRACKET = re.compile(rb"(?P<open>[(\[{])|(?P<close>[)\]}])")
_TAG = re.compile(rb"(?P<open><[A-Za-z])|(?P<close></|/>)")
_TYPE = re.compile(rb"(?P<open>\w<)|(?P<close>>)|(?P<end>[;{}])")
"""Type arguments, and what never stands inside them."""
_INDICATOR = re.compile(rb"[-?:](?=\s|$)")


class SyntaxRefused(ValueError):
    """A text is not parsed; the sentence says why."""


def parse_bytes(data: bytes, language: str) -> Tree:
    """The syntax tree of `data` (UTF-8); errors in the text are nodes of the tree.

    Raises `SyntaxRefused` without a grammar for `language`, or when parsing could take very
    long: error recovery in tree-sitter is quadratic, 100 KiB of brackets keep it busy for
    minutes in which it asks nobody. Real code never is so tangled, so pieces of the file are
    tried first, and the first that needs too many steps ends it.
    """
    if not has_grammar(language):
        raise SyntaxRefused(f"There is no grammar for {language or 'this kind of file'}.")
    if len(data) > MAX_BYTES:
        raise SyntaxRefused(f"The file is larger than {MAX_BYTES} bytes.")
    if any(len(line) > MAX_LINE for line in data.split(b"\n")):
        raise SyntaxRefused(f"The file has a line of more than {MAX_LINE} bytes.")
    if _too_deep(data, language):
        raise SyntaxRefused("The file is nested too deep to be parsed.")
    late = _deadline()
    chunks = range(0, len(data), CHUNK) if len(data) > CHUNK else range(0)
    if any(_parse(data[at : at + CHUNK], language, _tangled(late)) is None for at in chunks):
        raise SyntaxRefused(f"The file is too tangled to be parsed as {language}.")
    tree = _parse(data, language, late)
    if tree is None:
        raise SyntaxRefused(f"The file takes too long to be parsed as {language}.")
    return tree


_Stop = Callable[[int, bool], bool]
"""Offset and whether there was an error so far -> whether to give up."""


def _parse(data: bytes, language: str, stop: _Stop) -> Tree | None:
    """The tree; None when `stop` ended it."""
    try:
        return Parser(loaded(language)).parse(
            lambda offset, _point: data[offset : offset + READ], progress_callback=stop
        )
    except ValueError:  # how the binding says that the callback stopped it
        return None


def _tangled(late: _Stop) -> _Stop:
    """Gives up after the steps that real code of one chunk needs, or when it is `late`."""
    steps = 0

    def stop(offset: int, has_error: bool) -> bool:
        nonlocal steps
        steps += 1
        return steps > STEPS_PER_KIB * CHUNK // 1024 or late(offset, has_error)

    return stop


def _deadline() -> _Stop:
    end = monotonic() + MAX_SECONDS
    return lambda _offset, _has_error: monotonic() > end


def _too_deep(data: bytes, language: str) -> bool:
    if language == "yaml" and _yaml_depth(data) > MAX_YAML_DEPTH:
        return True
    angles = _TAG if grammar(language).markup else _TYPE
    return max(_depth(_BRACKET, data), _depth(angles, data)) > MAX_DEPTH


def _depth(pairs: re.Pattern[bytes], data: bytes) -> int:
    """The most of `pairs` open at once, told by their characters alone."""
    depth = deepest = 0
    for found in pairs.finditer(data):
        step = {"open": 1, "close": -1}.get(found.lastgroup or "", -depth)
        depth = max(0, depth + step)
        deepest = max(deepest, depth)
    return deepest


def _yaml_depth(data: bytes) -> int:
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
