"""One row from its texts: messages, id, task line."""

from typing import Literal

from secai_lib.core.generation import Message
from secai_lib.core.record import content_hash
from secai_lib.core.training import ExampleMetadata, Readable, Split, TrainingExample
from secai_lib.datasets.wording import LABELS_ONLY, SYSTEM, TASKS


def make_row(
    stage: Literal[1, 2],
    body: str,
    response: str,
    *,
    group: str,
    metadata: ExampleMetadata,
    readable: Readable | None = None,
    task: str = "",
) -> TrainingExample:
    """A row whose instruction is the line `task` (the stage's usual one if empty) and `body`.

    It stands in the training part until `finish` decides.
    """
    instruction = f"{task or TASKS[stage][0]}\n{body}"
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


def labels_only(row: TrainingExample) -> TrainingExample:
    """`row` of Stage 1 with the labels alone as its answer, and a task that says so."""
    return _again(row, LABELS_ONLY, row.response.partition("\n")[0])


def reworded(row: TrainingExample, wording: int) -> TrainingExample:
    """`row` with another wording of its task; all else stays."""
    return _again(row, TASKS[row.stage][wording], row.response)


def _again(row: TrainingExample, task: str, response: str) -> TrainingExample:
    made = make_row(
        row.stage,
        row.instruction.partition("\n")[2],
        response,
        group=row.group,
        metadata=row.metadata.model_copy(update={"augmented": True}),
        readable=row.readable,
        task=task,
    )
    return made.model_copy(update={"split": row.split, "facet": row.facet})
