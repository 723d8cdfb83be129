"""Which language a file is written in, and its grammar: the one registry.

A new language is one line here, its grammar's package in `pyproject.toml`, and a query file
`code_context/queries/<name>.scm` that says what its functions and classes are.
"""

import warnings
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import PurePosixPath

from tree_sitter import Language, Query


@dataclass(frozen=True)
class Grammar:
    """One language we can parse."""

    name: str
    """Our word for it, as written into records."""
    package: str
    """The Python package of its grammar."""
    suffixes: tuple[str, ...]
    """File name endings, lower case."""
    names: tuple[str, ...] = ()
    """Whole file names, lower case; a dot and more may follow (`dockerfile.dev`)."""
    entry: str = "language"
    """The package's function that gives the grammar."""
    literals: bool = False
    """True where a text value is always written in quotation marks."""
    markup: bool = False
    """True where elements stand inside one another between tags."""

    def fits(self, name: str) -> bool:
        """Whether a file with the lower-case `name` is written in it."""
        whole = any(name == known or name.startswith(f"{known}.") for known in self.names)
        return whole or PurePosixPath(name).suffix in self.suffixes


_SCRIPT = (".js", ".mjs", ".cjs", ".jsx")
_TYPED = (".ts", ".mts", ".cts")
_XML = (".xml", ".pom", ".csproj", ".xsd", ".svg")
_DOCKER = ("dockerfile", "containerfile")

GRAMMARS = (
    Grammar("dockerfile", "tree_sitter_dockerfile", (".dockerfile",), _DOCKER),
    Grammar("kotlin", "tree_sitter_kotlin", (".kt", ".kts"), literals=True),
    Grammar("java", "tree_sitter_java", (".java",), literals=True),
    Grammar("javascript", "tree_sitter_javascript", _SCRIPT, literals=True),
    Grammar(
        "typescript", "tree_sitter_typescript", _TYPED, entry="language_typescript", literals=True
    ),
    Grammar("tsx", "tree_sitter_typescript", (".tsx",), entry="language_tsx", literals=True),
    Grammar("python", "tree_sitter_python", (".py", ".pyi"), literals=True),
    Grammar("go", "tree_sitter_go", (".go",), literals=True),
    Grammar("json", "tree_sitter_json", (".json", ".sarif"), literals=True),
    Grammar("yaml", "tree_sitter_yaml", (".yml", ".yaml")),
    Grammar("xml", "tree_sitter_xml", _XML, entry="language_xml", markup=True),
    Grammar("html", "tree_sitter_html", (".html", ".htm"), markup=True),
    Grammar("hcl", "tree_sitter_hcl", (".tf", ".hcl", ".tfvars")),
    Grammar("bash", "tree_sitter_bash", (".sh", ".bash")),
)
"""Every language, in the order in which they are tried."""

_BY_NAME = {grammar.name: grammar for grammar in GRAMMARS}
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
    return next((grammar for grammar in GRAMMARS if grammar.fits(name)), None)


def language_of(path: str) -> str:
    """Our word for the language of the file at `path`; empty when its name does not say."""
    grammar = grammar_of(path)
    return grammar.name if grammar else _PLAIN.get(PurePosixPath(path).suffix.lower(), "")


def has_grammar(language: str) -> bool:
    """Whether texts in `language` (our word for it) can be parsed."""
    return language in _BY_NAME


def grammar(language: str) -> Grammar:
    """The grammar of `language`; raises `KeyError` for a word that `has_grammar` denies."""
    return _BY_NAME[language]


@cache
def loaded(language: str) -> Language:
    """The tree-sitter language of `language`, its package imported at the first use."""
    known = grammar(language)
    address = getattr(import_module(known.package), known.entry)()
    with warnings.catch_warnings():
        # Some grammars still hand out their address as a number, which tree-sitter deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        return Language(address)


@cache
def compiled(language: str, query: str) -> Query:
    """The text of a tree-sitter `query` for `language`, compiled once."""
    return Query(loaded(language), query)
