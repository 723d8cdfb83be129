"""The schema lets plain sentences through, and no identifier of any kind."""

import json

import jsonschema
import pytest

from secai_lib.analysis.schema import (
    SENTENCES,
    answer_of,
    answer_schema,
    decoding_for,
    fits_schema,
    reading_fits,
    reading_of,
    whole,
    words_for,
)
from tests.analysis.samples import ANSWER, answer_text

IMPACT, REMEDY = SENTENCES[0], SENTENCES[4]
IDENTIFIERS = (
    *("CVE-2024-1234", "GHSA-aaaa-bbbb-cccc", "version 4.17.21", "v2", "https://evil.example"),
    *("src/main.py", "evil.example", "a@evil.example", "group:artifact", "snake_case", "CamelCase"),
    *("`code`", "<b>bold</b>", "[link](x)", "line\nbreak", "tab\t", "größer", "СVE", "\u200b"),
    *("LINQ", "Linq", "I"),
)


@pytest.mark.parametrize("name", IDENTIFIERS)
@pytest.mark.parametrize("key", ["cause", "remedy"])
def test_no_identifier_fits_into_a_sentence(name: str, key: str) -> None:
    changed = answer_text(**{key: f"{ANSWER[key].rstrip('.')} {name}."})

    assert not fits_schema(changed, 400)


def test_a_plain_answer_fits_and_is_read() -> None:
    assert fits_schema(answer_text(), 96)
    jsonschema.validate(answer_text(), answer_schema(96))
    reading = reading_of(answer_text(), 96)
    assert reading.classification == "excessive_privileges"
    assert reading.severity == "high"
    assert reading.attack_vectors == ("It can be attacked by sending a hostile change.",)
    assert reading_fits(reading, 96)
    assert answer_of(reading) == answer_text()


@pytest.mark.parametrize(
    "changed",
    [
        {"severity": "The severity is unknown."},
        {"type": "This is bad luck."},
        {"attacks": ""},
        {"severity": "The severity is high. More."},
        {"cause": "This happens because " + "very " * 40 + "long."},
        {"impact": "It is bad for everyone."},
        {"impact": "An attacker could."},
    ],
)
def test_other_answers_break_it(changed: dict[str, str]) -> None:
    assert not fits_schema(answer_text(**changed), 96)
    assert not fits_schema([answer_text()], 96)


def test_room_grows_with_the_answer() -> None:
    for sentence in SENTENCES:
        assert words_for(sentence, 48) < words_for(sentence, 400)
    assert words_for(IMPACT, 48) < words_for(IMPACT, 96) < words_for(IMPACT, 400)
    assert decoding_for(96).max_tokens == 96


def test_a_reading_with_a_part_nobody_wrote_does_not_fit() -> None:
    reading = reading_of(answer_text(), 96)
    assert not reading_fits(reading.model_copy(update={"attack_vectors": ()}), 96)
    assert not reading_fits(reading.model_copy(update={"impact": "It is bad."}), 96)


def test_llguidance_holds_an_answer_to_it() -> None:
    from llguidance import LLMatcher

    assert json.loads(decoding_for(96).json_schema) == answer_schema(96)
    for tokens in (48, 96, 400):
        grammar = LLMatcher.grammar_from_json_schema(decoding_for(tokens).json_schema)
        assert LLMatcher.validate_grammar(grammar) == ""


@pytest.mark.parametrize(
    ("cut", "shown"),
    [
        ("limit what the token may write to the", "limit what the token may write."),
        ("limit the token", "limit the token."),
        ("limit the token, and", "limit the token."),
        ("use a tool that can be used to", "use a tool."),
        ("of the", "of the."),
    ],
)
def test_a_cut_sentence_loses_the_words_that_lead_nowhere(cut: str, shown: str) -> None:
    opening = REMEDY.opening
    assert whole(f"{opening} {cut}", REMEDY, 20) == f"{opening} {shown}"


def test_the_last_word_at_the_limit_goes_since_another_may_be_glued_to_it() -> None:
    text = f"{REMEDY.opening} keep the security of the package iscritical"
    assert whole(text, REMEDY, 7).endswith("should keep the security of the package.")
