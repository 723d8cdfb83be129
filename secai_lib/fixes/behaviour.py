"""Whether a fix changes only what it edits: the rest of the document means the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secai_lib.core.fix import Edit
from secai_lib.core.syntax import SyntaxRefused, has_grammar, language_of, parse
from secai_lib.fixes.yaml_tree import YamlNode, YamlRefused, YamlTree

Spans = tuple[tuple[int, int], ...]
"""Stretches of a text, both ends included."""


@dataclass(frozen=True)
class Change:
    """One difference between two YAML documents."""

    path: str
    """Keys and positions, joined by dots."""
    before: YamlNode | None
    """None when the node was added."""
    after: YamlNode | None
    """None when the node was removed."""
    start: int
    """Where it stands: in the fixed text when added, else in the unfixed one."""
    end: int
    """Its last character there, exclusive."""
    aliased: bool = False
    """True when this place only refers to a node written elsewhere."""


def foreign_changes(path: str, base: str, fixed: str, edits: Sequence[Edit]) -> tuple[str, ...]:
    """What changed outside the edits, each in words; empty when nothing did.

    For YAML the loaded documents are compared, for languages with a grammar the tokens outside
    the edits; other files can only change where they are edited.
    """
    language = language_of(path)
    if language == "yaml":
        return _foreign_yaml(path, base, fixed, edits)
    if has_grammar(language):
        try:
            before = _outside(language, base, tuple((e.start, e.end) for e in edits))
            after = _outside(language, fixed, new_spans(edits))
        except SyntaxRefused as refused:
            return (str(refused).rstrip("."),)
        if before != after:
            return ("the tokens outside the edit are read differently",)
    return ()


def new_spans(edits: Sequence[Edit]) -> Spans:
    """Where the replacements of one file's `edits` stand in the fixed text."""
    spans, shift = [], 0
    for edit in sorted(edits, key=lambda edit: edit.start):
        start = edit.start + shift
        spans.append((start, start + len(edit.replacement)))
        shift += len(edit.replacement) - (edit.end - edit.start)
    return tuple(spans)


def yaml_changes(path: str, base: str, fixed: str) -> tuple[Change, ...]:
    """Every difference between the documents of two texts; raises `YamlRefused`."""
    before, after = YamlTree.parse(path, base), YamlTree.parse(path, fixed)
    if len(before.documents) != len(after.documents):
        raise YamlRefused("The number of documents differs.")
    found: list[Change] = []
    for one, other in zip(before.documents, after.documents, strict=True):
        if one is None or other is None:
            node = one or other
            if node is not None:
                found.append(Change("", one, other, node.start, node.end))
            continue
        found += _differences(one, other)
    return tuple(found)


def _foreign_yaml(path: str, base: str, fixed: str, edits: Sequence[Edit]) -> tuple[str, ...]:
    try:
        changes = yaml_changes(path, base, fixed)
    except YamlRefused as error:
        return (str(error).rstrip("."),)
    old, new = tuple((edit.start, edit.end) for edit in edits), new_spans(edits)
    said = []
    for change in changes:
        inside = _touches(change.start, change.end, new if change.before is None else old)
        if not inside or change.aliased:
            how = "shared through an alias" if change.aliased else "outside the edit"
            said.append(f"{change.path or 'the document'} changes {how}")
    return tuple(said)


def _differences(one: YamlNode, other: YamlNode) -> Iterator[Change]:
    stack: list[tuple[str, YamlNode, YamlNode, bool]] = [("", one, other, one.alias)]
    while stack:
        path, before, after, aliased = stack.pop()
        if before.kind != after.kind or before.kind == "scalar":
            if (before.tag, before.text, before.kind) != (after.tag, after.text, after.kind):
                yield Change(path, before, after, before.start, before.end, aliased)
            continue
        pairs = _mapping_pairs if before.kind == "mapping" else _item_pairs
        for name, old, new in pairs(before, after):
            below = f"{path}.{name}" if path else name
            if old is not None and new is not None:
                stack.append((below, old[1], new[1], aliased or old[1].alias))
            elif new is not None:
                yield Change(below, None, new[1], new[0].start, new[1].end, aliased)
            elif old is not None:
                yield Change(below, old[1], None, old[0].start, old[1].end, aliased)


Pair = tuple[YamlNode, YamlNode]


def _mapping_pairs(
    before: YamlNode, after: YamlNode
) -> Iterator[tuple[str, Pair | None, Pair | None]]:
    for key in dict.fromkeys((*before.keys(), *after.keys())):
        yield key, before.entry(key), after.entry(key)


def _item_pairs(
    before: YamlNode, after: YamlNode
) -> Iterator[tuple[str, Pair | None, Pair | None]]:
    """Items paired from both ends while they are equal, the rest by position."""
    old, new = [meaning(i) for i in before.items], [meaning(i) for i in after.items]
    tail = 0
    while tail < min(len(old), len(new)) and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    for index in range(max(len(old), len(new)) - tail):
        one = before.items[index] if index < len(old) - tail else None
        other = after.items[index] if index < len(new) - tail else None
        yield str(index), (one, one) if one else None, (other, other) if other else None


def meaning(node: YamlNode) -> object:
    """A hashable value that is equal for nodes that load to the same thing."""
    if node.kind == "scalar":
        return node.tag, node.text
    if node.kind == "sequence":
        return node.tag, tuple(meaning(item) for item in node.items)
    return node.tag, frozenset((key.text, meaning(value)) for key, value in node.entries)


def _touches(start: int, end: int, spans: Spans) -> bool:
    return any(start <= last and first <= end for first, last in spans)


def _outside(language: str, text: str, spans: Spans) -> list[tuple[str, bytes]]:
    """Type and text of every token that no span touches."""
    at = [(len(text[:a].encode()), len(text[:b].encode())) for a, b in spans]
    return [
        (node.type, node.text or b"")
        for node in parse(text, language).walk()
        if node.child_count == 0 and not _touches(node.start_byte, node.end_byte, tuple(at))
    ]
