"""Hostile text in a comment stays text for a CommonMark parser with tables."""

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from secai_lib.core.markdown import block, code, inline, table
from tests.report.hostile import EVERYTHING, PAYLOADS

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")


def flat(text: str) -> list[Token]:
    tokens = PARSER.parse(text)
    return [t for token in tokens for t in (token, *(token.children or ()))]


@pytest.mark.parametrize("payload", [*PAYLOADS, EVERYTHING])
def test_inline_is_one_paragraph_of_text(payload: str) -> None:
    kinds = {token.type for token in flat(inline(payload, 2000))}

    assert kinds <= {"paragraph_open", "inline", "text", "text_special", "paragraph_close"}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_a_reader_sees_the_same_words(payload: str) -> None:
    (paragraph,) = [t for t in PARSER.parse(inline(payload, 2000)) if t.type == "inline"]
    shown = "".join(child.content for child in paragraph.children or ()).replace("\u200b", "")

    assert shown.split()[0][:3] == payload.split()[0].replace("\u202e", "⟨U+202E⟩")[:3]


@pytest.mark.parametrize(
    ("payload", "never"),
    [
        ("@octocat", "@o"),
        ("#12", "#1"),
        ("GH-12", "GH-1"),
        ("https://x.example", "://"),
        ("WWW.x.example", "WWW."),
        ("a@b.example", "@b"),
    ],
)
def test_nobody_is_mentioned_and_nothing_is_linked(payload: str, never: str) -> None:
    (paragraph,) = [t for t in PARSER.parse(inline(payload)) if t.type == "inline"]
    shown = "".join(child.content for child in paragraph.children or ())

    assert never not in shown
    assert shown.replace("\u200b", "") == payload


@pytest.mark.parametrize("payload", ["workflow 3.3.1", ".github/ci.yml:4", "a (b), c; d = 50%"])
def test_ordinary_text_is_readable_in_the_source(payload: str) -> None:
    assert inline(payload) == payload


def test_hidden_characters_are_seen() -> None:
    assert inline("a\u202eb\x00") == "a⟨U&#8203;+202E⟩b⟨U+0000⟩".replace("&#8203;", "")


@pytest.mark.parametrize("payload", [*PAYLOADS, EVERYTHING, "~~~\n````````\n```"])
def test_a_block_cannot_be_closed_from_inside(payload: str) -> None:
    tokens = PARSER.parse(f"{block(payload, 'diff')}\n\nafter")

    assert [t.type for t in tokens] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert tokens[2].content == "after"


@pytest.mark.parametrize("payload", [*PAYLOADS, EVERYTHING])
def test_a_row_keeps_its_columns(payload: str) -> None:
    tokens = PARSER.parse(table(("a", "b"), [(inline(payload), code(payload))]))

    assert sum(token.type == "td_open" for token in tokens) == 2
    assert sum(token.type == "tr_open" for token in tokens) == 2


def test_long_tables_say_how_much_is_missing() -> None:
    assert table(("a",), [("x",)] * 45).endswith("…and 5 more rows.")
