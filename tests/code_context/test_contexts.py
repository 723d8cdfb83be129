"""Finding in, code out: places, scopes, ranges; on every language and on hostile files."""

import json
import random
from collections.abc import Mapping

import pytest

from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import (
    ArchiveLocation,
    Category,
    Finding,
    ImageLocation,
    Location,
    LockfileLocation,
    NoLocation,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.record import canonical_json
from tests.fakes.records import make_finding, make_package, make_result


class Files:
    """A commit in memory; counts how often each file is read."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)
        self.read_count: dict[str, int] = {}

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted({*self.texts, "binary.bin"}))

    def read(self, path: str) -> str | None:
        self.read_count[path] = self.read_count.get(path, 0) + 1
        return self.texts.get(path)


def at(
    path: str,
    start: int | None,
    end: int | None = None,
    *,
    snippet: str = "",
    column: int | None = None,
    category: Category = Category.CODE,
) -> Finding:
    place = SourceLocation(
        path=path, start_line=start, end_line=end, start_column=column, snippet=snippet
    )
    return make_finding(category=category, result=make_result(locations=(place,)))


def one(
    path: str, text: str, start: int | None, end: int | None = None, **more: object
) -> CodeContext:
    found = contexts([at(path, start, end, **more)], Files({path: text}))  # type: ignore[arg-type]
    return found[0]


def line_of(text: str, mark: str) -> int:
    """The only line that holds `mark`, from 1."""
    lines = [number for number, line in enumerate(text.split("\n"), 1) if mark in line]
    assert len(lines) == 1, mark
    return lines[0]


KOTLIN = """package a

import io.ktor.server.routing.*
import java.security.MessageDigest as Digest

fun Route.lockers(path: String) {
    get("/lockers") {
        call.respond(ext1)
    }
}

fun <T : Comparable<T>> List<T>.largest(): T = maxOrNull() ?: error("generic1")

@Suppress("unused")
class Service<T>(private val clock: Clock) : Base<T>() {
    private val prop1 = listOf(1)
    init {
        check(init1)
    }

    constructor(a: Int) : this(Clock(a)) {
        secondary1()
    }

    override suspend fun <R> run(block: (T) -> R): R {
        val handler = { x: Int ->
            lambda1(x)
        }
        fun inner() {
            inner1()
        }
        return block(run1)
    }

    val size: Int
        get() {
            return getter1
        }

    companion object {
        fun create() {
            companion1()
        }
    }

    object Named {
        fun make() {
            object1()
        }
    }
}

val top = module {
    top1()
}

fun `with spaces`() {
    spaces1()
}
"""

TYPESCRIPT = """import express, { Router } from "express";
const fs = require("fs");
import type {
  Shape,
} from "./shape";

export const load = async (id: number): Promise<string> => {
  return arrow1(id);
};

const save = function (x) {
  expression1(x);
};

export class Store<T> extends Base<T> {
  #handler = () => {
    field1();
  };
  async find<K>(key: K) {
    return items.map((item) => method1(item));
  }
  static get size() { return getter1; }
}

function* walk() {
  yield generator1;
}

router.get("/x", async (req, res) => {
  callback1(req);
});

export default function () {
  default1();
}

module.exports.helper = () => {
  assigned1();
};
"""

PYTHON = """import os
from a import (
    b,
    c,
)


@app.route("/x")
@login
async def handler(request):
    def helper():
        return nested1
    return [helper1 for _ in request]


class Store(Base):
    limit = class1

    @property
    def size(self):
        return lambda: method1


if __name__ == "__main__":
    main1()
