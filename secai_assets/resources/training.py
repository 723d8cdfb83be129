"""What both trained adapters share in the corridor: their rows, their training, their files."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager

from secai_assets.assets.base_model import read_base_model
from secai_assets.dataset_views import read_product_rows
from secai_assets.resources.adapters import LOGITS, RECORD, TRAINING, WEIGHTS, read_adapter
from secai_assets.resources.house import House
from secai_lib.core.adapter import EncodedRow, Stage, TrainEngine
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.record import Record, canonical_json, content_hash
from secai_lib.core.settings import StageSettings
from secai_lib.core.text import plural
from secai_lib.core.training import Split, TrainingExample
from secai_lib.gateways.adapter_files import (
    facts_of,
    logits_to_bytes,
    weights_to_bytes,
)
from secai_lib.gateways.checkpoints import CheckpointFolder
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.journal import Journal
from secai_lib.gateways.trainer import encode_rows, open_prompter
from secai_lib.training import Parent, Progress, Rows, Trained, Training, Work, make_work, train

Say = Callable[[str], None]
Encode = Callable[[House, Sequence[TrainingExample], StageSettings], Rows]
OpenEngine = Callable[
    [Model, Sequence[EncodedRow], StageSettings, Say], AbstractContextManager[TrainEngine]
]
ADAPTERS: dict[Stage, str] = {1: "stage1_adapter", 2: "stage2_adapter"}
DATASETS: dict[Stage, str] = {1: "stage1_dataset", 2: "stage2_dataset"}
CODE = (
    *("training", "gateways/trainer", "gateways/adapter_files", "gateways/models/card"),
    *(f"gateways/llm/{part}" for part in ("prompt", "control_text", "mlx_engine")),
)
"""What decides the numbers of an adapter."""
SAY_EVERY = 8
"""Steps between two lines of progress."""


class Speed(Record):
    """How quick a training was; kept beside the products, because it is no property of one."""

    tokens: int
    """Tokens of the steps done in that process, without padding."""
    seconds: float
    """Time they took, validations and checkpoints included."""

    @property
    def tokens_per_second(self) -> float:
        """0 when nothing was done."""
        return self.tokens / self.seconds if self.seconds else 0.0


class Pace:
    """Says every few steps where a training is and how long it will take."""

    def __init__(self, say: Say, clock: Callable[[], float]) -> None:
        """Count from now on; `clock` gives seconds."""
        self._say, self._clock = say, clock
        self._began, self._steps, self._tokens = clock(), 0, 0

    def __call__(self, at: Progress) -> None:
        """Count one step."""
        if not self._steps and at.step > 1:
            self._say(f"going on behind step {at.step - 1}, where the last run was ended")
        self._steps, self._tokens = self._steps + 1, self._tokens + at.tokens
        if at.step % SAY_EVERY and not at.validation and at.step != at.steps:
            return
        speed = self.speed
        left = (at.steps - at.step) * speed.seconds / self._steps
        looked = f", validation {at.validation.loss:.3f}" if at.validation else ""
        self._say(
            f"step {at.step} of {at.steps}: loss {at.loss:.3f}{looked}, rate "
            f"{at.learning_rate:.1e}, {speed.tokens_per_second:.0f} tokens/s, {left:.0f} s left"
        )

    @property
    def speed(self) -> Speed:
        """So far."""
        return Speed(tokens=self._tokens, seconds=self._clock() - self._began)


def stage_settings(house: House, stage: Stage) -> StageSettings:
    """The settings of `stage`."""
    return house.settings.stage1 if stage == 1 else house.settings.stage2


def adapter_origin(house: House, stage: Stage) -> Origin:
    """What the adapter of `stage` is made of; Stage 2 rests on Stage 1's rows and adapter too."""
    products = [DATASETS[1]] if stage == 1 else [DATASETS[1], DATASETS[2], ADAPTERS[1]]
    inputs = {name: content_hash(house.store.require(name).files) for name in products}
    return Origin(
        inputs=inputs | {"base_model": read_base_model(house).identity},
        settings=content_hash(stage_settings(house, stage)),
        code_version=code_version(*CODE),
    )


