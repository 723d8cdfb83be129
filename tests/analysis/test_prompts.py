"""The prompt holds the evidence as data, within its limit."""

import pytest

from secai_lib.analysis.prompts import BAR, chat_for, data
from secai_lib.core.analysis import Facts
from secai_lib.core.generation import Chat
from secai_lib.core.knowledge import Document, DocumentKind
from tests.analysis.samples import facts, words


def passage(text: str = "Pin it to a commit.") -> Document:
    return Document(
        id="d" * 16,
        kind=DocumentKind.FIX,
        group="g",
        repository="acme/shop",
        title="Unpinned action",
        text=text,
        keys=("unpinned-uses",),
        metadata={},
    )


def asked(given: Facts, *passages: Document, limit: int = 2000, complaint: str = "") -> str:
    return chat_for(given, passages, words, limit, complaint=complaint)[-1].content


def test_evidence_code_and_hint_stand_in_the_prompt_as_data() -> None:
    text = asked(facts(), passage())

    for shown in ("Overly broad permissions", "permissions: write-all", "Pin it to a commit."):
        assert f"{BAR}{shown}" in text
    for known in ("lodash 4.17.19", "CWE-250", "zizmor:excessive-permissions"):
        assert known in text
    assert text.index("write-all") < text.index("only a hint") < text.index("Pin it")


def test_the_severity_is_the_models_own_to_judge() -> None:
    assert "medium" not in asked(facts())


def test_without_a_passage_there_is_no_hint() -> None:
    assert "hint" not in asked(facts())


def test_a_complaint_is_the_last_word() -> None:
    assert asked(facts(), complaint="Write shorter.").endswith("\nWrite shorter.")


@pytest.mark.parametrize("place", ["message", "title", "code", "path", "rule", "help"])
@pytest.mark.parametrize("limit", [130, 200, 400])
def test_every_prompt_fits_whatever_is_long(place: str, limit: int) -> None:
    given = facts("word " * 3000, place=place)
    chat = chat_for(given, [passage("hint " * 3000)], words, limit, complaint="Write shorter.")

    assert words(chat) <= limit
    assert "Write shorter." in chat[-1].content


def test_the_least_important_goes_first() -> None:
    def count(chat: Chat) -> int:
        return len(chat[-1].content)

    given = facts("help " * 400, place="help").model_copy(update={"code": "line()\n" * 60})
    bare = given.model_copy(update={"help": ""})
    room = count(chat_for(bare, [passage()], count, 10**6))
    without_help = chat_for(given, [passage()], count, room)[-1].content
    short = chat_for(given, [passage()], count, 700)[-1].content

    assert "help" not in without_help
    assert without_help.count("line()") == 60
    assert 0 < short.count("line()") < 60
    assert "Overly broad permissions" in short


def test_data_is_barred_line_by_line_and_blank_lines_go() -> None:
    assert data("a\n\n  b\r\nc\u2028d") == "| a\n| b\n| c\n| d"
    assert data("") == "|"
