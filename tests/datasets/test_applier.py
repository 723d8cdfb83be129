"""Answers of models, good and bad, put into files."""

import time

import pytest

from secai_lib.datasets.answer_format import AnswerRefused, Block, parse
from secai_lib.datasets.applier import apply_answer
from secai_lib.datasets.blocks import block_for
from secai_lib.datasets.windows import Window, changed_lines, cut_window

SHA = "11d5960a326750d5838078e36cf38b85af677262"
WORKFLOW = f"""\
name: ci
on: push

jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - name: Check out
        uses: actions/checkout@{SHA} # v4.4.0

      - name: Test
        run: make test
      - name: Again
        run: make test
"""


def window(text: str = WORKFLOW, first: int = 7, last: int = 9, limit: int = 6) -> Window:
    return cut_window(text, "ci.yml", first, last, limit=limit)


def test_an_exact_answer_changes_only_its_lines() -> None:
    answer = (
        "<<<\n  uses: actions/checkout@<HASH1> # <TAG1>\n===\n"
        "  uses: actions/checkout@<HASH1> # <TAG1>\n  with:\n    persist-credentials: false\n>>>"
    )
    assert apply_answer(WORKFLOW, window(), answer) == WORKFLOW.replace(
        "# v4.4.0\n", "# v4.4.0\n        with:\n          persist-credentials: false\n"
    )


@pytest.mark.parametrize(
    "answer",
    [
        "<<<\n- name: Test\n===\n- name: All tests\n",  # generation stopped at the last mark
        "<<<\n- name: Test\n===\n- name: All tests",
        "```yaml\n<<<\n- name: Test\n===\n- name: All tests\n```",
        "Here it is:\n<<<\n```\n- name: Test\n```\n===\n```\n- name: All tests\n```\n>>>\nDone.",
        " <<< \n- name: Test\n ====\n- name: All tests\n >>> ",
        "- name: Test\n===\n- name: All tests\n>>>",
        "<<<\r\n- name: Test\r\n===\r\n- name: All tests\r\n>>>",
        "<<<\n      -  name:  Test\n===\n      - name: All tests\n>>>",  # not dedented
    ],
)
def test_a_careless_form_is_overlooked(answer: str) -> None:
    fixed = apply_answer(WORKFLOW, window(first=10, last=12), answer)
    assert fixed == WORKFLOW.replace("- name: Test", "- name: All tests")


def test_new_lines_take_the_indentation_of_their_place() -> None:
    """All lines flat, the blank line forgotten: what a small model does."""
    answer = (
        "<<<\n- name: Check out\nuses: actions/checkout@<HASH1> # <TAG1>\n- name: Test\n===\n"
        "- name: Check out\nuses: actions/checkout@<HASH1> # <TAG1>\n"
        "with:\n  persist-credentials: false\n- name: Test\n>>>"
    )
    fixed = apply_answer(WORKFLOW, window(last=12), answer)
    assert fixed == WORKFLOW.replace(
        "# v4.4.0\n", "# v4.4.0\n        with:\n          persist-credentials: false\n"
    )


def test_a_word_copied_badly_is_forgiven_and_kept_lines_stay_as_they_were() -> None:
    answer = (
        "<<<\n- name: Check oot\n  uses: actions/checkout@<HASH1> # <TAG1>\n===\n"
        "- name: Check oot\n  uses: actions/checkout@<HASH1> # <TAG1>\n  env: {}\n>>>"
    )
    fixed = apply_answer(WORKFLOW, window(), answer)
    assert fixed == WORKFLOW.replace("# v4.4.0\n", "# v4.4.0\n        env: {}\n")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("", "no_block"),
        ("I cannot fix this.", "no_block"),
        ("<<<\n===\nevil\n>>>", "empty"),
        ("<<<\n- name: Test\n===\n- name: Test\n>>>", "no_change"),
        ("<<<\n- name: Test\n>>>\n<<<\n- name: Test\n===\nx\n>>>", "several_blocks"),
        ("<<<\na\n===\nb\n===\nc\n>>>", "no_block"),
        ("<<<\n  run: make test\n===\n  run: make\n>>>", "ambiguous"),
        ("<<<\n  run: rm -rf /\n===\n  run: make\n>>>", "no_match"),
        ("<<<\non: push\n===\non: pull_request\n>>>", "no_match"),  # outside of the window
        ("<<<\n- name: Test\n===\n- uses: a/b@<HASH7>\n>>>", "unknown_placeholder"),
        ("<<<\n" + "x\n" * 200 + "===\ny\n>>>", "too_long"),
        ("<" * 30_000, "too_long"),
    ],
)
def test_what_would_be_a_guess_is_refused(answer: str, code: str) -> None:
    with pytest.raises(AnswerRefused) as refused:
        apply_answer(WORKFLOW, window(first=7, last=14, limit=7), answer)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("lines", "old", "code"),
    [
        (("registry.example/server-a", "registry.example/server-b"), "server-c", "ambiguous"),
        (("registry.example/server:1", "other"), "server:3", "no_match"),  # another version
    ],
)
def test_what_only_looks_like_a_place_is_none(lines: tuple[str, str], old: str, code: str) -> None:
    text = "".join(f"image: {line}\n" for line in lines)
    here = cut_window(text, "x.yml", 0, 2, limit=5)
    with pytest.raises(AnswerRefused) as refused:
        apply_answer(text, here, f"<<<\nimage: registry.example/{old}\n===\nimage: evil\n>>>")
    assert refused.value.code == code


def test_another_text_than_the_windows_is_refused() -> None:
    with pytest.raises(AnswerRefused) as refused:
        apply_answer("# new\n" + WORKFLOW, window(), "<<<\n- name: Test\n===\nx\n>>>")
    assert refused.value.code == "stale"


def test_hostile_answers_cost_little_time() -> None:
    here = window(limit=12)
    worst = [
        "<<<\n" + "a\n" * 60 + "===\n" + "b\na\n" * 50 + ">>>",
        "<<<\n" + " " * 9_000 + "x" + " " * 9_000 + "\n===\nb\n>>>",
        "<<<\n" + "-<HASH1>" * 2_000 + "\n===\nb\n>>>",
        "`" * 19_000,
    ]
    start = time.perf_counter()
    for answer in worst:
        with pytest.raises(AnswerRefused):
            apply_answer(WORKFLOW, here, answer)
    assert time.perf_counter() - start < 1


def test_a_deletion_at_the_end_of_a_file_leaves_no_line_behind() -> None:
    text = "a: 1\nb: 2"
    here = cut_window(text, "x.yml", 0, 2, limit=5)
    assert apply_answer(text, here, "<<<\nb: 2\n===\n>>>") == "a: 1"
    assert apply_answer(text, here, "<<<\na: 1\nb: 2\n===\n>>>") == ""


def test_a_block_is_read_as_it_is_written() -> None:
    for block in (
        Block(old=("a",), new=()),
        Block(old=("a", "", "  b  "), new=("",)),
        Block(old=("a",), new=("", "b", "")),
    ):
        assert parse(block.text) == block


def test_the_smallest_block_that_stands_once_is_taken() -> None:
    fixed = WORKFLOW[::-1].replace("run: make test"[::-1], "run: make all"[::-1], 1)[::-1]
    first, last = changed_lines(WORKFLOW, fixed)
    here = cut_window(WORKFLOW, "ci.yml", first, last, limit=8)
    block = block_for(here, WORKFLOW, fixed)
    assert block.old == ("  - name: Again", "    run: make test")
    assert apply_answer(WORKFLOW, here, block.text) == fixed
