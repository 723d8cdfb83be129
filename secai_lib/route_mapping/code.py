"""The product code of a commit: which files count, what they belong to, their syntax trees."""

from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import PurePosixPath

from tree_sitter import Node

from secai_lib.core.fix import SourceFiles
from secai_lib.core.syntax import SyntaxRefused, grammar, language_of, parse_bytes

BUILD_FILES = (
    "build.gradle.kts",
    "build.gradle",
    "package.json",
    "pom.xml",
    "pyproject.toml",
    "requirements.txt",
)
_TEST_FOLDERS = frozenset(
    [
        "test",
        "tests",
        "testing",
        "androidtest",
        "commontest",
        "jvmtest",
        "jstest",
        "integrationtest",
        "functionaltest",
        "testfixtures",
        "unittest",
        "e2e",
        "__tests__",
        "__mocks__",
        "spec",
        "specs",
        "mocks",
        "fixtures",
    ]
)
_BUILD_FOLDERS = frozenset(
    [
        "build",
        "dist",
        "out",
        "target",
        "node_modules",
        "bower_components",
        "vendor",
        "generated",
        "buildsrc",
        ".gradle",
        ".git",
        ".idea",
        ".next",
        "coverage",
    ]
)
_TEST_STEMS = (".test", ".spec", ".e2e", "-test", "_test", ".mock", ".stories", ".d")
_KOTLIN_TESTS = ("Test", "Tests", "Spec", "IT", "TestCase")
_BUILD_NAMES = ("webpack.config", "vite.config", "rollup.config", "jest.config", "gulpfile")

MAX_NESTING = 200
"""Nodes inside one another that are looked into."""
_REPAIRS = 4
"""Rounds of repair: behind the first misread place the tree may have hidden others."""
KOTLIN = (".kt",)
"""Suffixes of product code; scripts (`.kts`) build it."""
SCRIPTS = tuple(
    suffix for name in ("typescript", "tsx", "javascript") for suffix in grammar(name).suffixes
)
"""Suffixes of modules, in the order in which an import without one is resolved."""


def is_product_code(path: str) -> bool:
    """Whether `path` is part of what is shipped: neither test nor build nor third-party code."""
    pure = PurePosixPath(path)
    folders = {part.lower() for part in pure.parts[:-1]}
    if folders & _TEST_FOLDERS or folders & _BUILD_FOLDERS:
        return False
    stem = pure.name[: -len(pure.suffix)] if pure.suffix else pure.name
    if pure.suffix in KOTLIN:
        return not stem.endswith(_KOTLIN_TESTS)
    if pure.suffix == ".py" and (stem.startswith("test_") or stem == "conftest"):
        return False
    return not stem.lower().endswith(_TEST_STEMS) and not stem.lower().startswith(_BUILD_NAMES)


class Code:
    """The files of one commit, each read and parsed at most once."""

    def __init__(self, files: SourceFiles) -> None:
        """Look at `files`; nothing is read yet."""
        self._files = files
        self._texts: dict[str, str | None] = {}
        self._trees: dict[str, Node] = {}
        self.refused: dict[str, str] = {}
        """File -> why it has no syntax tree."""

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every file of the commit, sorted."""
        return self._files.paths()

    @cached_property
    def _roots(self) -> frozenset[str]:
        return frozenset(
            folder_of(path) for path in self.paths if PurePosixPath(path).name in BUILD_FILES
        )

    def product(self, suffixes: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(path, text) of every readable file of product code with one of `suffixes`."""
        for path in self.paths:
            if path.endswith(suffixes) and is_product_code(path) and (text := self.text(path)):
                yield path, text

    def root_of(self, path: str) -> str:
        """The folder of the nearest build file at or above `path`; empty for the top."""
        folder = folder_of(path)
        while folder and folder not in self._roots:
            folder = folder_of(folder)
        return folder

    def text(self, path: str) -> str | None:
        """The text of `path`; None when it is absent, binary or too large."""
        if path not in self._texts:
            self._texts[path] = self._files.read(path)
        return self._texts[path]

    def tree(self, path: str, repair: Callable[[Node, bytes], bytes] | None = None) -> Node:
        """The syntax tree of `path`; an empty one, and an entry in `refused`, if it has none.

        `repair` may return other bytes of the same length to parse instead, for what a grammar
        misreads; the tree's text is then that of the repaired bytes.
        """
        if path not in self._trees:
            data = (self.text(path) or "").encode("utf-8", "replace")
            language = language_of(path)
            try:
                root = parse_bytes(data, language).root_node
                for _ in range(_REPAIRS if repair else 0):
                    if repair is None or (repaired := repair(root, data)) == data:
                        break
                    data, root = repaired, parse_bytes(repaired, language).root_node
            except SyntaxRefused as refused:
                self.refused[path] = str(refused)
                root = parse_bytes(b"", language).root_node
            self._trees[path] = root
        return self._trees[path]


def folder_of(path: str) -> str:
    """The folder of `path`; empty at the top."""
    return path.rpartition("/")[0]
