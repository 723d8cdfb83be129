"""The shared part of the engines, with a network whose logits are written down."""

from collections.abc import Sequence

import numpy as np
import pytest

from secai_lib.core.errors import Terminal, UsageError
from secai_lib.core.generation import Decoding, Finish, Message
from secai_lib.gateways.llm.local import LocalEngine, Logits
from secai_lib.gateways.llm.prompt import Prompter

VOCABULARY = 512
CHAT = (Message(role="user", content="?"),)


class Script:
    """Says `tokens[n]` at its step n in every row, as far as there is something to say."""

    def __init__(self, prompter: Prompter, tokens: Sequence[int]) -> None:
        self.tokenizer, self.vocabulary, self.end_ids = prompter.tokenizer, VOCABULARY, [7]
        self.context = 100
        self.tokens, self.at, self.rows = list(tokens), -1, 0
        self.kept: list[list[int]] = []

    def start(self, prompts: Sequence[Sequence[int]]) -> Logits:
        self.at, self.rows = -1, len(prompts)
        return self.step([0] * self.rows)

    def step(self, tokens: Sequence[int]) -> Logits:
        assert len(tokens) == self.rows
        self.at += 1
        logits = np.zeros((self.rows, VOCABULARY), np.float32)
        logits[:, self.tokens[self.at]] = 1
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        self.kept.append(list(rows))
        self.rows = len(rows)


def answer(prompter: Prompter, tokens: Sequence[int], limit: int = 5) -> tuple[str, Finish]:
    engine = LocalEngine("torch", "script", Script(prompter, tokens), 2)
    (done,) = engine.generate([CHAT], Decoding(max_tokens=limit))
    return done.text, done.finish


def test_the_end_token_ends_and_is_no_text(prompter: Prompter) -> None:
    letters = prompter.encode("abc")
    assert answer(prompter, [*letters, 0]) == ("abc", Finish.STOP)
    assert answer(prompter, [*letters, 7]) == ("abc", Finish.STOP), "of the configuration"


def test_another_control_token_ends_too(prompter: Prompter) -> None:
    (opening,) = prompter.encode("<|im_start|>")
    assert answer(prompter, [*prompter.encode("abc"), opening]) == ("abc", Finish.STOP)


def test_rows_without_a_word_are_never_chosen(prompter: Prompter) -> None:
    text, finish = answer(prompter, [450] * 5)
    assert finish is Finish.STOP  # word 0 wins among the equal rest, and it is the end
    assert text == ""


def test_half_a_character_at_the_cut_is_left_out(prompter: Prompter) -> None:
    euro = prompter.encode("€")
    assert len(euro) == 3
    assert answer(prompter, [*prompter.encode("a"), *euro], limit=3) == ("a", Finish.LENGTH)


def test_damaged_weights_are_an_error(prompter: Prompter) -> None:
    class Broken(Script):
        def step(self, tokens: Sequence[int]) -> Logits:
            return np.full((self.rows, VOCABULARY), np.nan, np.float32)

    engine = LocalEngine("torch", "script", Broken(prompter, []), 2)
    with pytest.raises(Terminal, match="damaged"):
        engine.generate([CHAT], Decoding(max_tokens=5))


@pytest.mark.parametrize("schema", ["{", '{"type":"no such type"}', '{"$ref":"#/nowhere"}'])
def test_a_schema_that_cannot_be_held_is_an_error(prompter: Prompter, schema: str) -> None:
    engine = LocalEngine("torch", "script", Script(prompter, []), 2)
    with pytest.raises(UsageError, match="JSON Schema"):
        engine.generate([CHAT], Decoding(max_tokens=5, json_schema=schema))


def test_a_chat_longer_than_the_model_can_read_is_refused(prompter: Prompter) -> None:
    engine = LocalEngine("torch", "script", Script(prompter, [0]), 2)
    with pytest.raises(UsageError, match="100 tokens this model can read"):
        engine.generate([(Message(role="user", content="word " * 80),)], Decoding(max_tokens=5))


def test_a_schema_with_one_answer_is_that_answer(prompter: Prompter) -> None:
    engine = LocalEngine("torch", "script", Script(prompter, [0] * 9), 2)
    (done,) = engine.generate([CHAT], Decoding(max_tokens=9, json_schema='{"const":[1,"a"]}'))
    assert (done.text, done.finish) == ('[1,"a"]', Finish.STOP)
