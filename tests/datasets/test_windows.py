"""Windows hold the change, show no secret and no hash, and every answer leads back exactly."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secai_lib.datasets.answer_format import AnswerRefused, Block
from secai_lib.datasets.applier import apply_answer
from secai_lib.datasets.blocks import block_for
from secai_lib.datasets.placeholders import hashes, masked, placeholders_of, restored
from secai_lib.datasets.windows import NoWindow, changed_lines, cut_window

SHA = "11d5960a326750d5838078e36cf38b85af677262"
DIGEST = "sha256:" + "0a" * 32
INTEGRITY = "sha512-" + "aB3+" * 21 + "=="
REFUSALS = {"empty", "outdented", "outside", "not_exact", "unknown_hash", "mixed_line_ends"}
TEXT = "".join(f"  line {number}\n" for number in range(40))

words = st.sampled_from(
    ["a: 1", "b:", "- c", f"uses: x/y@{SHA} # v1.2.3", "<HASH1>", "run: |", "é", "x === y", "", " "]
)
lines = st.builds(lambda indent, word: " " * indent + word, st.integers(0, 4), words)
texts = st.builds(
    lambda found, end, last: end.join(found) + (end if last else ""),
    st.lists(lines, min_size=1, max_size=30),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)


@given(texts, st.data())
def test_every_answer_that_is_given_leads_to_the_fixed_text_byte_for_byte(
    text: str, data: st.DataObject
) -> None:
    end = "\r\n" if "\r\n" in text else "\n"
    old = text.split(end)
    first = data.draw(st.integers(0, len(old)))
    last = data.draw(st.integers(first, min(first + 5, len(old))))
    put = data.draw(st.lists(lines, max_size=4))
    fixed = end.join([*old[:first], *put, *old[last:]])
    try:
        window = cut_window(text, "f", *changed_lines(text, fixed), limit=12)
        block = block_for(window, text, fixed)
    except NoWindow as no:
        assert no.code in REFUSALS
        return
    found = sum(window.lines[i : i + len(block.old)] == block.old for i in range(len(window.lines)))
    assert found == 1
    assert len(window.lines) <= 12
    assert apply_answer(text, window, block.text) == fixed


@given(st.text(max_size=200), texts)
def test_no_answer_changes_anything_outside_of_the_window(answer: str, text: str) -> None:
    try:
        window = cut_window(text, "f", 0, 0, limit=5)
    except NoWindow:
        return
    for said in (answer, Block(old=window.lines[:1], new=(answer,)).text):
        try:
            changed = apply_answer(text, window, said)
        except AnswerRefused:
            continue
        assert changed.endswith(text[window.end :].removeprefix(window.newline))


def test_the_window_holds_the_change_with_as_much_above_as_below() -> None:
    window = cut_window(TEXT, "f", 20, 22, limit=10)
    assert window.lines == tuple(f"line {number}" for number in range(16, 26))
    assert window.indent == "  "
    assert TEXT[window.start : window.end].split("\n")[0] == "  line 16"


def test_at_the_ends_of_a_file_the_other_side_gets_the_rest() -> None:
    assert cut_window(TEXT, "f", 0, 0, limit=10).lines[-1] == "line 9"
    assert cut_window(TEXT, "f", 40, 40, limit=10).lines[0] == "line 30"


def test_no_secret_is_shown() -> None:
    window = cut_window(TEXT, "f", 20, 21, limit=20, hidden={18, 23})
    assert window.lines == tuple(f"line {number}" for number in range(19, 23))
    with pytest.raises(NoWindow) as no:
        cut_window(TEXT, "f", 20, 21, limit=20, hidden={20})
    assert no.value.code == "secret"


@pytest.mark.parametrize(
    ("text", "first", "last", "code"),
    [
        (TEXT, 0, 30, "too_far_apart"),
        ("a\r\nb\n", 0, 1, "mixed_line_ends"),
        ("a\rb\n", 0, 1, "mixed_line_ends"),
        ("\n\n\n", 0, 1, "empty"),
        ("x" * 500 + "\n", 0, 1, "long_line"),
        ("a\x1b[31mred\n", 0, 1, "control_characters"),
    ],
)
def test_what_cannot_be_shown_is_refused(text: str, first: int, last: int, code: str) -> None:
    with pytest.raises(NoWindow) as no:
        cut_window(text, "f", first, last, limit=20)
    assert no.value.code == code


@pytest.mark.parametrize(
    ("text", "fixed", "code"),
    [
        (TEXT, TEXT.replace("  line 3\n", "line 3\n"), "outdented"),
        (TEXT, TEXT.replace("line 3\n", f"line {SHA}\n"), "unknown_hash"),
        (TEXT, TEXT.replace("  line 3\n", "  line 3\n  ===\n"), "marker"),
        (TEXT, TEXT.replace("line 3\n", "cat <<X >>>y\n"), "marker"),
        (TEXT, TEXT.replace("line 3\n", "l\n").replace("line 39\n", "l\n"), "outside"),
    ],
)
def test_what_no_block_can_say_is_refused(text: str, fixed: str, code: str) -> None:
    window = cut_window(text, "f", 2, 4, limit=10)
    with pytest.raises(NoWindow) as no:
        block_for(window, text, fixed)
    assert no.value.code == code


def test_hashes_are_known_by_their_shape() -> None:
    text = f"uses: a/b@{SHA} # v1.2.3\nimage: x@{DIGEST}\nintegrity {INTEGRITY}\nagain {SHA}"
    found = placeholders_of(text)
    assert list(found) == ["<HASH1>", "<TAG1>", "<HASH2>", "<HASH3>"]
    shown = masked(text, found)
    assert shown == (
        "uses: a/b@<HASH1> # <TAG1>\nimage: x@<HASH2>\nintegrity sha512-<HASH3>\nagain <HASH1>"
    )
    assert restored(shown, found) == text
    assert hashes(shown) == ()


def test_words_paths_and_literal_placeholders_are_no_hashes() -> None:
    text = f"{'a' * 70}\n{'src/main/kotlin/' * 5}\n{'f' * 41}\n<HASH1> {SHA}"
    found = placeholders_of(text)
    assert found == {"<HASH2>": SHA}
    assert restored(masked(text, found), found) == text


def test_a_table_may_know_hashes_that_the_text_does_not_hold() -> None:
    text = "steps:\n  - uses: actions/checkout@v4\n"
    window = cut_window(text, "f", 1, 2, limit=5, known={"actions/checkout v4.4.0": SHA})
    assert window.known == {"actions/checkout v4.4.0": "<HASH1>"}
    fixed = text.replace("@v4", f"@{SHA} # v4.4.0")
    block = block_for(window, text, fixed)
    assert block.new == ("  - uses: actions/checkout@<HASH1> # v4.4.0",)
    assert apply_answer(text, window, block.text) == fixed
