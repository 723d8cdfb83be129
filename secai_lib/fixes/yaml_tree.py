"""Where the nodes of a YAML text stand.

Positions come from ruamel.yaml's composer (YAML 1.2, so that the key `on` stays text). Every
text is hostile: size, depth, number of nodes and what aliases expand to are bounded.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

MAX_CHARACTERS = 1_000_000
"""A workflow has some 10^4 characters; the composer reads about 10^5 a second."""
MAX_DEPTH = 60
"""Nested collections; Kubernetes manifests reach about 15."""
MAX_NODES = 100_000
"""Nodes once every alias is written out: what stops `billion laughs`."""

YamlPath = tuple[str | int, ...]
"""Keys and list positions from the document's root."""


class YamlRefused(ValueError):
    """The text is no YAML or breaks a limit; the message is a sentence."""


class _BoundedComposer(Composer):
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise YamlRefused(f"The YAML is nested deeper than {MAX_DEPTH} levels.")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass(frozen=True)
class YamlNode:
    """One node with its place; `end` lies before trailing comments and blank lines."""

    kind: Literal["mapping", "sequence", "scalar"]
    start: int
    """First character, counted from 0."""
    end: int
    """Character after the last one of the content."""
    line: int
    """First line, from 1."""
    column: int
    """First column, from 0."""
    tag: str
    """`str`, `int`, `null`, `map`, ... or a local tag such as `!Ref`."""
    style: str = ""
    """Of a scalar: empty when plain, else `'`, `"`, `|` or `>`."""
    flow: bool = False
    """Of a collection: written with brackets."""
    text: str = ""
    """Of a scalar: its text after unquoting and unfolding."""
    entries: tuple[tuple["YamlNode", "YamlNode"], ...] = ()
    """Of a mapping: keys and values in the text's order."""
    items: tuple["YamlNode", ...] = ()
    """Of a sequence: its items."""
    alias: bool = False
    """True when this place only refers to a node written elsewhere; do not edit through it."""
    anchor: str = ""
    """Name under which aliases refer to this node; empty for none."""

    def get(self, key: str) -> "YamlNode | None":
        """The value under `key` (the last one, as loaders do); None when absent."""
        found = self.entry(key)
        return found[1] if found else None

    def entry(self, key: str) -> "tuple[YamlNode, YamlNode] | None":
        """Key node and value node under `key`; None when absent or when this is no mapping."""
        return next((pair for pair in reversed(self.entries) if pair[0].text == key), None)

    def keys(self) -> tuple[str, ...]:
        """The keys in the text's order."""
        return tuple(key.text for key, _ in self.entries)

    @property
    def is_null(self) -> bool:
        """True for an empty value, `null` or `~`."""
        return self.kind == "scalar" and self.tag == "null"


@dataclass(frozen=True)
class YamlTree:
    """A YAML text with the places of all its nodes."""

    path: str
    """The file."""
    text: str
    """Its text."""
    documents: tuple[YamlNode | None, ...] = field(repr=False)
    """Root node of each document, None for an empty one."""

    @classmethod
    def parse(cls, path: str, text: str) -> "YamlTree":
        """The tree of `text`; raises `YamlRefused` for broken, too large or too deep YAML."""
        parsed = _parsed(path, text)
        if isinstance(parsed, YamlRefused):
            raise YamlRefused(str(parsed)) from parsed
        return parsed

    def at(self, path: YamlPath, document: int = 0) -> YamlNode | None:
        """The node at `path`; None when there is none."""
        node = self.documents[document] if document < len(self.documents) else None
        for step in path:
            if node is None:
                return None
            if isinstance(step, int):
                node = node.items[step] if -1 < step < len(node.items) else None
            else:
                node = node.get(step)
        return node

    def walk(self, document: int = 0) -> Iterator[tuple[YamlPath, YamlNode]]:
        """Every node with its path, parents first; aliases are not followed."""
        root = self.documents[document] if document < len(self.documents) else None
        stack: list[tuple[YamlPath, YamlNode]] = [((), root)] if root else []
        while stack:
            path, node = stack.pop()
            yield path, node
            if node.alias:
                continue
            below = [((*path, key.text), value) for key, value in node.entries]
            below += [((*path, index), item) for index, item in enumerate(node.items)]
            stack.extend(reversed(below))

    def path_at(self, line: int) -> tuple[int, YamlPath] | None:
        """Document and path of the innermost entry or item that covers `line` (from 1)."""
        best: tuple[int, YamlPath] | None = None
        for number in range(len(self.documents)):
            for path, node in self.walk(number):
                first = self._first_line(path, node, number)
                if not node.alias and first <= line <= self.line_of(max(node.end - 1, node.start)):
                    best = (number, path)
        return best

    def line_of(self, position: int) -> int:
        """The line (from 1) of the character at `position`."""
        return bisect_left(self._ends, position) + 1

    @cached_property
    def _ends(self) -> list[int]:
        """Where the lines end, to count them a thousand times."""
        return [match.start() for match in re.finditer("\n", self.text)]

    def _first_line(self, path: YamlPath, node: YamlNode, document: int) -> int:
        parent = self.at(path[:-1], document) if path else None
        if parent is not None and isinstance(path[-1], str):
            pair = parent.entry(path[-1])
            return pair[0].line if pair else node.line
        return node.line


