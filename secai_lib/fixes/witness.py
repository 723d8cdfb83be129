"""Second witnesses: what a parser, not our scanner rule, says about a fix."""

from collections.abc import Callable, Iterator

from secai_lib.core.fix import Edit, ProofCheck, Proposal, SourceFiles
from secai_lib.core.syntax import SourceTree, SyntaxRefused, language_of, parse
from secai_lib.fixes.edits import EditError, apply_edits, by_path
from secai_lib.fixes.rule import Witness
from secai_lib.fixes.yaml_tree import YamlNode, YamlPath, YamlRefused, YamlTree

Change = Callable[[str, str], bool]
"""Old text and new text of one edit -> whether this is a change that the rule may make."""

YamlChange = Callable[[YamlPath, str | None, str | None], bool]
"""Path, old value and new value (None: absent) -> whether the rule may make this change."""

NAME = "second_witness"

Leaf = tuple[str, str, int]


def tree_witness(allowed: Change) -> Witness:
    """A witness that compares syntax trees.

    Everything outside the edits is the same node with the same text at the same depth, each
    edit is one that `allowed` knows, and the parser finds no more errors than before.
    """

    def witness(proposal: Proposal, files: SourceFiles) -> ProofCheck:
        problem = ""
        for path, edits in by_path(proposal.edits).items():
            problem = problem or _tree_problem(path, files.read(path) or "", edits, allowed)
        return _check(problem, "Outside the edits the syntax tree is the same, node by node.")

    return witness


def yaml_witness(allowed: YamlChange) -> Witness:
    """A witness that loads both files: equal values everywhere but at paths `allowed` knows."""

    def witness(proposal: Proposal, files: SourceFiles) -> ProofCheck:
        problem = ""
        for path, edits in by_path(proposal.edits).items():
            problem = problem or _yaml_problem(path, files.read(path) or "", edits, allowed)
        return _check(problem, "The loaded document is equal but for the value that was fixed.")

    return witness


def _check(problem: str, good: str) -> ProofCheck:
    return ProofCheck(name=NAME, passed=not problem, detail=problem or good)


def _tree_problem(path: str, text: str, edits: tuple[Edit, ...], allowed: Change) -> str:
    for edit in edits:
        if not allowed(text[edit.start : edit.end], edit.replacement):
            return f"{path}: an edit is none that this rule makes."
    language = language_of(path)
    try:
        before, after = parse(text, language), parse(apply_edits(text, edits), language)
    except (SyntaxRefused, EditError) as error:
        return f"{path}: {error}"
    old, new, shift = [], [], 0
    for edit in edits:
        old.append((edit.start, edit.end))
        new.append((edit.start + shift, edit.start + shift + len(edit.replacement)))
        shift += len(edit.replacement) - (edit.end - edit.start)
    if len(after.errors()) > len(before.errors()):
        return f"{path}: the parser finds more errors than before."
    if list(_outside(before, old)) != list(_outside(after, new)):
        return f"{path}: the syntax tree changed outside the edits."
    return ""


def _outside(tree: SourceTree, ranges: list[tuple[int, int]]) -> Iterator[Leaf]:
    for start, end, kind, depth in tree.leaves():
        text = tree.text[start:end]
        if text.strip() and not any(start < stop and end > begin for begin, stop in ranges):
            yield kind, text, depth


def _yaml_problem(path: str, text: str, edits: tuple[Edit, ...], allowed: YamlChange) -> str:
    try:
        before = _values(YamlTree.parse(path, text))
        after = _values(YamlTree.parse(path, apply_edits(text, edits)))
    except (YamlRefused, EditError) as error:
        return f"{path}: {error}"
    changed = [at for at in before.keys() | after.keys() if before.get(at) != after.get(at)]
    for at in changed:
        if not allowed(at[1:], before.get(at), after.get(at)):
            return f"{path}: {'.'.join(map(str, at[1:]))} changed, which this rule must not."
    return "" if changed else f"{path}: nothing changed."


def _values(tree: YamlTree) -> dict[YamlPath, str]:
    """Document and path -> what stands there, for every scalar and every empty collection."""
    return {
        (number, *path): f"{node.tag}:{node.text}" if node.kind == "scalar" else node.kind
        for number in range(len(tree.documents))
        for path, node in tree.walk(number)
        if _is_leaf(node)
    }


def _is_leaf(node: YamlNode) -> bool:
    return node.kind == "scalar" or not (node.entries or node.items)
