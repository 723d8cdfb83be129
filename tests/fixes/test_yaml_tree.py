"""YAML positions and edits: formatting survives, hostile text is refused."""

import pytest
from ruamel.yaml import YAML

from secai_lib.core.fix import Edit
from secai_lib.fixes.yaml_edit import (
    EditRefused,
    block_lines,
    flow_text,
    insert_item,
    insert_key,
    remove_key,
    set_scalar,
)
from secai_lib.fixes.yaml_tree import MAX_DEPTH, YamlRefused, YamlTree

TEXT = """\
# head
name: CI   # why

on: [push]

jobs:
  build:  # the job
    runs-on: ubuntu-latest
    steps:
      - uses: a/b@v1  # pinned later
      - name: x
        run: |
          echo one

          echo two

    # a comment that belongs to nobody
  empty:
  flow: {a: 1, b: [x, y],}
"""


def load(text: str) -> list[object]:
    return list(YAML(typ="safe", pure=True).load_all(text))


def applied(text: str, edit: Edit) -> str:
    return text[: edit.start] + edit.replacement + text[edit.end :]


def tree(text: str = TEXT) -> YamlTree:
    return YamlTree.parse("f.yml", text)


def test_on_stays_text_and_positions_are_exact() -> None:
    node = tree().at(("on",))
    assert node is not None and node.items[0].text == "push"
    step = tree().at(("jobs", "build", "steps", 1, "run"))
    assert step is not None
    assert TEXT[step.start : step.end].startswith("|\n") and TEXT[: step.end].endswith("echo two")


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (2, ("name",)),
        (7, ("jobs", "build")),
        (8, ("jobs", "build", "runs-on")),
        (10, ("jobs", "build", "steps", 0, "uses")),
        (13, ("jobs", "build", "steps", 1, "run")),
        (18, ("jobs", "empty")),
    ],
)
def test_path_at(line: int, path: tuple[str | int, ...]) -> None:
    assert tree().path_at(line) == (0, path)


def test_insert_after_keeps_blank_lines_and_comments() -> None:
    fixed = applied(TEXT, insert_key(tree(), (), "permissions", {"contents": "read"}, after="on"))
    assert "on: [push]\n\npermissions:\n  contents: read\n\njobs:" in fixed
    kept = [line for line in fixed.split("\n") if line in TEXT.split("\n")]
    assert kept == [*TEXT.split("\n")[:4], "", *TEXT.split("\n")[4:]]


def test_insert_before_first_key_of_an_item() -> None:
    path = ("jobs", "build", "steps", 1)
    fixed = applied(TEXT, insert_key(tree(), path, "id", "s", before="name"))
    assert "      - id: s\n        name: x\n" in fixed


def test_insert_into_flow_with_trailing_comma_and_into_null() -> None:
    fixed = applied(TEXT, insert_key(tree(), ("jobs", "flow"), "c", "on"))
    assert '{a: 1, b: [x, y], c: "on",}' in fixed
    fixed = applied(TEXT, insert_key(tree(), ("jobs", "empty"), "c", [1, {"d": True}]))
    assert "  empty:\n    c:\n      - 1\n      - d: true\n  flow" in fixed
    load(fixed)


def test_insert_last_goes_before_a_trailing_comment() -> None:
    fixed = applied(TEXT, insert_key(tree(), ("jobs", "build"), "timeout-minutes", 5))
    assert "echo two\n    timeout-minutes: 5\n\n    # a comment" in fixed


def test_insert_item() -> None:
    fixed = applied(TEXT, insert_item(tree(), ("jobs", "build", "steps"), {"run": "ls", "id": 1}))
    assert "          echo two\n      - run: ls\n        id: 1\n" in fixed
    fixed = applied(TEXT, insert_item(tree(), ("on",), "pull_request"))
    assert "on: [push, pull_request]" in fixed


def test_set_and_remove() -> None:
    fixed = applied(TEXT, set_scalar(tree(), ("name",), "yes"))
    assert 'name: "yes"   # why' in fixed
    fixed = applied(TEXT, set_scalar(tree(), ("jobs", "empty"), {}))
    assert "  empty: {}\n" in fixed
    fixed = applied(TEXT, remove_key(tree(), ("jobs", "build", "runs-on")))
    assert "  build:  # the job\n    steps:" in fixed
    fixed = applied(TEXT, remove_key(tree(), ("jobs", "build", "steps", 1, "name")))
    assert "      - run: |\n" in fixed
    for key in ("a", "b"):
        fixed = applied(TEXT, remove_key(tree(), ("jobs", "flow", key)))
        assert key not in load(fixed)[0]["jobs"]["flow"]  # type: ignore[index]


def test_crlf_and_open_end_and_bom() -> None:
    text = "\ufeffname: x\r\njobs: 1"
    fixed = applied(text, insert_key(tree(text), (), "permissions", {"a": "b"}))
    assert fixed == "\ufeffname: x\r\njobs: 1\r\npermissions:\r\n  a: b\r\n"


def test_several_documents() -> None:
    text = "a: 1\n---\n# nothing\n---\nb:\n  c: 2\n"
    assert tree(text).documents[1] is None
    assert tree(text).path_at(6) == (2, ("b", "c"))
    assert applied(text, set_scalar(tree(text), ("b", "c"), 3, document=2)).endswith("c: 3\n")


def test_aliases_are_not_edited() -> None:
    text = "a: &x {k: v}\nb: *x\nc: &y z\n"
    parsed = tree(text)
    with pytest.raises(EditRefused, match="alias"):
        insert_key(parsed, ("b",), "n", 1)
    with pytest.raises(EditRefused, match="anchor"):
        set_scalar(parsed, ("c",), "w")
    fixed = applied(text, insert_key(parsed, (), "d", 1, after="b"))
    assert fixed == "a: &x {k: v}\nb: *x\nd: 1\nc: &y z\n"


@pytest.mark.parametrize(
    "text",
    [
        "a: [" * (MAX_DEPTH + 5),
        "[" * 5000,
        "a: &a [*a]\n",
        "\n".join(["l0: &l0 [x]"] + [f"l{i}: &l{i} [{', '.join([f'*l{i-1}'] * 10)}]"
                                     for i in range(1, 9)]),
        "a: b: c",
        "\tx: 1",
        "a: \x00",
        "x" * 1_000_001,
    ],
    ids=["deep", "deeper", "cycle", "laughs", "broken", "tab", "nul", "large"],
)  # fmt: skip
def test_hostile_text_is_refused(text: str) -> None:
    with pytest.raises(YamlRefused):
        YamlTree.parse("f.yml", text)


@pytest.mark.parametrize(
    "value", ["yes", "1", "a: b", "x #y", "", "- a", "ok", "v1:2", "a:", "null", "0x1f", "${A}",
              "'", "\n", " a", "1e3", ".5", "a b", "{}", "@x", "!t", "*a", "&a", "%a", "é"],
)  # fmt: skip
def test_written_text_reads_back_the_same(value: str) -> None:
    for text in (f"a: {flow_text(value)}\n", "\n".join(block_lines({"a": value})) + "\n"):
        assert load(text) == [{"a": value}]
    assert load(f"{{a: {flow_text(value)}, {flow_text(value)}: 1}}") == [{"a": value, value: 1}]
