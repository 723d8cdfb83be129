"""Which language a file is written in, its grammar and its compiled query: the one registry.

A language is one line here and one `.scm` file in `queries/`. The captures mean the same in all of
them: `@function.KIND` and `@enclosing.KIND` with a `@name`, `@stage` (up to the next one) with its
`@stage.name`, `@import`, `@statement`, `@block` where a whole block says more than a statement,
`@string` for text that may go on over several lines.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from pathlib import PurePosixPath

from tree_sitter import Language, Query


@dataclass(frozen=True)
class Grammar:
    """One language we can parse."""

    name: str
    """Our word for it, as written into a context."""
    package: str
    """The Python package of its grammar."""
    queries: tuple[str, ...]
    """Names of its query files."""
    suffixes: tuple[str, ...]
    """File name endings, lower case."""
    entry: str = "language"
    """The package's function that gives the grammar."""
    literals: bool = False
    """True where a text value is always written in quotation marks."""


GRAMMARS = (
    Grammar("kotlin", "tree_sitter_kotlin", ("kotlin",), (".kt", ".kts"), literals=True),
    Grammar("java", "tree_sitter_java", ("java",), (".java",), literals=True),
    Grammar(
        "javascript",
        "tree_sitter_javascript",
        ("javascript", "javascript_fields"),
        (".js", ".mjs", ".cjs", ".jsx"),
        literals=True,
    ),
    Grammar(
        "typescript",
        "tree_sitter_typescript",
        ("javascript", "typescript_fields"),
        (".ts", ".mts", ".cts"),
        entry="language_typescript",
        literals=True,
    ),
    Grammar(
        "tsx",
        "tree_sitter_typescript",
        ("javascript", "typescript_fields"),
        (".tsx",),
        entry="language_tsx",
        literals=True,
    ),
    Grammar("python", "tree_sitter_python", ("python",), (".py", ".pyi"), literals=True),
    Grammar("go", "tree_sitter_go", ("go",), (".go",), literals=True),
    Grammar("json", "tree_sitter_json", ("json",), (".json", ".sarif"), literals=True),
    Grammar("yaml", "tree_sitter_yaml", ("yaml",), (".yml", ".yaml")),
    Grammar("dockerfile", "tree_sitter_dockerfile", ("dockerfile",), (".dockerfile",)),
    Grammar(
        "xml",
        "tree_sitter_xml",
        ("xml",),
        (".xml", ".pom", ".csproj", ".xsd", ".svg"),
        entry="language_xml",
    ),
    Grammar("html", "tree_sitter_html", ("html",), (".html", ".htm")),
    Grammar("hcl", "tree_sitter_hcl", ("hcl",), (".tf", ".hcl", ".tfvars")),
    Grammar("bash", "tree_sitter_bash", ("bash",), (".sh", ".bash")),
)
"""Every language, in the order in which they are tried."""

_PLAIN = {
    ".toml": "toml",
    ".properties": "properties",
    ".conf": "hocon",
    ".md": "markdown",
    ".ini": "ini",
    ".env": "properties",
}
"""Languages that we name without parsing them."""


def grammar_of(path: str) -> Grammar | None:
    """The grammar for the file at `path`, by its name; None when we parse no such file."""
    name = PurePosixPath(path).name.lower()
    if name in ("dockerfile", "containerfile") or name.startswith(
        ("dockerfile.", "containerfile.")
    ):
        return next(grammar for grammar in GRAMMARS if grammar.name == "dockerfile")
    suffix = PurePosixPath(name).suffix
    return next((grammar for grammar in GRAMMARS if suffix in grammar.suffixes), None)


def language_of(path: str) -> str:
    """Our word for the language of the file at `path`; empty when its name does not say."""
    grammar = grammar_of(path)
    return grammar.name if grammar else _PLAIN.get(PurePosixPath(path).suffix.lower(), "")


@cache
def language(grammar: Grammar) -> Language:
    """The tree-sitter language of `grammar`, loaded once."""
    loaded = getattr(import_module(grammar.package), grammar.entry)()
    with warnings.catch_warnings():
        # Some grammars still hand out their address as a number, which tree-sitter deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Language(loaded)


@cache
def query(grammar: Grammar) -> Query:
    """The query of `grammar`, compiled once."""
    folder = resources.files(__package__).joinpath("queries")
    names = (*grammar.queries, "errors")
    text = "\n".join(folder.joinpath(f"{name}.scm").read_text("utf-8") for name in names)
    return Query(language(grammar), text)
