"""Languages by file name, trees in bounded time, positions as characters."""

import tomllib
from pathlib import Path

import pytest

from secai_lib.core.syntax import (
    GRAMMARS,
    Grammar,
    SyntaxRefused,
    compiled,
    grammar_of,
    has_grammar,
    language_of,
    lines_of,
    parse,
    parse_bytes,
    trees,
    walk,
)

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("A.kt", "kotlin"),
        ("build.gradle.kts", "kotlin"),
        ("a/b.TSX", "tsx"),
        ("a.mjs", "javascript"),
        ("x/Dockerfile", "dockerfile"),
        ("Dockerfile.dev", "dockerfile"),
        ("api.dockerfile", "dockerfile"),
        ("Dockerfiles.md", "markdown"),
        (".github/workflows/ci.yml", "yaml"),
        ("main.tf", "hcl"),
        ("kt", ""),
        ("", ""),
    ],
)
def test_a_file_name_names_its_language(path: str, name: str) -> None:
    assert language_of(path) == name


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.name)
def test_every_grammar_loads_once_and_is_a_dependency(grammar: Grammar) -> None:
    assert parse_bytes(b"", grammar.name).root_node.end_byte == 0
    assert compiled(grammar.name, "(ERROR) @e") is compiled(grammar.name, "(ERROR) @e")
    assert grammar_of(f"x{grammar.suffixes[0]}") is grammar
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    name = grammar.package.replace("_", "-")
    assert any(line.startswith(f"{name}>=") for line in wanted)


@pytest.mark.parametrize("language", ["toml", "", "klingon"])
def test_a_language_without_a_grammar_is_refused(language: str) -> None:
    assert not has_grammar(language)
    with pytest.raises(SyntaxRefused, match="no grammar"):
        parse("a", language)


@pytest.mark.parametrize(
    ("language", "text", "reason"),
    [
        ("python", "#" * 2_000_001, "larger than"),
        ("javascript", "a;" * 10_001, "a line of more than"),
        ("json", "[\n" * 501, "nested too deep"),
        ("xml", "<a>\n" * 501, "nested too deep"),
        ("html", "<div>\n" * 501, "nested too deep"),
        ("yaml", "".join(f"{' ' * depth}a:\n" for depth in range(400)), "nested too deep"),
        ("java", "List<\n" * 501, "nested too deep"),
        ("go", "/*\n" * 20_000, "too tangled"),
        ("kotlin", '"${\n' * 20_000, "nested too deep"),
    ],
)
def test_what_could_take_very_long_is_refused(language: str, text: str, reason: str) -> None:
    with pytest.raises(SyntaxRefused, match=reason):
        parse(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("kotlin", "".join(f"val a{n}: List<String> = x()\n" for n in range(3000))),
        ("java", "class A {\n" + "  Map<K, List<V>> a;\n" * 3000 + "}\n"),
        ("typescript", "".join(f"let a{n}: Array<T> = [n];\n" for n in range(3000))),
        ("xml", "<a>\n" + "<b x='1'/>\n<c></c>\n" * 3000 + "</a>\n"),
        ("yaml", "jobs:\n" + "".join(f"  a{n}:\n    - b: c\n" for n in range(3000))),
        ("json", "[" + "[1],\n" * 3000 + "1]"),
    ],
)
def test_long_ordinary_files_are_parsed(language: str, text: str) -> None:
    assert not parse(text, language).errors()


def test_positions_are_characters() -> None:
    text = 'a = "\u00fc\U0001f600"\nb = "\u4e2d" # x\n'
    tree = parse(text, "python")
    strings = list(tree.walk("string"))
    assert [text[tree.start(n) : tree.end(n)] for n in strings] == [
        '"\u00fc\U0001f600"',
        '"\u4e2d"',
    ]
    assert [tree.text_of(n) for n in strings] == ['"\u00fc\U0001f600"', '"\u4e2d"']
    assert tree.on_lines(2, 2, "string") == strings[1:]
    (comment,) = tree.walk("comment")
    assert (tree.start(comment), tree.end(comment)) == (text.index("#"), text.index("#") + 3)
    assert [text[a:b] for a, b, kind, _ in tree.leaves() if kind == "comment"] == ["# x"]
    assert tree.end(tree.root) == len(text)


def test_a_lone_surrogate_keeps_the_positions() -> None:
    text = 'a = "\ud800" # x\n'
    tree = parse(text, "python")
    (comment,) = tree.walk("comment")
    assert tree.start(comment) == text.index("#")


def test_errors_are_found_and_lines_counted() -> None:
    tree = parse("def f(:\n  pass\n", "python")
    assert tree.errors()
    assert lines_of(tree.root) == (1, 2)
    assert parse("x = 1\n", "python").errors() == []


def test_walking_goes_in_order_and_no_deeper_than_asked() -> None:
    tree = parse("a((b))\n", "python")
    assert [tree.text_of(n) for n in tree.walk("identifier")] == ["a", "b"]
    assert [n.type for n in walk(tree.root, max_depth=1)] == ["module", "expression_statement"]
    (inner,) = tree.walk("parenthesized_expression")
    assert [n.type for n in walk(inner, "identifier", "call")] == ["identifier"]


def test_the_last_resort_is_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kotlin's `a ? b : c` looks harmless in pieces and is quadratic as a whole."""
    monkeypatch.setattr(trees, "MAX_SECONDS", 0.0)
    assert parse("a = 1\n", "python").errors() == []
    with pytest.raises(SyntaxRefused, match="takes too long"):
        parse("a ? b : c\n" * 700, "kotlin")
