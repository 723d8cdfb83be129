"""Whether a fix stays where its finding is: the same file, and there the same block."""

from collections.abc import Iterable, Mapping, Sequence

from tree_sitter import Node

from secai_lib.core.finding import LockfileLocation, Result, SourceLocation
from secai_lib.core.fix import Edit, ProofCheck
from secai_lib.core.syntax import SourceTree, SyntaxRefused, has_grammar, language_of, parse
from secai_lib.fixes.behaviour import yaml_changes
from secai_lib.fixes.edits import by_path
from secai_lib.fixes.yaml_tree import YamlRefused, YamlTree

_GROUPS = frozenset({"jobs", "services"})
"""Top-level keys whose entries have nothing to do with each other."""
_SHARED = frozenset({"permissions"})
"""Keys that a finding anywhere in the file may concern."""
_WHOLE_FILE = frozenset({"dockerfile", "xml", "json", "toml", "hcl", "bash"})
"""Languages whose files are one block, or whose scanners name only the file."""
_BLOCKS = ("function", "method", "constructor", "property", "field", "accessor", "variable")
"""Beginnings of the node types that hold a piece of code of their own."""


def in_place(target: Result, base: Mapping[str, str], fixed: Mapping[str, str],
             edits: Sequence[Edit]) -> ProofCheck:  # fmt: skip
    """The check `in_place`: every edit is in the finding's file and block, or an import of it."""
    places = [p for p in target.locations if isinstance(p, SourceLocation | LockfileLocation)]
    mine = {place.path for place in places}
    said = ""
    for path, group in by_path(edits).items():
        if path not in mine:
            said = said or f"{path} is edited, which the finding does not name."
            continue
        spans = [_lines(place) for place in places if place.path == path]
        stray = _stray(path, base[path], fixed[path], group, spans)
        said = said or (f"{path}: {stray}." if stray else "")
    good = "Every edit is in the finding's block or an import of it."
    return ProofCheck(name="in_place", passed=not said, detail=said or good)


def _lines(place: SourceLocation | LockfileLocation) -> tuple[int, int]:
    first = place.start_line or 0
    last = place.end_line if isinstance(place, SourceLocation) else None
    return first, max(first, last or first)


def _stray(
    path: str, base: str, fixed: str, edits: Sequence[Edit], spans: Sequence[tuple[int, int]]
) -> str:
    language = language_of(path)
    if any(first == 0 for first, _ in spans) or language in _WHOLE_FILE:
        return ""
    if language == "yaml":
        return _stray_yaml(path, base, fixed, spans)
    if has_grammar(language):
        return _stray_code(language, base, edits, spans)
    return ""


def _stray_yaml(path: str, base: str, fixed: str, spans: Sequence[tuple[int, int]]) -> str:
    try:
        before, after = YamlTree.parse(path, base), YamlTree.parse(path, fixed)
        changes = yaml_changes(path, base, fixed)
    except YamlRefused as error:
        return str(error).rstrip(".")
    homes = {home for first, last in spans for home in _homes(before, first, last)}
    for change in changes:
        where = _document(after if change.before is None else before, change.start)
        unit = _unit(change.path.split("."))
        near = any(where == document and (not home or unit == home) for document, home in homes)
        if homes and not near and not _SHARED & set(change.path.split(".")):
            return f"{change.path} is outside the block of the finding"
    return ""


def _homes(tree: YamlTree, first: int, last: int) -> Iterable[tuple[int, tuple[str, ...]]]:
    """Document and unit of the lines, the unit empty when they reach out of jobs and services."""
    for number, root in enumerate(tree.documents):
        if root is None or last < root.line or tree.line_of(root.end) < first:
            continue
        units: list[tuple[str, ...]] = []
        for group in _GROUPS & set(root.keys()):
            for key, value in (root.get(group) or root).entries:
                if key.line <= first and last <= tree.line_of(max(value.end - 1, value.start)):
                    units.append((group, key.text))
        yield from ((number, unit) for unit in units or [()])


def _unit(steps: Sequence[str]) -> tuple[str, ...]:
    return tuple(steps[:2]) if steps[:1] and steps[0] in _GROUPS and len(steps) > 1 else ()


def _document(tree: YamlTree, position: int) -> int:
    starts = [(node.start, number) for number, node in enumerate(tree.documents) if node]
    return max(((start, number) for start, number in starts if start <= position),
               default=(0, 0))[1]  # fmt: skip


def _stray_code(
    language: str, base: str, edits: Sequence[Edit], spans: Sequence[tuple[int, int]]
) -> str:
    try:
        tree = parse(base, language)
    except SyntaxRefused as refused:
        return str(refused).rstrip(".")
    blocks = [_block(tree, first, last) for first, last in spans]
    blocks += [lines for node in tree.walk() if (lines := _import(node))]
    for edit in edits:
        start = base.count("\n", 0, edit.start) + 1
        end = base.count("\n", 0, max(edit.start, edit.end - 1)) + 1
        if not any(first <= start and end <= last for first, last in blocks):
            return f"line {start} is outside the block of the finding"
    return ""


def _block(tree: SourceTree, first: int, last: int) -> tuple[int, int]:
    """Lines of the smallest definition that holds the finding, else of its top-level node."""
    best = (first, last)
    for node in tree.walk():
        top = node.parent is not None and node.parent.parent is None
        if not top and not node.type.startswith(_BLOCKS):
            continue
        lines = node.start_point.row + 1, node.end_point.row + 1
        if lines[0] <= first and last <= lines[1]:
            best = lines
    return best


def _import(node: Node) -> tuple[int, int] | None:
    """Lines of an import or package line and of the one behind it."""
    if not node.is_named or ("import" not in node.type and not node.type.startswith("package")):
        return None
    return node.start_point.row + 1, node.end_point.row + 2
