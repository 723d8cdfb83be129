"""What the loop holds, keeps, tells and returns."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from secai_lib.core.adapter import Adapter, LowRank
from secai_lib.core.record import Record
from secai_lib.training.records import Resumed, StepFacts, Training, Validation


class Checkpoints(Protocol):
    """Where checkpoints of this one training lie: JSON of the loop, NumPy arrays by name."""

    def save(self, step: int, facts: str, arrays: Mapping[str, Any]) -> None:
        """Keep what there is behind `step`; whole or not at all."""
        ...

    def load(self) -> tuple[str, Mapping[str, Any]] | None:
        """Facts and arrays of the newest whole one; None at the beginning."""
        ...


class Progress(NamedTuple):
    """Where a training is."""

    step: int
    """Steps done."""
    steps: int
    """Steps of the plan."""
    loss: float
    """Of the last step."""
    learning_rate: float
    """Of the last step."""
    tokens: int
    """That the last step read, without padding."""
    validation: Validation | None
    """The look at the validation rows behind this step."""


class LoopState(Record):
    """The loop's own part of a checkpoint."""

    steps: tuple[StepFacts, ...] = ()
    validations: tuple[Validation, ...] = ()
    checkpoints: tuple[int, ...] = ()
    probe_before: float
    resumed: Resumed | None
    in_use: Mapping[str, float | int | str] = {}
    """What the engine said of itself when the checkpoint was made."""


class Trained(NamedTuple):
    """What a training made."""

    training: Training
    adapter: Adapter
    weights: dict[str, LowRank]
    logits: Any
    """Of the probe rows: float32 (rows, PROBE_LAST, vocabulary)."""
