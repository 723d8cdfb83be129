"""Versions in package.json."""

import re

from tree_sitter import Node

from secai_lib.core.fix import SourceFiles
from secai_lib.core.syntax import SourceTree, parse
from secai_lib.fixes.declarations import Declaration, folder_of
from secai_lib.fixes.rule import Abstain

LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock")
_SECTIONS = ("dependencies", "devDependencies", "optionalDependencies")
_RANGE = re.compile(r"(?P<style>\^|~|>=|=|)\s?v?(?P<version>\d+\.\d+\.\d+(?:[-+][\w.-]+)?)\Z")


def npm_declarations(path: str, name: str, files: SourceFiles) -> list[Declaration]:
    """The entries of package.json that declare `name` for the file at `path`.

    Raises `Abstain` for tags, addresses and ranges of another form.
    """
    manifest = folder_of(path) + "package.json"
    text = files.read(manifest)
    if text is None:
        return []
    tree = parse(text, "json")
    if tree.root.has_error:
        raise Abstain("syntax", f"{manifest} is no valid JSON.")
    found = []
    for section in _pairs(tree, _top(tree)):
        if section[0] not in _SECTIONS:
            continue
        for key, value in _pairs(tree, section[1]):
            if key == name:
                found.append(_declaration(tree, manifest, name, value))
    return found


def _declaration(tree: SourceTree, path: str, name: str, value: Node) -> Declaration:
    text = tree.text_of(value)
    match = _RANGE.match(text[1:-1]) if value.type == "string" else None
    if match is None:
        raise Abstain("range", f"{path} gives {name} as {text[:40]}, not as one version with ^ or "
                      "~; change it by hand.")  # fmt: skip
    start = tree.start(value) + 1
    return Declaration(
        path, start + match.start("version"), start + match.end("version"), match["version"]
    )


def _top(tree: SourceTree) -> Node | None:
    return next((node for node in tree.root.children if node.type == "object"), None)


def _pairs(tree: SourceTree, node: Node | None) -> list[tuple[str, Node]]:
    if node is None or node.type != "object":
        return []
    pairs = []
    for pair in node.children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None:
            pairs.append((tree.text_of(key)[1:-1], value))
    return pairs