"""

JAVA = """import java.util.List;
class Outer<T> {
    private int field = field1;
    Outer() { ctor1(); }
    @Override
    public <R> List<R> map(T x) {
        list.forEach(it -> lambda1(it));
        return null;
    }
    static {
        static1();
    }
    interface Inner {
        default void deep() { deep1(); }
    }
}
"""

SCOPES = [
    ("a.kt", KOTLIN, "ext1", ("function", "lockers"), None),
    ("a.kt", KOTLIN, "generic1", ("function", "largest"), None),
    ("a.kt", KOTLIN, "prop1", None, ("class", "Service")),
    ("a.kt", KOTLIN, "init1", ("initializer", "init"), ("class", "Service")),
    ("a.kt", KOTLIN, "secondary1", ("constructor", "constructor"), ("class", "Service")),
    ("a.kt", KOTLIN, "lambda1", ("method", "run"), ("class", "Service")),
    ("a.kt", KOTLIN, "inner1", ("function", "inner"), ("class", "Service")),
    ("a.kt", KOTLIN, "run1", ("method", "run"), ("class", "Service")),
    ("a.kt", KOTLIN, "getter1", ("getter", "size"), ("class", "Service")),
    ("a.kt", KOTLIN, "companion1", ("method", "create"), ("object", "Companion")),
    ("a.kt", KOTLIN, "object1", ("method", "make"), ("object", "Named")),
    ("a.kt", KOTLIN, "top1", None, None),
    ("a.kt", KOTLIN, "spaces1", ("function", "with spaces"), None),
    ("a.ts", TYPESCRIPT, "arrow1", ("function", "load"), None),
    ("a.ts", TYPESCRIPT, "expression1", ("function", "save"), None),
    ("a.ts", TYPESCRIPT, "field1", ("method", "#handler"), ("class", "Store")),
    ("a.ts", TYPESCRIPT, "method1", ("method", "find"), ("class", "Store")),
    ("a.ts", TYPESCRIPT, "getter1", ("method", "size"), ("class", "Store")),
    ("a.ts", TYPESCRIPT, "generator1", ("function", "walk"), None),
    ("a.ts", TYPESCRIPT, "callback1", None, None),
    ("a.ts", TYPESCRIPT, "default1", ("function", "default"), None),
    ("a.ts", TYPESCRIPT, "assigned1", ("function", "module.exports.helper"), None),
    ("a.py", PYTHON, "nested1", ("function", "helper"), None),
    ("a.py", PYTHON, "helper1", ("function", "handler"), None),
    ("a.py", PYTHON, "class1", None, ("class", "Store")),
    ("a.py", PYTHON, "method1", ("method", "size"), ("class", "Store")),
    ("a.py", PYTHON, "main1", None, None),
    ("A.java", JAVA, "field1", None, ("class", "Outer")),
    ("A.java", JAVA, "ctor1", ("constructor", "Outer"), ("class", "Outer")),
    ("A.java", JAVA, "lambda1", ("method", "map"), ("class", "Outer")),
    ("A.java", JAVA, "static1", ("initializer", "static"), ("class", "Outer")),
    ("A.java", JAVA, "deep1", ("method", "deep"), ("interface", "Inner")),
]


@pytest.mark.parametrize(("path", "text", "mark", "function", "enclosing"), SCOPES)
def test_a_line_gets_its_function_and_its_class(
    path: str,
    text: str,
    mark: str,
    function: tuple[str, str] | None,
    enclosing: tuple[str, str] | None,
) -> None:
    found = one(path, text, line_of(text, mark))
    assert found.status is ContextStatus.EXACT
    assert (found.function and (found.function.kind, found.function.name)) == function
    assert (found.enclosing and (found.enclosing.kind, found.enclosing.name)) == enclosing
    assert mark in found.snippet
    assert found.syntax_errors == 0


def test_javascript_has_the_same_scopes() -> None:
    text = "class A {\n  run = () => {\n    x();\n  };\n}\n"
    found = one("a.mjs", text, 3)
    assert found.function and (found.function.kind, found.function.name) == ("method", "run")
    assert found.enclosing and found.enclosing.name == "A"


def test_ranges_include_decorators_and_exports() -> None:
    python = one("a.py", PYTHON, line_of(PYTHON, "helper1")).function
    assert python and python.start_line == line_of(PYTHON, "@app.route")
    typescript = one("a.ts", TYPESCRIPT, line_of(TYPESCRIPT, "arrow1")).function
    assert typescript and typescript.start_line == line_of(TYPESCRIPT, "export const load")
    on_decorator = one("a.py", PYTHON, line_of(PYTHON, "@login")).function
    assert on_decorator and on_decorator.name == "handler"


def test_imports_are_one_line_each() -> None:
    assert one("a.py", PYTHON, 1).imports == ("import os", "from a import ( b, c, )")
    assert one("a.kt", KOTLIN, 1).imports == (
        "import io.ktor.server.routing.*",
        "import java.security.MessageDigest as Digest",
    )
    assert [text.split()[0] for text in one("a.ts", TYPESCRIPT, 1).imports] == [
        "import",
        "const",
        "import",
    ]


def test_a_column_decides_between_functions_on_one_line() -> None:
    text = "fun outer() { fun inner() { a() }; b() }\n"
    inner = one("a.kt", text, 1, 1, column=text.index("a()") + 1).function
    outer = one("a.kt", text, 1, 1, column=text.index("b()") + 1).function
    assert inner and outer and (inner.name, outer.name) == ("inner", "outer")


def test_a_statement_is_shown_whole() -> None:
    text = "def f():\n    a = 1\n    call(\n        x,\n        y,\n    )\n    b = 2\n"
    for line in (3, 4, 5, 6):
        found = one("a.py", text, line)
        assert (found.start_line, found.end_line) == (3, 6)
    assert found.before == "def f():\n    a = 1"
    assert found.after == "    b = 2"
    both = one("a.py", text, 2, 4)
    assert (both.start_line, both.end_line) == (2, 6)


WORKFLOW = """name: ci
on:
  push:
    branches: [main]
