"""Low-rank adapters (LoRA), and what every engine that trains one has to offer.

An adapter adds `scale * B @ A` to the weight matrices it names. Matrices are kept in one form
whatever the engine: `A` has the shape (rank, in), `B` (out, rank), float32, under the name
`model.layers.N.BLOCK.PROJECTION` of the module in the base model.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import Field

from secai_lib.core.record import Record, content_hash, sha256_hex

Stage = Literal[1, 2]
"""1: read a vulnerability; 2: fix it."""
Matrix = Any
"""A float32 array of NumPy with two axes; NumPy is not imported on the ground floor."""


class LowRank(NamedTuple):
    """The two matrices of one module."""

    a: Matrix
    """Shape (rank, in)."""
    b: Matrix
    """Shape (out, rank)."""

    @property
    def sha256(self) -> str:
        """Of the bytes of A, then of B: little-endian float32, rows first."""
        return sha256_hex(b"".join(half.astype("<f4").tobytes() for half in self))


Weights = Mapping[str, LowRank]
"""Module name -> its matrices."""


class ModuleFacts(Record):
    """What identifies the matrices of one module."""

    a_shape: tuple[int, int]
    """(rank, in)."""
    b_shape: tuple[int, int]
    """(out, rank)."""
    sha256: str
    """As `LowRank.sha256`."""


class Adapter(Record):
    """What an adapter is, beside its weights: the file `adapter.json`."""

    stage: Stage
    """Which stage it was trained for."""
    engine: str
    """`torch` or `mlx`."""
    base: str
    """Identity of the base model it belongs to (`Model.identity`)."""
    rank: int
    """Rank of every module."""
    scale: float
    """Factor of `B @ A`; PEFT calls `scale * rank` alpha."""
    dropout: float
    """Dropout in training."""
    modules: Mapping[str, ModuleFacts]
    """Module name -> its facts."""
    parent: str = ""
    """Digest of the adapter that training began from; empty for a fresh one."""

    @property
    def digest(self) -> str:
        """Hash over base, scale and all matrices: equal digests compute the same function."""
        return content_hash(self.base, self.scale, self.modules)


class EncodedRow(Record):
    """A row of a data set as token ids."""

    id: str
    """The row's id."""
    tokens: tuple[int, ...]
    """Ids of the chat, the end token behind the answer included."""
    answer_start: int
    """Index of the first token of the answer: what stands before is read, and never a target."""
    weight: float
    """Multiplies the row's loss."""
    labels: int = Field(default=0, ge=0)
    """How many of the first tokens of the answer say its labels ..."""
    label_weight: float = Field(default=1.0, gt=0)
    """... and what multiplies the loss of these once more."""

    @property
    def targets(self) -> int:
        """Tokens of the answer."""
        return len(self.tokens) - self.answer_start

    @property
    def target_weights(self) -> tuple[float, ...]:
        """What multiplies the loss of each token of the answer."""
        labels = min(self.labels, self.targets)
        rest = self.targets - labels
        return (self.weight * self.label_weight,) * labels + (self.weight,) * rest


class StepReport(NamedTuple):
    """What one optimizer step did."""

    loss: float
    """Mean cross-entropy of the answer tokens, weighted (`target_weights`), before the step."""
    gradient_norm: float
    """Of the trained weights, before clipping."""


class LossSum(NamedTuple):
    """A loss that can be added up."""

    total: float
    """Cross-entropy of the answer tokens (nats), each times its weight, summed."""
    weight: float
    """Weights of those tokens, summed; the mean loss is `total / weight`."""


class TrainEngine(Protocol):
    """A base model with an adapter that is being trained on a fixed list of rows.

    It computes and knows no plan: order, schedule, stopping and files are the caller's.
    """

    @property
    def name(self) -> str:
        """`torch` or `mlx`."""
        ...

    @property
    def identity(self) -> str:
        """Engine, its version and precision: the same steps may end elsewhere when it differs."""
        ...

    def step(self, batches: Sequence[Sequence[int]], learning_rate: float, seed: int) -> StepReport:
        """One step of AdamW over `batches` of row numbers, whose gradients are accumulated.

        Every answer token of the step counts as `target_weights` says, in whatever batch it is.
        `seed` decides the dropout of this step alone.

        Raises:
            TrainingError: loss or gradient is no number; the weights are as before.
        """
        ...

    def losses(self, rows: Sequence[int], batch_size: int) -> list[LossSum]:
        """The loss of each of `rows`, without dropout and without a gradient."""
        ...

    def logits(self, rows: Sequence[int], last: int) -> Any:
        """Logits behind the `last` positions of each of `rows`, float32.

        Shape (rows, last, vocabulary); what an exported adapter is compared with.
        """
        ...

    def weights(self) -> dict[str, LowRank]:
        """A copy of the adapter."""
        ...

    def load(self, weights: Weights) -> None:
        """Go on from `weights`, with a fresh optimizer.

        Raises:
            TrainingError: a module is missing, unknown, or of another shape; nothing is loaded.
        """
        ...

    def state(self) -> dict[str, Any]:
        """A copy of all that a later process needs to go on bit by bit: arrays by name."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from `state` of an engine that was opened alike; raises TrainingError if not."""
        ...

    def settings_in_use(self) -> dict[str, float | int | str]:
        """What the live objects say, not what was asked for.

        Keys: rank, scale, dropout, layers (number of trained ones), modules, trained_weights,
        optimizer, learning_rate (of the last step), weight_decay, clip_norm, base_frozen (1 or 0).
        """
        ...
