"""Each language's validator takes good text and refuses broken text."""

import pytest

from secai_lib.fixes.syntax import check_syntax

GOOD = {
    "a.kt": "fun f() { println(1) }\n",
    "b.gradle.kts": 'dependencies { implementation("a:b:1") }\n',
    "A.java": "class A { int f() { return 1; } }\n",
    "a.py": "def f() -> int:\n    return 1\n",
    "a.js": "const x = () => 1;\n",
    "a.ts": "const x: number = 1;\n",
    "a.tsx": "const a = <b>x</b>;\n",
    "a.go": "package a\n\nfunc f() {}\n",
    "Dockerfile": "FROM a:1\nRUN x && \\\n    y\n",
    "main.tf": 'resource "a" "b" {\n  c = 1\n}\n',
    "a.sh": "if x; then y; fi\n",
    "a.json": '{"a": [1]}\n',
    "pom.xml": '<?xml version="1.0" encoding="UTF-8"?><a><b/></a>',
    "a.yml": "a: [1]\n",
    "libs.versions.toml": '[versions]\na = "1"\n',
}
BROKEN = {
    "a.kt": "fun f( { println(1) }\n",
    "A.java": "class A { int f() { return 1; }\n",
    "a.py": "def f(:\n    return 1\n",
    "a.js": "const x = () => {;\n",
    "a.ts": "const x: = 1;\n",
    "a.go": "package a\n\nfunc f( {}\n",
    "main.tf": 'resource "a" "b" {\n  c = \n',
    "a.sh": "if x; then y\n",
    "a.json": '{"a": [1}\n',
    "pom.xml": "<a><b></a>",
    "a.yml": "a: [1\nb: c: d\n",
    "b.yml": "a:\n  b: 1\n  b: 2\n",
    "libs.versions.toml": "[versions\n",
}


@pytest.mark.parametrize("path", sorted(GOOD))
def test_good_text_passes(path: str) -> None:
    assert check_syntax(path, GOOD[path]).passed


@pytest.mark.parametrize("path", sorted(BROKEN))
def test_broken_text_fails_even_beside_a_good_base(path: str) -> None:
    assert not check_syntax(path, BROKEN[path]).passed
    assert not check_syntax(path, BROKEN[path], GOOD.get(path, "a: 1\n")).passed


def test_errors_that_were_there_before_do_not_count() -> None:
    assert check_syntax("a.kt", BROKEN["a.kt"], BROKEN["a.kt"]).passed


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"),
        ("a.json", "[" * 100_000),
        ("a.py", "(" * 5_000),
        ("a.kt", "(" * 50_000),
        ("a.ts", "x" * 2_000_001),
    ],
)
def test_hostile_text_is_refused(path: str, text: str) -> None:
    assert not check_syntax(path, text).passed


def test_an_unknown_language_says_that_nothing_was_checked() -> None:
    check = check_syntax("notes.txt", "((((")
    assert check.passed and "no parser" in check.detail