permissions:
  contents: write
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - uses: a/b@v1
        with:
          deep: 1
      - run: |
          echo one
          echo two
  test:
    runs-on: ubuntu-latest
"""


@pytest.mark.parametrize(
    ("line", "block", "job"),
    [
        (4, (2, 4), None),
        (6, (5, 6), None),
        (9, (8, 16), "build"),
        (13, (11, 13), "build"),
        (15, (14, 16), "build"),
        (18, (17, 18), "test"),
    ],
)
def test_a_workflow_line_gets_its_block_and_its_job(
    line: int, block: tuple[int, int], job: str | None
) -> None:
    found = one(".github/workflows/ci.yml", WORKFLOW, line)
    assert (found.start_line, found.end_line) == block
    assert (found.function and found.function.name) == job
    assert found.function is None or found.function.kind == "job"


def test_a_kubernetes_line_gets_its_container_and_resource() -> None:
    text = (
        "kind: Deployment\nspec:\n  containers:\n    - name: a\n      image: x\n"
        "      securityContext:\n        privileged: true\n    - name: b\n---\nkind: Service\n"
    )
    found = one("k.yaml", text, 7)
    assert (found.start_line, found.end_line) == (4, 7)
    assert found.enclosing and (found.enclosing.kind, found.enclosing.name) == (
        "resource",
        "Deployment",
    )
    whole = one("k.yaml", text, 1, 9).enclosing
    assert whole and whole.name == "Deployment"
    other = one("k.yaml", text, 10).enclosing
    assert other and other.name == "Service"


def test_a_compose_line_gets_its_service() -> None:
    text = "services:\n  db:\n    image: a\n    privileged: true\n  web:\n    image: b\n"
    found = one("docker-compose.yml", text, 4)
    assert (found.start_line, found.end_line) == (2, 4)
    assert found.enclosing and (found.enclosing.kind, found.enclosing.name) == ("service", "db")


def test_a_dockerfile_line_gets_its_instruction_and_stage() -> None:
    text = "ARG A=1\nFROM a:1 AS build\nRUN one && \\\n    two\nFROM b@sha256:00\nUSER x\n"
    first, second = (one("x/Dockerfile", text, line) for line in (4, 6))
    assert (first.start_line, first.end_line, first.language) == (3, 4, "dockerfile")
    assert first.function and (first.function.kind, first.function.name) == ("stage", "build")
    assert (first.function.start_line, first.function.end_line) == (2, 4)
    assert second.function and second.function.name.startswith("b@")
    assert one("Dockerfile.dev", text, 1).function is None


def test_xml_and_json_show_the_element_and_the_pair() -> None:
    xml = '<m>\n  <a\n     x="1"\n     y="2">\n    <b/>\n  </a>\n</m>\n'
    assert (one("A.xml", xml, 3).start_line, one("A.xml", xml, 3).end_line) == (2, 6)
    text = json.dumps({"a": {"b": 1, "c": [1, 2]}}, indent=2)
    assert one("a.json", text, 2).end_line == text.count("\n")


def test_the_order_is_that_of_the_findings_and_a_file_is_read_once() -> None:
    files = Files({"a.py": PYTHON, "b.kt": KOTLIN})
    findings = [at("b.kt", 8), at("a.py", 1), at("b.kt", 12), at("gone.py", 1), at("a.py", 9)]
    random.Random(1).shuffle(findings)
    found = contexts(findings, files)
    assert [c.fingerprint for c in found] == [f.fingerprint for f in findings]
    assert [c.path for c in found] == [f.result.path for f in findings]
    assert files.read_count == {"a.py": 1, "b.kt": 1, "gone.py": 1}
    again = contexts(findings, Files({"a.py": PYTHON, "b.kt": KOTLIN}))
    assert canonical_json(found) == canonical_json(again)


@pytest.mark.parametrize(
    "place",
    [
        ImageLocation(image="a"),
        ArchiveLocation(archive="app.jar"),
        UrlLocation(url="http://localhost/x"),
        NoLocation(reason="result without location"),
    ],
)
def test_what_is_not_code_says_so(place: Location) -> None:
    finding = make_finding(result=make_result(locations=(place,)))
    for files in (None, Files({})):
        (found,) = contexts([finding], files)
        assert found.status is ContextStatus.NOT_CODE
        assert found.reason and not found.path


def test_without_source_every_context_says_why() -> None:
    (none,) = contexts([at("a.py", 1)], None)
    gone, binary = contexts([at("../a.py", 1), at("binary.bin", 1)], Files({"a.py": "x"}))
    assert {c.status for c in (none, gone, binary)} == {ContextStatus.NO_SOURCE}
    assert len({c.reason for c in (none, gone, binary)}) == 3
    assert contexts([], None) == []


def test_moved_text_is_found_again() -> None:
    text = "\n" * 10 + "def f():\n    return eval(request.args)\n"
    found = one("a.py", text, 2, 2, snippet="return  eval(request.args)")
    assert (found.status, found.start_line) == (ContextStatus.RELOCATED, 12)
    assert "line 12, not 2" in found.reason
    assert found.function and found.function.name == "f"


def test_the_nearest_place_counts_and_equally_near_ones_do_not() -> None:
    text = "evaluate(input)\na\nb\nc\nevaluate(input)\nd\ne\nf\ng\nh\nevaluate(input)\n"
    near = one("a.py", text, 6, 6, snippet="evaluate(input)")
    assert (near.status, near.start_line) == (ContextStatus.RELOCATED, 5)
    tie = one("a.py", text, 3, 3, snippet="evaluate(input)")
    assert tie.status is ContextStatus.NOT_FOUND
    assert "1 and 5" in tie.reason and not tie.snippet


def test_text_that_is_gone_or_says_nothing_is_not_found() -> None:
    gone = one("a.py", "a = 1\nb = 2\n", 1, 1, snippet="subprocess.run(command, shell=True)")
    short = one("a.py", "a = 1\nb = 2\n", 1, 1, snippet="x = 9")
    assert gone.status is short.status is ContextStatus.NOT_FOUND
    assert gone.reason != short.reason
    assert (gone.start_line, gone.snippet, gone.function) == (0, "", None)


@pytest.mark.parametrize(
    "snippet",
    ["call( first,\n\n  second )", "call(  first,", "[redacted]", "call([redacted],", "}"],
)
def test_white_space_and_redactions_do_not_matter(snippet: str) -> None:
    text = "a = 1\ncall( first,\n     second)\n".replace("( ", "(")
    assert one("a.py", text, 2, 3, snippet=snippet).status is ContextStatus.EXACT


def test_lines_that_do_not_exist() -> None:
    text = "a = 1\nb = 2\n"
    for start, end in ((3, 3), (9, 9), (1, 99)):
        found = one("a.py", text, start, end)
        assert found.status is ContextStatus.NOT_FOUND
        assert "2 lines" in found.reason
    assert one("a.py", text, 1, 3).end_line == 2
    assert one("a.py", text, 2, 1).start_line == 2
    for nowhere in (None, 0, -5):
        found = one("a.py", text, nowhere)
        assert (found.status, found.start_line, found.snippet) == (ContextStatus.EXACT, 0, "")
        assert found.reason
    assert one("a.py", "", 1).status is ContextStatus.NOT_FOUND
    assert one("a.py", "", None).status is ContextStatus.EXACT
    assert one("a.py", "# only\n\n\n", 2).status is ContextStatus.EXACT


def test_line_ends_marks_and_tabs() -> None:
    text = "\ufeff" + KOTLIN.replace("\n", "\r\n").replace("    ", "\t")
    found = one("a.kt", text, line_of(KOTLIN, "ext1"), snippet="        call.respond(ext1)")
    assert found.status is ContextStatus.EXACT
    assert found.function and found.function.name == "lockers"
    assert "\r" not in found.snippet + found.before + found.after
    assert found.imports[0] == "import io.ktor.server.routing.*"
    odd = one("a.py", "a = '\u2028'\nb = '\x0c'\nc = 3\n", 3)
    assert odd.snippet == "c = 3"


def test_a_broken_file_still_has_scopes() -> None:
    text = KOTLIN.replace("fun inner() {", "fun inner( {{ ]")
    found = one("a.kt", text, line_of(text, "ext1"))
    assert found.syntax_errors > 0
    assert found.function and found.function.name == "lockers"


def test_a_long_range_is_cut() -> None:
    text = "def f():\n" + "".join(f"    a{n} = {n}\n" for n in range(5000))
    (found,) = contexts([at("a.py", 1, 5001)], Files({"a.py": text}), context_lines=2, max_lines=10)
    assert (found.start_line, found.end_line) == (1, 10)
    assert found.after.count("\n") == 1
    (deep,) = contexts([at("a.py", 4000)], Files({"a.py": text}), context_lines=0)
    assert deep.function and deep.function.end_line == 5001
    assert (deep.before, deep.after, deep.snippet) == ("", "", "    a3998 = 3998")


def test_unknown_languages_have_lines_only() -> None:
    found = one("notes.txt", "one\ntwo\nthree\n", 2)
    assert (found.language, found.snippet, found.before) == ("", "two", "one")
    assert found.function is None


@pytest.mark.parametrize("path", ["a.py", "a.ts", "a.kt", "a.yaml", "a.json", "a.xml", "a.java"])
@pytest.mark.parametrize("piece", ["[", "(", "{\n", "- ", "<a>", '{"a":', "if x:\n ", '"${', "? "])
def test_deep_nesting_is_survived(path: str, piece: str) -> None:
    found = one(path, piece * 3000, 1)
    assert found.status is ContextStatus.EXACT
    assert len(found.snippet) < 60 * 600


def test_deep_yaml_does_not_take_the_process_down() -> None:
    """tree-sitter-yaml 0.7.2 crashes at 341 open blocks."""
    stairs = "".join(f"{' ' * depth}a:\n" for depth in range(2000))
    for text in (stairs, "- " * 2000 + "a\n", "? " * 2000 + "a\n", "-\t" * 2000 + "a\n"):
        found = one("a.yaml", text, 1)
        assert found.status is ContextStatus.EXACT
        assert found.function is None
    fine = "jobs:\n  a:\n    steps:\n" + "".join(f"      - run: x{n} - y\n" for n in range(2000))
    assert one("a.yaml", fine, 500).function is not None


def lockfile(path: str, text: str, line: int | None, name: str, version: str) -> CodeContext:
    ecosystem = "Maven" if ":" in name else "PyPI" if path.endswith(".txt") else "npm"
    package = make_package(ecosystem=ecosystem, name=name, version=version)
    place = LockfileLocation(path=path, start_line=line)
    finding = make_finding(
        category=Category.DEPENDENCY, result=make_result(locations=(place,), package=package)
    )
    return contexts([finding], Files({path: text}))[0]


GRADLE = "\n".join(
    f"io.netty:netty-{rest}=a" for rest in ("codec-http:4.1.0", "codec:4.1.01", "codec:4.1.0")
)
NPM = json.dumps(
    {
        "packages": {
            "": {"dependencies": {"qs": "6.5.2"}},
            "node_modules/body-parser": {"version": "1.0.0", "dependencies": {"qs": "6.5.2"}},
            "node_modules/body-parser/node_modules/qs": {"version": "6.7.0"},
            "node_modules/qs": {"version": "6.5.2"},
        }
    },
    indent=2,
)
POM = "<dependency>\n<groupId>g</groupId>\n<artifactId>core</artifactId>\n<version>1.2</version>\n"


@pytest.mark.parametrize(
    ("path", "text", "name", "version", "mark"),
    [
        ("gradle.lockfile", GRADLE, "io.netty:netty-codec", "4.1.0", "netty-codec:4.1.0="),
        ("requirements.txt", "A_b==1.0\nflask-cors==1.0\nFlask==1.0\n", "flask", "1.0", "Flask==1"),
        ("requirements.txt", "Jinja2==2.0\nruamel.yaml==1.0\n", "ruamel-yaml", "1.0", "ruamel"),
        ("package-lock.json", NPM, "qs", "6.7.0", "body-parser/node_modules/qs"),
        ("package-lock.json", NPM, "qs", "6.5.2", '"node_modules/qs"'),
        ("pom.xml", POM, "g:core", "1.2", "artifactId"),
    ],
)
def test_a_package_is_found_in_its_lockfile(
    path: str, text: str, name: str, version: str, mark: str
) -> None:
    found = lockfile(path, text, None, name, version)
    assert found.status is ContextStatus.EXACT
    start, end = found.start_line, found.end_line
    assert start <= line_of(text, mark) <= end
    wrong = lockfile(path, text, line_of(text, mark), name, version)
    assert wrong.status is ContextStatus.EXACT


def test_a_package_that_is_not_there_or_elsewhere() -> None:
    gone = lockfile("gradle.lockfile", GRADLE, None, "io.netty:netty-codec", "4.1.2")
    assert gone.status is ContextStatus.NOT_FOUND
    assert "io.netty:netty-codec 4.1.2" in gone.reason
    moved = lockfile("gradle.lockfile", "#\n" * 9 + GRADLE, 2, "io.netty:netty-codec", "4.1.0")
    assert (moved.status, moved.start_line) == (ContextStatus.RELOCATED, 12)


@pytest.mark.parametrize(
    ("path", "piece"),
    [("a.py", "[\n"), ("a.kt", '"${\n'), ("a.html", "<div>\n"), ("a.yaml", "{\n")],
)
def test_a_megabyte_of_open_brackets_is_not_parsed(path: str, piece: str) -> None:
    found = one(path, piece * (1_000_000 // len(piece)), 7)
    assert found.status is ContextStatus.EXACT
    assert (found.snippet, found.syntax_errors) == (piece.strip(), 0)


def test_small_dense_files_are_parsed() -> None:
    found = one("a.py", "def f():\n" + "    x = [1,2]\n" * 2000, 1900)
    assert found.function and found.function.name == "f"
