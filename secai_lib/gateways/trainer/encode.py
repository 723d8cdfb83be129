"""Rows of a data set as the token ids a model is trained on: exactly what it is asked later."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from secai_lib.core.adapter import EncodedRow
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import StageSettings
from secai_lib.core.training import ANSWER_END, ANSWER_PREFIX, TrainingExample
from secai_lib.gateways.llm.local import AS_IT_LIES, loading_errors
from secai_lib.gateways.llm.prompt import Prompter


class Encoded(NamedTuple):
    """A data set as token ids."""

    rows: tuple[EncodedRow, ...]
    """Those that fit, in the order of the data set."""
    too_long: tuple[str, ...]
    """Ids of the rows that are longer; a row is never cut, because its end is the answer."""


def open_prompter(folder: Path) -> Prompter:
    """The prompter of the model in `folder`; its weights are not read.

    Raises:
        UsageError: the model cannot chat.
        ModelError: a file is missing or damaged.
    """
    from transformers import AutoTokenizer

    with loading_errors():
        vocabulary = int(json.loads((folder / "config.json").read_bytes())["vocab_size"])
        tokenizer = AutoTokenizer.from_pretrained(folder, **AS_IT_LIES)
    return Prompter(tokenizer, vocabulary)


def encode_rows(
    prompter: Prompter, rows: Sequence[TrainingExample], settings: StageSettings
) -> Encoded:
    """`rows` as token ids; those longer than `settings.max_tokens` are named and left out.

    Raises:
        TrainingError: as `encode_row`.
    """
    most = settings.max_tokens
    made = [encode_row(prompter, row, settings) for row in rows]
    return Encoded(
        rows=tuple(row for row in made if len(row.tokens) <= most),
        too_long=tuple(row.id for row in made if len(row.tokens) > most),
    )


def encode_row(prompter: Prompter, row: TrainingExample, settings: StageSettings) -> EncodedRow:
    """`row` as token ids, whole even where it is longer than `settings.max_tokens`.

    The first line of an answer of Stage 1 says its labels; an edit has none.

    Raises:
        TrainingError: the row is no question and answer of its stage, or its question alone takes
            `max_tokens`: nothing of the answer could be learnt.
    """
    *asked, answer = row.messages
    prefix = ANSWER_PREFIX[row.stage]
    if answer.role != "assistant" or not answer.content.startswith(prefix):
        raise TrainingError(
            f"row {row.id} does not end with an answer of stage {row.stage}; build the data set "
            f"stage{row.stage}_dataset again"
        )
    question, most = prompter.encode_chat(tuple(asked)), settings.max_tokens
    if len(question) >= most:
        raise TrainingError(
            f"the question of row {row.id} takes {len(question)} of {most} tokens and leaves "
            f"none for its answer; raise stage{row.stage}.max_tokens"
        )
    labels = 0
    if row.stage == 1:
        line, end, _ = answer.content.partition(ANSWER_END[1])
        labels = len(prompter.encode_answer(line + end, prefix)) - 1
    return EncodedRow(
        id=row.id,
        tokens=(*question, *prompter.encode_answer(answer.content, prefix)),
        answer_start=len(question),
        weight=row.metadata.training_weight,
        labels=labels,
        label_weight=settings.label_weight,
    )
