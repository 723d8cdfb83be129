"""One row from its texts: messages, id, task line."""

from typing import Literal

from secai_lib.core.generation import Message
from secai_lib.core.record import content_hash
from secai_lib.core.training import ExampleMetadata, Readable, Split, TrainingExample
from secai_lib.datasets.wording import SYSTEM, TASKS


def make_row(
    stage: Literal[1, 2],
    body: str,
    response: str,
    *,
    group: str,
    metadata: ExampleMetadata,
    readable: Readable | None = None,
    wording: int = 0,
) -> TrainingExample:
    """A row whose instruction is the task's line (the given `wording` of it) and `body`.

    It stands in the training part until `finish` decides.
    """
    instruction = f"{TASKS[stage][wording]}\n{body}"
    return TrainingExample(
        id=content_hash(stage, instruction, response),
        stage=stage,
        messages=(
            Message(role="system", content=SYSTEM[stage]),
            Message(role="user", content=instruction),
            Message(role="assistant", content=response),
        ),
        instruction=instruction,
        response=response,
        readable=readable,
        group=group,
        split=Split.TRAIN,
        metadata=metadata,
    )


def file_group(repository: str, path: str) -> str:
    """The group of all rows about one file, in both stages: forged and genuine stay together."""
    return content_hash(repository, path)


def reworded(row: TrainingExample, wording: int) -> TrainingExample:
    """`row` with another wording of its task, flagged as augmented; all else stays."""
    _task, _newline, body = row.instruction.partition("\n")
    made = make_row(
        row.stage,
        body,
        row.response,
        group=row.group,
        metadata=row.metadata.model_copy(update={"augmented": True}),
        readable=row.readable,
        wording=wording,
    )
    return made.model_copy(update={"split": row.split, "facet": row.facet})