def train_stage(
    house: House,
    stage: Stage,
    say: Say,
    *,
    encode: Encode | None = None,
    open_engine: OpenEngine | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Manifest:
    """The manifest of the adapter of `stage`, trained, or gone on with, and published.

    Raises:
        TrainingError: a row has no answer, a loss is no number, or Stage 2 would not begin where
            Stage 1 ended.
    """
    settings, origin = stage_settings(house, stage), adapter_origin(house, stage)
    work, parent = prepare(house, stage, encode or encoded)
    say(
        f"{plural(work.own, 'row')} to train on, {work.replay} to replay, {work.left_out} too "
        f"long; {plural(len(work.plan.steps), 'step')}"
    )
    opening = open_engine or house.open_trainer
    with opening(read_base_model(house), work.rows, settings, say) as engine:
        digest = parent.adapter.digest if parent else ""
        identity = content_hash(work, digest, engine.identity, origin.code_version)
        folder = house.store.root / ".checkpoints"
        keep, pace = CheckpointFolder(folder, ADAPTERS[stage], identity), Pace(say, clock)
        trained = train(
            engine, work, keep, facts_of=facts_of, parent=parent, tell=pace,
            tolerance=house.settings.quality.adapters_max_probe_change,
        )  # fmt: skip
    manifest = _publish(house, stage, trained, origin)
    keep.remove()
    journal = speed_journal(house, stage)
    journal.remove()
    journal.append(pace.speed)
    return manifest


def prepare(house: House, stage: Stage, encode: Encode) -> tuple[Work, Parent | None]:
    """Rows and steps of `stage`, and what it goes on from."""
    base, settings = read_base_model(house).identity, stage_settings(house, stage)
    own = encode(house, read_product_rows(house, DATASETS[stage]), settings)
    if stage == 1:
        return make_work(stage, base, settings, own), None
    stage1 = encode(house, read_product_rows(house, DATASETS[1]), settings)
    said = read_training(house, 1)
    adapter, weights = read_adapter(house, ADAPTERS[1])
    parent = Parent(adapter, weights, said.probe_after)
    return make_work(stage, base, settings, own, stage1, said.probe), parent


def encoded(house: House, rows: Sequence[TrainingExample], settings: StageSettings) -> Rows:
    """`rows` as the base model's tokens; the test part is not among them."""
    folder = house.shelf.folder(read_base_model(house), ModelFormat.SAFETENSORS)
    prompter = open_prompter(folder)
    parts = {
        split: encode_rows(prompter, [row for row in rows if row.split is split], settings)
        for split in (Split.TRAIN, Split.VALIDATION)
    }
    return Rows(
        train=parts[Split.TRAIN].rows,
        validation=parts[Split.VALIDATION].rows,
        left_out=sum(len(part.too_long) for part in parts.values()),
    )


def read_training(house: House, stage: Stage) -> Training:
    """How the adapter of `stage` was trained."""
    return Training.model_validate_json(house.store.read(ADAPTERS[stage], TRAINING))


def speed_journal(house: House, stage: Stage) -> Journal:
    """Where the speed of the last training of `stage` is written down."""
    return Journal(house.store.root / ".journal" / f"speed-{ADAPTERS[stage]}.jsonl")


def read_speed(house: House, stage: Stage) -> Iterable[Speed]:
    """The speed of the last training here, if there was one."""
    return speed_journal(house, stage).read(Speed)


def _publish(house: House, stage: Stage, trained: Trained, origin: Origin) -> Manifest:
    training = trained.training
    files = {
        RECORD: canonical_json(trained.adapter).encode(),
        WEIGHTS: weights_to_bytes(trained.weights),
        TRAINING: canonical_json(training).encode(),
        LOGITS: logits_to_bytes(trained.logits),
    }
    counts = {
        "steps": len(training.steps),
        "best_step": training.best_step,
        "train_rows": training.own_rows,
        "replay_rows": len(training.lengths) - training.own_rows,
        "validation_rows": training.validation_rows,
        "left_out": training.left_out,
        "tokens": training.seen.tokens,
        "answer_tokens": training.seen.answer_tokens,
        "modules": len(trained.adapter.modules),
    }
    return house.store.publish(ADAPTERS[stage], files, counts=counts, origin=origin)
