"""A Python file's syntax tree with character positions, and edits of its calls."""

import ast
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from secai_lib.core.fix import Edit
from secai_lib.core.syntax import language_of
from secai_lib.fixes.place import Place, whole
from secai_lib.fixes.rule import Abstain, Weaken, Weakening

_CALL_TAIL = re.compile(r"\s*(,?)\s*\)\Z")


@dataclass(frozen=True)
class PythonSource:
    """A parsed Python file."""

    place: Place
    """The file and the finding's lines."""
    module: ast.Module = field(repr=False)
    """Its tree."""
    imports: dict[str, str]
    """Local name -> what it was imported as, dotted."""
    _lines: tuple[int, ...] = field(repr=False)
    _bytes: tuple[bytes, ...] = field(repr=False)

    def start(self, node: ast.expr | ast.keyword | ast.stmt) -> int:
        """The node's first character, from 0."""
        return self._at(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.keyword | ast.stmt) -> int:
        """The character after the node's last one."""
        return self._at(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def qualified(self, node: ast.expr) -> str:
        """The dotted name of an imported thing (`yaml.load`); empty for anything else."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or node.id not in self.imports:
            return ""
        return ".".join([self.imports[node.id], *reversed(parts)])

    def calls(self) -> Iterator[ast.Call]:
        """The calls that begin on the finding's lines, in the text's order."""
        first, last = self.place.first, self.place.last
        found = [
            node
            for node in ast.walk(self.module)
            if isinstance(node, ast.Call) and first <= node.lineno <= last
        ]
        yield from sorted(found, key=lambda call: (call.lineno, call.col_offset))

    def function_text(self, node: ast.expr) -> str:
        """The text of the innermost function around `node`; of its statement at top level."""
        best: ast.stmt | None = None
        for found in ast.walk(self.module):
            if not isinstance(found, ast.stmt) or isinstance(found, ast.ClassDef):
                continue
            covers = found.lineno <= node.lineno <= (found.end_lineno or found.lineno)
            function = isinstance(found, ast.FunctionDef | ast.AsyncFunctionDef)
            if covers and (best is None or function):
                best = found
        return self.place.text[self.start(best) : self.end(best)] if best else ""

    def replace(self, node: ast.expr, replacement: str) -> Edit:
        """The edit that puts `replacement` in the node's place."""
        return self.place.edit(self.start(node), self.end(node), replacement)

    def rename_attribute(self, call: ast.Call, name: str) -> Edit:
        """The edit that calls another attribute of the same object."""
        if not isinstance(call.func, ast.Attribute):
            raise Abstain(
                "imported_name",
                f"Line {call.lineno} calls a name imported with `from ... import`; "
                "import the safe function instead.",
            )
        end = self.end(call.func)
        return self.place.edit(end - len(call.func.attr), end, name)

    def add_keyword(self, call: ast.Call, written: str) -> Edit:
        """The edit that adds the keyword argument `written` at the end of the call."""
        if any(keyword.arg is None for keyword in call.keywords):
            raise Abstain("involved", f"The call on line {call.lineno} takes its arguments from "
                          "a mapping that may set it already.")  # fmt: skip
        arguments = self._arguments(call)
        if not arguments:
            at = self.end(call) - 1
            return self.place.edit(at, at, written)
        start, end = arguments[-1]
        tail = self.place.text[end : self.end(call)]
        if not _CALL_TAIL.match(tail):
            raise Abstain("involved", f"The call on line {call.lineno} is too involved to edit.")
        line = self.place.line_start(start)
        lead = self.place.text[line:start]
        alone = not lead.strip() and "\n" in tail
        gap = f",{self.place.newline}{lead}" if alone else ", "
        return self.place.edit(end, end, gap + written)

    def remove_argument(self, call: ast.Call, node: ast.expr | ast.keyword) -> Edit:
        """The edit that removes an argument that is not the call's first."""
        start, end = self.start(node), self.end(node)
        before = [a for a in self._arguments(call) if a[1] <= start]
        between = self.place.text[before[-1][1] : start] if before else ""
        if between.strip() != ",":
            raise Abstain("involved", f"The call on line {call.lineno} is too involved to edit.")
        return self.place.edit(before[-1][1], end, "")

    def _arguments(self, call: ast.Call) -> list[tuple[int, int]]:
        if len(call.args) == 1 and isinstance(call.args[0], ast.GeneratorExp):
            raise Abstain("involved", f"The call on line {call.lineno} is too involved to edit.")
        nodes: list[ast.expr | ast.keyword] = [*call.args, *call.keywords]
        return sorted((self.start(node), self.end(node)) for node in nodes)

    def _at(self, line: int, column: int) -> int:
        return self._lines[line - 1] + len(self._bytes[line - 1][:column].decode())


def read_python(place: Place) -> PythonSource:
    """The tree of the file; raises `Abstain` when Python cannot parse it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            module = ast.parse(place.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise Abstain("syntax", f"{place.path} is no valid Python.") from error
    if "\f" in place.text or "\r" in place.text.replace("\r\n", ""):
        raise Abstain("syntax", f"{place.path} has unusual line ends.")
    starts, lines, position = [], [], 0
    for line in place.text.split("\n"):
        starts.append(position)
        lines.append(line.encode())
        position += len(line) + 1
    return PythonSource(place, module, _imports(module), tuple(starts), tuple(lines))


def in_calls(places: Callable[[PythonSource, ast.Call], Iterator[Weakening]]) -> Weaken:
    """The inverse of a rule for Python: `places` at every call of a Python file."""

    def weaken(path: str, text: str) -> Iterator[Weakening]:
        if language_of(path) == "python":
            source = read_python(whole(path, text))
            for call in source.calls():
                yield from places(source, call)

    return weaken


def keyword_of(call: ast.Call, name: str) -> ast.keyword | None:
    """The call's keyword argument `name`; None when absent."""
    return next((keyword for keyword in call.keywords if keyword.arg == name), None)


def is_constant(node: ast.expr | None, value: object) -> bool:
    """True when `node` is the literal `value` itself (`True` is not 1)."""
    return isinstance(node, ast.Constant) and node.value is value


def _imports(module: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                names[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return names
