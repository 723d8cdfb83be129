"""Which language a file is written in, and its syntax tree."""

import warnings
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath

from tree_sitter import Language, Node, Parser

MAX_BYTES = 2_000_000
"""Larger files are not read as code: generated or bundled, and slow to walk."""

_SUFFIXES = {
    ".kt": "kotlin", ".kts": "kotlin", ".java": "java", ".py": "python", ".pyi": "python",
    ".js": "javascript", ".mjs": "javascript", ".cjs": "javascript", ".jsx": "javascript",
    ".ts": "typescript", ".mts": "typescript", ".cts": "typescript", ".tsx": "tsx", ".go": "go",
    ".yml": "yaml", ".yaml": "yaml", ".json": "json", ".xml": "xml", ".hcl": "hcl", ".tf": "hcl",
    ".tfvars": "hcl", ".sh": "bash", ".bash": "bash", ".toml": "toml", ".pom": "xml",
    ".csproj": "xml", ".dockerfile": "dockerfile",
}  # fmt: skip

_GRAMMARS = {
    "kotlin": ("tree_sitter_kotlin", "language"),
    "java": ("tree_sitter_java", "language"),
    "python": ("tree_sitter_python", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "go": ("tree_sitter_go", "language"),
    "json": ("tree_sitter_json", "language"),
    "xml": ("tree_sitter_xml", "language_xml"),
    "hcl": ("tree_sitter_hcl", "language"),
    "dockerfile": ("tree_sitter_dockerfile", "language"),
    "bash": ("tree_sitter_bash", "language"),
}


def language_of(path: str) -> str:
    """The language of the file at `path` by its name; empty when we know no parser for it."""
    name = PurePosixPath(path).name.lower()
    if name in ("dockerfile", "containerfile") or name.startswith(
        ("dockerfile.", "containerfile.")
    ):
        return "dockerfile"
    return _SUFFIXES.get(PurePosixPath(name).suffix, "")


def has_grammar(language: str) -> bool:
    """True when there is a tree-sitter grammar for `language` here."""
    return language in _GRAMMARS


def syntax_tree(language: str, text: str) -> Node:
    """The root of the syntax tree of `text`; raises `ValueError` when it is too large."""
    data = text.encode()
    if len(data) > MAX_BYTES:
        raise ValueError(f"The file is larger than {MAX_BYTES} bytes.")
    return _parser(language).parse(data).root_node


def walk(root: Node) -> Iterator[Node]:
    """Every node, parents first, without recursion (deep nesting is hostile)."""
    cursor = root.walk()
    while True:
        if cursor.node is not None:
            yield cursor.node
        if cursor.goto_first_child() or cursor.goto_next_sibling():
            continue
        while True:
            if not cursor.goto_parent():
                return
            if cursor.goto_next_sibling():
                break


@cache
def _parser(language: str) -> Parser:
    module, function = _GRAMMARS[language]
    with warnings.catch_warnings():
        # The Dockerfile grammar still hands its pointer over as a number.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Parser(Language(getattr(import_module(module), function)()))
