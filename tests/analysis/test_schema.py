"""The schema lets plain sentences through, and no identifier of any kind."""

import json

import pytest

from secai_lib.analysis.schema import (
    answer_schema,
    breaks_schema,
    decoding_for,
    reading_fits,
    reading_of,
    vectors_for,
    whole,
    words_for,
)
from tests.analysis.samples import ANSWER

IDENTIFIERS = (
    *("CVE-2024-1234", "GHSA-aaaa-bbbb-cccc", "version 4.17.21", "v2", "https://evil.example"),
    *("src/main.py", "evil.example", "a@evil.example", "group:artifact", "snake_case", "CamelCase"),
    *("`code`", "<b>bold</b>", "[link](x)", "line\nbreak", "tab\t", "größer", "СVE", "\u200b"),
)


@pytest.mark.parametrize("name", IDENTIFIERS)
@pytest.mark.parametrize("key", ["cause", "remedy"])
def test_no_identifier_fits_into_a_sentence(name: str, key: str) -> None:
    changed = {**ANSWER, key: f"{ANSWER[key]}".rstrip(".") + f" {name}"}

    assert breaks_schema(changed, 400)


def test_a_plain_answer_fits_and_is_read() -> None:
    assert breaks_schema(ANSWER, 96) == ""
    reading = reading_of(dict(ANSWER))
    assert reading.classification == "excessive_privileges"
    assert reading.attack_vectors == ("By sending a hostile change.",)
    assert reading_fits(reading, 96)


@pytest.mark.parametrize(
    "changed",
    [
        {"severity": "unknown"},
        {"type": "bad luck"},
        {"attacks": []},
        {"more": "keys"},
        {"cause": "The " + "very " * 40 + "long"},
        {"impact": "It is bad for everyone"},
    ],
)
def test_other_answers_break_it(changed: dict[str, object]) -> None:
    assert breaks_schema({**ANSWER, **changed}, 96)
    assert breaks_schema({k: v for k, v in ANSWER.items() if k != "impact"}, 96) == "required"
    assert breaks_schema(["no object"], 96)


def test_room_grows_with_the_answer() -> None:
    assert words_for(48) < words_for(96) < words_for(400)
    assert (vectors_for(96), vectors_for(400)) == (1, 3)
    assert decoding_for(96).max_tokens == 96


def test_the_model_writes_the_keys_in_our_order() -> None:
    schema = json.loads(decoding_for(96).json_schema)
    assert list(schema["properties"]) == list(ANSWER)
    assert schema == answer_schema(96)


def test_llguidance_holds_an_answer_to_it() -> None:
    from llguidance import LLMatcher

    grammar = LLMatcher.grammar_from_json_schema(decoding_for(96).json_schema)
    assert LLMatcher.validate_grammar(grammar) == ""


@pytest.mark.parametrize(
    ("cut", "shown"),
    [
        ("The token may write to the", "The token may write."),
        ("The token may write.", "The token may write."),
        ("The token, and", "The token."),
        ("the", "The."),
    ],
)
def test_a_cut_sentence_loses_the_words_that_lead_nowhere(cut: str, shown: str) -> None:
    assert whole(cut) == shown