@lru_cache(maxsize=64)
def _parsed(path: str, text: str) -> "YamlTree | YamlRefused":
    """The tree, or why there is none: a refusal costs seconds and is asked for by every finding."""
    try:
        return _parse(path, text)
    except YamlRefused as refused:
        return refused


def _parse(path: str, text: str) -> YamlTree:
    if len(text) > MAX_CHARACTERS:
        raise YamlRefused(f"The YAML is longer than {MAX_CHARACTERS} characters.")
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.Composer = _BoundedComposer
    try:
        roots = list(yaml.compose_all(text))
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" on line {mark.line + 1}" if mark is not None else ""
        raise YamlRefused(f"The YAML cannot be read{place}.") from error
    except (RecursionError, ValueError, AttributeError) as error:
        if isinstance(error, YamlRefused):
            raise
        raise YamlRefused("The YAML cannot be read.") from error
    builder = _Builder(text)
    return YamlTree(path, text, tuple(builder.root(root) for root in roots))


class _Builder:
    """Turns the library's nodes into ours and counts what aliases expand to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sizes: dict[int, int] = {}
        self.done: dict[int, YamlNode] = {}
        self.open: set[int] = set()

    def root(self, node: Node | None) -> YamlNode | None:
        if node is None or (isinstance(node, ScalarNode) and not node.value and not node.style):
            return None
        return self.build(node)

    def build(self, node: Node, *, after: int = -1, floor: int = -1) -> YamlNode:
        """Our node; `after` is the key's end for a value, `floor` where the parent starts."""
        if id(node) in self.open:
            raise YamlRefused("The YAML has an anchor that contains itself.")
        alias = node.start_mark.index < max(after, floor)
        if id(node) in self.done:
            built = self.done[id(node)]
        else:
            self.open.add(id(node))
            built = self._fresh(node, after)
            self.open.discard(id(node))
            self.done[id(node)] = built
        self._count(node, built)
        return YamlNode(**{**built.__dict__, "alias": True}) if alias else built

    def _count(self, node: Node, built: YamlNode) -> None:
        if id(node) not in self.sizes:
            size = 1
            if isinstance(node, MappingNode):
                size += sum(self.sizes[id(k)] + self.sizes[id(v)] for k, v in node.value)
            elif not isinstance(node, ScalarNode):
                size += sum(self.sizes[id(item)] for item in node.value)
            self.sizes[id(node)] = size
        if self.sizes[id(node)] > MAX_NODES:
            raise YamlRefused(f"The YAML holds more than {MAX_NODES} nodes, aliases written out.")

    def _fresh(self, node: Node, after: int) -> YamlNode:
        start, end = node.start_mark.index, node.end_mark.index
        tag = str(node.tag).removeprefix("tag:yaml.org,2002:")
        place = {"line": node.start_mark.line + 1, "column": node.start_mark.column, "tag": tag,
                 "anchor": str(node.anchor or "")}  # fmt: skip
        if isinstance(node, ScalarNode):
            return self._scalar(node, start, end, after, place)
        flow = isinstance(node, CollectionNode) and bool(node.flow_style)
        entries: tuple[tuple[YamlNode, YamlNode], ...] = ()
        items: tuple[YamlNode, ...] = ()
        if isinstance(node, MappingNode):
            built = []
            for key, value in node.value:
                ours = self.build(key, floor=start)
                built.append((ours, self.build(value, after=ours.end)))
            entries = tuple(built)
            last = max((v.end if not v.alias else k.end for k, v in entries), default=end)
        else:
            items = tuple(self.build(item, floor=start) for item in node.value)
            last = max((item.end for item in items if not item.alias), default=end)
        if not flow:
            end = last
        kind: Any = "mapping" if isinstance(node, MappingNode) else "sequence"
        return YamlNode(kind, start, end, flow=flow, entries=entries, items=items, **place)

    def _scalar(
        self, node: ScalarNode, start: int, end: int, after: int, place: dict[str, Any]
    ) -> YamlNode:
        style = str(node.style or "")
        if not style and start == end and after >= 0:
            # The library puts an empty value behind the comments that follow its key.
            start = end = self.text.index(":", after) + 1
            line_start = self.text.rfind("\n", 0, start) + 1
            place["line"] = self.text.count("\n", 0, start) + 1
            place["column"] = start - line_start
        if style in ("|", ">"):
            header = self.text[start:end].split("\n", 1)[0]
            if "+" not in header:
                end = start + len(self.text[start:end].rstrip())
        return YamlNode("scalar", start, end, style=style, text=str(node.value), **place)
