"""What is trained is what is asked: the same ids, ended as the template ends an answer."""

from copy import deepcopy
from typing import Any

import pytest

from secai_lib.core.errors import TrainingError, UsageError
from secai_lib.core.generation import Message
from secai_lib.core.settings import StageSettings
from secai_lib.core.training import ANSWER_PREFIX, TrainingExample
from secai_lib.gateways.llm.prompt import Prompter
from secai_lib.gateways.trainer.encode import encode_row, encode_rows, open_prompter
from tests.fakes.training_rows import make_training_row
from tests.gateways.llm.test_prompt import CHATML, HOSTILE

LONG = StageSettings(max_tokens=2000, label_weight=3.0)


def of_room(tokens: int) -> StageSettings:
    return StageSettings(max_tokens=tokens)


def with_answer(content: str) -> TrainingExample:
    row = make_training_row()
    answer = Message(role="assistant", content=content)
    return row.model_copy(update={"messages": (*row.messages[:-1], answer)})


@pytest.fixture
def chatml(prompter: Prompter) -> Prompter:
    tokenizer: Any = deepcopy(prompter.tokenizer)
    tokenizer.chat_template = CHATML
    return Prompter(tokenizer, 512)


def test_question_prefix_rest_and_end_stand_as_the_engine_puts_them(prompter: Prompter) -> None:
    row = make_training_row()
    made = encode_row(prompter, row, LONG)
    prefix = ANSWER_PREFIX[1]
    assert list(made.tokens[: made.answer_start]) == prompter.encode_chat(row.messages[:-1])
    answer = [
        *prompter.encode(prefix),
        *prompter.encode(row.response.removeprefix(prefix)),
        prompter.tokenizer.convert_tokens_to_ids("<|endoftext|>"),
    ]
    assert list(made.tokens[made.answer_start :]) == answer
    assert (made.id, made.weight) == (row.id, row.metadata.training_weight)


def test_the_labels_are_the_first_line_of_a_reading_and_an_edit_has_none(
    prompter: Prompter,
) -> None:
    line, prose = '{"category":"code","severity":"high"}\n', "Summary: a door without a lock"
    made = encode_row(prompter, with_answer(line + prose), LONG)
    said = made.tokens[made.answer_start : made.answer_start + made.labels]
    assert prompter.decode(said) == line
    assert made.label_weight == 3.0
    weights = (3.0 * made.weight,) * made.labels
    assert made.target_weights == weights + (made.weight,) * (made.targets - made.labels)
    alone = encode_row(prompter, with_answer(line.strip()), LONG)
    assert alone.labels == alone.targets - 1, "the end is none"
    edit = make_training_row(stage=2, response="<<<\na\n===\nb\n>>>")
    assert encode_row(prompter, edit, LONG).labels == 0


def test_the_rest_never_grows_together_with_the_prefix_the_engine_gives(
    prompter: Prompter,
) -> None:
    """This tokenizer has a token that reaches over the end of the prefix."""
    prefix, rest = ANSWER_PREFIX[1], ',"severity":"high"}'
    made = encode_row(prompter, with_answer(prefix + rest), LONG)
    apart = [*prompter.encode(prefix), *prompter.encode(rest)]
    assert apart != prompter.encode(prefix + rest)
    assert list(made.tokens[made.answer_start : -1]) == apart


def test_the_end_is_what_the_template_puts_there(chatml: Prompter) -> None:
    end = encode_row(chatml, make_training_row(), LONG).tokens[-1]
    assert chatml.tokenizer.convert_ids_to_tokens(end) == "<|im_end|>"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_control_token_comes_from_an_answer(chatml: Prompter, hostile: str) -> None:
    row = with_answer(f"{ANSWER_PREFIX[1]}{hostile}{hostile}")
    made = encode_row(chatml, row, LONG)
    special = set(chatml.tokenizer.all_special_ids)
    assert not special & set(made.tokens[made.answer_start : -1])
    assert made.tokens[-1] in special


def test_a_longer_row_is_named_and_never_cut(prompter: Prompter) -> None:
    short, long = make_training_row(), make_training_row(response='{"category":"' + "x" * 300)
    room = len(encode_row(prompter, short, LONG).tokens)
    made = encode_rows(prompter, [long, short], of_room(room))
    assert ([row.id for row in made.rows], made.too_long) == ([short.id], (long.id,))
    assert len(encode_row(prompter, long, of_room(room)).tokens) > room


def test_a_question_that_leaves_no_room_is_refused_by_its_id(prompter: Prompter) -> None:
    row = make_training_row()
    room = encode_row(prompter, row, LONG).answer_start
    with pytest.raises(TrainingError, match=row.id):
        encode_row(prompter, row, of_room(room))
    assert encode_row(prompter, row, of_room(room + 1)).answer_start == room


def test_an_answer_that_no_engine_could_give_is_refused(prompter: Prompter) -> None:
    with pytest.raises(TrainingError, match="stage1_dataset"):
        encode_row(prompter, with_answer("Severity: high"), LONG)
    with pytest.raises(UsageError):
        prompter.encode_answer("Severity: high", "{")


def test_the_prompter_of_a_folder_is_that_of_its_engine(prompter: Prompter, tiny_olmo: Any) -> None:
    opened = open_prompter(tiny_olmo)
    assert opened.vocabulary == prompter.vocabulary
    row = make_training_row()
    assert encode_row(opened, row, LONG) == encode_row(prompter, row, LONG)
