"""Small edits of a YAML text that leave comments, blank lines and line ends as they are."""

import json
import re
from collections.abc import Mapping, Sequence

from secai_lib.core.fix import Edit
from secai_lib.fixes.yaml_tree import YamlNode, YamlPath, YamlTree

YamlValue = str | int | bool | None | Sequence["YamlValue"] | Mapping[str, "YamlValue"]
"""What can be written: text, numbers, booleans, nothing, lists and mappings of these."""

_PLAIN = re.compile(r"(?:[A-Za-z_/$]|\.{1,2}/)[\w ./$@+-]*(?::[\w/.@-]+)*\Z", re.ASCII)
_EXPRESSION = re.compile(r"\$\{\{ (?:[^#:{}\r\n\t]|:(?! )){1,400} \}\}\Z")
"""A GitHub expression, which everybody writes without quotes (not in flow style)."""
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


class EditRefused(ValueError):
    """The edit cannot be made without touching something else; the message says why."""


def set_scalar(tree: YamlTree, path: YamlPath, value: YamlValue, document: int = 0) -> Edit:
    """The edit that gives the node at `path` another value (scalar, or any node as a whole).

    A mapping or list is written in flow style. Raises `EditRefused` for aliases and anchors.
    """
    node = _own(tree, path, document)
    if node.anchor:
        raise EditRefused(f"The value at line {node.line} is shared through an anchor.")
    written = f"{node_gap(tree, node)}{flow_text(value)}"
    return Edit(path=tree.path, start=node.start, end=node.end, replacement=written)


def insert_key(
    tree: YamlTree,
    path: YamlPath,
    key: str,
    value: YamlValue,
    *,
    after: str = "",
    before: str = "",
    document: int = 0,
) -> Edit:
    """The edit that adds one `key`; see `insert_keys`."""
    return insert_keys(tree, path, {key: value}, after=after, before=before, document=document)


def insert_keys(
    tree: YamlTree,
    path: YamlPath,
    entries: Mapping[str, YamlValue],
    *,
    after: str = "",
    before: str = "",
    document: int = 0,
) -> Edit:
    """The edit that adds `entries` to the mapping at `path`: after or before a key, else last.

    An empty value at `path` becomes a mapping. Raises `EditRefused` for aliases, for a node
    that is no mapping, and for a key that is there already.
    """
    node = _own(tree, path, document)
    if node.is_null:
        return _fill_null(tree, path, node, entries, document)
    if node.kind != "mapping":
        raise EditRefused(f"There is no mapping at line {node.line}.")
    for key in entries:
        if node.get(key) is not None:
            raise EditRefused(f"The mapping at line {node.line} has a key {key!r} already.")
    if node.flow or not node.entries:
        written = ", ".join(f"{_key_text(k)}: {flow_text(v)}" for k, v in entries.items())
        return _into_flow(tree, node, written)
    newline, indent = newline_of(tree.text), " " * node.column
    lines = block_lines(entries)
    if before:
        pair = _pair(node, before)
        written = "".join(line + newline + indent for line in lines)
        at = pair[0].start
        return Edit(path=tree.path, start=at, end=at, replacement=written)
    pair = _pair(node, after) if after else node.entries[-1]
    gap = newline if spaced(tree, node) else ""
    at, lead = _end_of_entry(tree, pair, newline)
    written = lead + gap + newline.join(indent + line for line in lines) + newline
    return Edit(path=tree.path, start=at, end=at, replacement=written)


def insert_item(tree: YamlTree, path: YamlPath, value: YamlValue, document: int = 0) -> Edit:
    """The edit that adds `value` at the end of the list at `path`."""
    node = _own(tree, path, document)
    if node.kind != "sequence":
        raise EditRefused(f"There is no list at line {node.line}.")
    if node.flow:
        return _into_flow(tree, node, flow_text(value))
    newline, indent = newline_of(tree.text), " " * node.column
    first, *rest = block_lines(value)
    lines = [f"{indent}- {first}", *(f"{indent}  {line}" for line in rest)]
    at, lead = line_end(tree, node.end, newline)
    return Edit(path=tree.path, start=at, end=at, replacement=lead + newline.join(lines) + newline)


def remove_key(tree: YamlTree, path: YamlPath, document: int = 0) -> Edit:
    """The edit that removes the entry at `path` with its lines.

    Raises `EditRefused` when it is the mapping's only entry: remove the parent instead.
    """
    parent = _own(tree, path[:-1], document)
    key, value = _pair(parent, str(path[-1]))
    if len(parent.entries) == 1:
        raise EditRefused(f"{path[-1]!r} is the only key of its mapping.")
    index = next(i for i, pair in enumerate(parent.entries) if pair[0] is key)
    end = key.end if value.alias else max(value.end, key.end)
    if parent.flow:
        if index + 1 < len(parent.entries):
            return _cut(tree, key.start, parent.entries[index + 1][0].start)
        return _cut(tree, parent.entries[index - 1][1].end, end)
    line_start = tree.text.rfind("\n", 0, key.start) + 1
    if tree.text[line_start : key.start].strip():  # behind the dash of a list item
        return _cut(tree, key.start, parent.entries[index + 1][0].start)
    after, _ = line_end(tree, end, "")
    return _cut(tree, line_start, after)


