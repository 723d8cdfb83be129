"""Every language's query compiles and finds what it is for."""

import warnings

import pytest

from secai_lib.code_context.outline import outline, query_of
from secai_lib.core.syntax import GRAMMARS, Grammar, language_of


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.name)
def test_every_query_compiles_without_a_warning(grammar: Grammar) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert query_of(grammar.name).pattern_count > 2
    assert outline(grammar.name, "").functions == ()


def test_a_language_without_a_grammar_has_no_structure() -> None:
    assert not outline("toml", "[a]\nb = 1\n").parsed
    assert not outline("", "x").parsed


@pytest.mark.parametrize(
    ("path", "text", "functions", "enclosing"),
    [
        ("a.go", "package a\nfunc (s *T) run() {}\nvar f = func() {}\n", ["run", "f"], []),
        ("a.go", "package a\ntype T struct {}\n", [], ["T"]),
        ("a.sh", "run() {\n  a\n}\n", ["run"], []),
        ("a.tsx", "const A = () => <b>{x}</b>;\n", ["A"], []),
        ("a.js", "const a = { run() {}, go: function () {} };\n", ["run", "go"], ["a"]),
        ("a.cjs", "class A { static { } #x = () => 1; }\n", ["static", "#x"], ["A"]),
        ("a.ts", "namespace N { export enum E { A } }\n", [], ["N", "E"]),
        (
            "A.java",
            "record R(int a) { R { } }\nenum E { A; void x() {} }\n",
            ["R", "x"],
            ["R", "E"],
        ),
        ("a.kt", "interface I {\n    fun z()\n}\ndata object X\n", ["z"], ["I", "X"]),
        ("a.py", "f = lambda x: x\n", ["f"], []),
    ],
)
def test_scopes(path: str, text: str, functions: list[str], enclosing: list[str]) -> None:
    found = outline(language_of(path), text)
    assert [span.name for span in found.functions] == functions
    assert [span.name for span in found.enclosing] == enclosing
