"""What is written down of a training: the file `training.json`."""

from collections.abc import Mapping

from secai_lib.core.adapter import EncodedRow, Stage
from secai_lib.core.record import Record
from secai_lib.core.settings import StageSettings


class StepFacts(Record):
    """One step that was done."""

    loss: float
    """Mean cross-entropy of its answer tokens (nats), before the step."""
    gradient_norm: float
    """Before clipping."""
    learning_rate: float
    """What the engine was given."""
    replayed: bool
    """True when its rows were Stage 1's."""


class Validation(Record):
    """One look at rows that are not trained on."""

    step: int
    """Steps done before it; 0: before the first."""
    own: float
    """Mean loss of the stage's own rows."""
    replayed: float | None = None
    """Mean loss of Stage 1's rows; none where nothing is replayed."""
    loss: float
    """What the best adapter is chosen by: both, weighted as they are in the mix."""


class Resumed(Record):
    """Proof that Stage 2 began where Stage 1 ended; made before the first step."""

    parent: str
    """Digest of Stage 1's adapter."""
    base: str
    """Identity of the base model of both."""
    modules: int
    """Modules whose names, shapes and hashes were compared, in the engine after loading."""
    probe_rows: int
    """Rows whose loss was measured again."""
    loss_said: float
    """What Stage 1 recorded at its end."""
    loss_found: float
    """What the engine says with the loaded weights."""


class Seen(Record):
    """What the steps that were done have read."""

    rows: int
    """Rows, each as often as it was read."""
    tokens: int
    """Their tokens, without padding."""
    answer_tokens: int
    """Those of them that were targets."""
    padding: float
    """Share of the tokens in batches that were padding."""
    epochs: float
    """How often every own row was read, on average."""
    replayed_rows: float
    """Share of the rows that were Stage 1's."""
    replayed_tokens: float
    """Share of the tokens that were Stage 1's."""


class Training(Record):
    """How an adapter was trained; equal inputs give equal bytes, so it holds no time."""

    stage: Stage
    """Which stage."""
    engine: str
    """Engine, its version and precision."""
    base: str
    """Identity of the base model."""
    settings: StageSettings
    """What was asked for."""
    in_use: Mapping[str, float | int | str]
    """What the engine's live objects said after the last step."""
    plan: str
    """Digest of the plan."""
    planned_steps: int
    """Steps of the plan; fewer are done after an early stop."""
    lengths: tuple[int, ...]
    """Tokens of every own row, then of every row that may be replayed: what the plan is made of."""
    own_rows: int
    """How many of `lengths` are own rows."""
    label_weights: tuple[float, ...]
    """What multiplies the loss of labels, among the rows of `lengths`: each value once, sorted."""
    left_out: int
    """Rows that are longer than `max_tokens`: left out, because an answer is never cut."""
    validation_rows: int
    """Own rows that were looked at in every validation ..."""
    replay_validation_rows: int
    """... and those of Stage 1."""
    steps: tuple[StepFacts, ...]
    """Every step that was done, in order."""
    validations: tuple[Validation, ...]
    """In order; the first is before the first step."""
    checkpoints: tuple[int, ...]
    """Steps behind which a checkpoint was written."""
    best_step: int
    """Steps behind which the kept adapter was taken."""
    stopped_early: bool
    """True when validations without a better loss ended it."""
    seen: Seen
    """What was read."""
    probe: tuple[EncodedRow, ...]
    """The probe rows."""
    probe_last: int
    """Last positions of each probe row whose logits lie in `probe_logits.safetensors`."""
    probe_before: float
    """Mean loss of the probe rows before the first step ..."""
    probe_after: float
    """... and with the kept adapter."""
    resumed: Resumed | None = None
    """Stage 2: proof that it began where Stage 1 ended."""