def block_lines(value: YamlValue, step: int = 2) -> list[str]:
    """The lines of `value` in block style, not indented; `step` spaces a level."""
    if isinstance(value, Mapping) and value:
        lines: list[str] = []
        for key, below in value.items():
            lines += _entry_lines(_key_text(key) + ":", below, " " * step, step)
        return lines
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return [
            ("- " if number == 0 else "  ") + line
            for item in value
            for number, line in enumerate(block_lines(item, step))
        ]
    return [flow_text(value)]


def flow_text(value: YamlValue) -> str:
    """`value` on one line; text is quoted only where YAML would read something else."""
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, str):
        plain = _PLAIN.match(value) and value.strip() == value
        return (
            value
            if plain and value.lower() not in _NOT_TEXT
            else json.dumps(value, ensure_ascii=False)
        )
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key_text(k)}: {flow_text(v)}" for k, v in value.items())
        return "{" + inner + "}"
    return "[" + ", ".join(flow_text(item) for item in value) + "]"


def newline_of(text: str) -> str:
    r"""The line end that `text` uses: `\r\n` when its first line does, else `\n`."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def spaced(tree: YamlTree, node: YamlNode) -> bool:
    """True when most neighbours among the mapping's entries have a blank line between them."""
    blanks = 0
    for (key, value), (following, _) in zip(node.entries, node.entries[1:], strict=False):
        end = key.end if value.alias else max(value.end, key.end)
        between = tree.text[end : following.start].split("\n")[1:-1]
        blanks += any(not line.strip() for line in between)
    return blanks * 2 > len(node.entries) - 1


def line_end(tree: YamlTree, position: int, newline: str) -> tuple[int, str]:
    """Start of the line after `position`, and what must come first there (at an open end)."""
    if position and tree.text[position - 1] == "\n":
        return position, ""
    found = tree.text.find("\n", position)
    return (found + 1, "") if found >= 0 else (len(tree.text), newline)


def node_gap(tree: YamlTree, node: YamlNode) -> str:
    """A space when the node is an empty value right behind its colon, else nothing."""
    return " " if node.start == node.end and tree.text[node.start - 1 : node.start] == ":" else ""


def _end_of_entry(tree: YamlTree, pair: tuple[YamlNode, YamlNode], newline: str) -> tuple[int, str]:
    key, value = pair
    return line_end(tree, key.end if value.alias else max(value.end, key.end), newline)


def _entry_lines(head: str, value: YamlValue, indent: str, step: int) -> list[str]:
    nested = bool(value) and isinstance(value, Mapping | Sequence) and not isinstance(value, str)
    if not nested:
        plain = isinstance(value, str) and _EXPRESSION.match(value)
        return [f"{head} {value if plain else flow_text(value)}"]
    return [head, *(indent + line for line in block_lines(value, step))]


def _fill_null(
    tree: YamlTree, path: YamlPath, node: YamlNode, value: YamlValue, document: int
) -> Edit:
    parent = _own(tree, path[:-1], document) if path else None
    if parent is None or parent.flow or node.start != node.end:
        return set_scalar(tree, path, value, document)
    newline = newline_of(tree.text)
    indent = " " * (parent.column + 2)
    at, lead = line_end(tree, node.end, newline)
    written = lead + newline.join(indent + line for line in block_lines(value)) + newline
    return Edit(path=tree.path, start=at, end=at, replacement=written)


def _into_flow(tree: YamlTree, node: YamlNode, written: str) -> Edit:
    ends = [max(k.end, v.end) if not v.alias else k.end for k, v in node.entries]
    ends += [item.end for item in node.items]
    last = max(ends, default=0)
    if any(v.alias for _, v in node.entries[-1:]) or any(i.alias for i in node.items[-1:]):
        raise EditRefused(f"The list or mapping at line {node.line} ends with an alias.")
    at = last or tree.text.index("[" if node.kind == "sequence" else "{", node.start) + 1
    lead = ", " if last else ""
    return Edit(path=tree.path, start=at, end=at, replacement=lead + written)


def _own(tree: YamlTree, path: YamlPath, document: int) -> YamlNode:
    """The node at `path`, written there and not behind an alias."""
    for length in range(len(path) + 1):
        node = tree.at(path[:length], document)
        if node is None:
            raise EditRefused(f"{tree.path} has nothing at {'.'.join(map(str, path))}.")
        if node.alias:
            raise EditRefused(f"The value at line {node.line} is shared through an alias.")
    assert node is not None  # noqa: S101 - the loop ran at least once
    return node


def _pair(node: YamlNode, key: str) -> tuple[YamlNode, YamlNode]:
    pair = node.entry(key)
    if pair is None:
        raise EditRefused(f"The mapping at line {node.line} has no key {key!r}.")
    return pair


def _cut(tree: YamlTree, start: int, end: int) -> Edit:
    return Edit(path=tree.path, start=start, end=end, replacement="")


def _key_text(key: str) -> str:
    return flow_text(key)
