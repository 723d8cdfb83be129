"""Hidden characters become visible, words and counts read well."""

import pytest

from secai_lib.core.text import listed, one_line, plural, spaced, visible


@pytest.mark.parametrize(
    "char", ["\x00", "\x1b", "\x7f", "\x85", "\u200b", "\u200f", "\u202e", "\u2066", "\ufeff"]
)
def test_hidden_characters_are_named(char: str) -> None:
    assert visible(f"a{char}b") == f"a⟨U+{ord(char):04X}⟩b"


def test_other_scripts_and_pictures_stay() -> None:
    assert visible("größer 日本語 🚀") == "größer 日本語 🚀"


def test_kept_characters_stay() -> None:
    assert visible("a\n\tb\r", keep="\n\t") == "a\n\tb⟨U+000D⟩"


def test_one_line_is_one_line_within_its_limit() -> None:
    assert one_line("a\r\n\t b\u2028c") == "a b c"
    assert len(one_line("x" * 10**6, 50)) == 50
    assert len(one_line("\u202e" * 10**5, 50)) == 50


def test_words() -> None:
    assert plural(1, "fix", "fixes") == "1 fix"
    assert plural(1200, "fix", "fixes") == "1,200 fixes"
    assert [listed(x) for x in ((), "a", "ab", "abc")] == ["", "a", "a and b", "a, b and c"]
    assert spaced("workflow-permissions_x") == "Workflow permissions x"
