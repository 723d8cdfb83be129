"""The training itself: steps, validations, the best adapter, checkpoints, and their record.

Everything a killed training needs to go on bit by bit lies in a checkpoint: the engine's state,
the best adapter so far, and `LoopState`. Rates, early stop and best step follow from these.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from secai_lib.core.adapter import Adapter, LowRank, TrainEngine
from secai_lib.core.errors import TrainingError
from secai_lib.core.record import canonical_json
from secai_lib.training.lineage import FactsOf, Parent, resume
from secai_lib.training.losses import mean_loss
from secai_lib.training.records import StepFacts, Training, Validation
from secai_lib.training.schedule import learning_rate, stops_early
from secai_lib.training.seen import seen_of
from secai_lib.training.state import Checkpoints, LoopState, Progress, Trained
from secai_lib.training.work import Work

PROBE_LAST = 4
"""Positions of each probe row whose logits are kept."""
SEEDS = 1_000_003
"""Keeps the dropout of trainings with neighbouring seeds apart."""


def train(
    engine: TrainEngine,
    work: Work,
    keep: Checkpoints,
    *,
    facts_of: FactsOf,
    tolerance: float,
    parent: Parent | None = None,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Trained:
    """The adapter of `work`, trained from the last checkpoint or from the beginning.

    Args:
        engine: Opened on `work.rows` with `work.settings`.
        work: Rows and steps.
        keep: Checkpoints of this very work on this very engine.
        facts_of: Shapes and hashes of weights.
        tolerance: How far Stage 1's probe loss may be off when Stage 2 takes over (nats).
        parent: Stage 1's adapter; required for Stage 2.
        tell: Told of every step.

    Raises:
        TrainingError: Stage 2 would not begin where Stage 1 ended, or a loss is no number.
    """
    run = _Run(engine, work, keep)
    kept = keep.load()
    if kept:
        run.go_on(*kept)
    else:
        run.begin(parent, facts_of, tolerance)
    while not run.ended:
        tell(run.step())
    return run.result(facts_of, parent)


class _Run:
    """One training in this process."""

    def __init__(self, engine: TrainEngine, work: Work, keep: Checkpoints) -> None:
        self._engine, self._work, self._keep = engine, work, keep
        self._lengths = work.lengths
        self._best: dict[str, LowRank] = {}
        self._state: LoopState

    def begin(self, parent: Parent | None, facts_of: FactsOf, tolerance: float) -> None:
        """Take over Stage 1's adapter where there is one, and measure where the way begins."""
        work, resumed = self._work, None
        if work.stage == 2 and parent is None:
            raise TrainingError("Stage 2 goes on from Stage 1's adapter: train Stage 1 first")
        if parent:
            resumed = resume(
                self._engine, parent, base=work.base, settings=work.settings,
                probe=work.parent_probe, facts_of=facts_of, tolerance=tolerance,
            )  # fmt: skip
        before = mean_loss(self._engine, work.probe, work.settings.batch_size)
        if not math.isfinite(before):
            raise TrainingError(
                f"the probe rows of Stage {work.stage} have no loss that is a number before the "
                "first step: the base model overflows; materialize base_model again"
            )
        self._state = LoopState(probe_before=before, resumed=resumed)
        self._best = self._engine.weights()
        if work.validation:
            self._change(validations=(self._look(0),))

    def go_on(self, facts: str, arrays: Mapping[str, Any]) -> None:
        """Be where the process that wrote this checkpoint was."""
        self._state = LoopState.model_validate_json(facts)
        self._engine.restore(_under("engine/", arrays))
        a, b = _under("best_a/", arrays), _under("best_b/", arrays)
        self._best = {name: LowRank(a[name], b[name]) for name in a}

    @property
    def ended(self) -> bool:
        return self._done == len(self._work.plan.steps) or self._stopped

    @property
    def _done(self) -> int:
        return len(self._state.steps)

    @property
    def _losses(self) -> list[float]:
        """Validation losses that count: those behind a step."""
        return [look.loss for look in self._state.validations if look.step]

    @property
    def _stopped(self) -> bool:
        return stops_early(self._work.settings, self._losses)

    def step(self) -> Progress:
        """Do the next step, and what is due behind it."""
        work, settings, number = self._work, self._work.settings, self._done
        planned, total = work.plan.steps[number], len(work.plan.steps)
        rate = learning_rate(settings, number, total, self._losses)
        seed = (settings.seed * SEEDS + number) % 2**31
        try:
            report = self._engine.step(planned.batches, rate, seed)
        except TrainingError as error:
            self._save(planned=False)  # the engine's weights are those before the step
            raise self._stumbled(str(error)) from error
        if not (math.isfinite(report.loss) and math.isfinite(report.gradient_norm)):
            raise self._stumbled("the loss or its gradient is no number")
        facts = StepFacts(
            loss=report.loss, gradient_norm=report.gradient_norm,
            learning_rate=rate, replayed=planned.replayed,
        )  # fmt: skip
        self._change(steps=(*self._state.steps, facts))
        looked = self._validate() if self._due(settings.validate_every) else None
        if looked or self._due(settings.checkpoint_every):
            self._save()
        tokens = sum(self._lengths[row] for row in planned.rows)
        return Progress(self._done, total, report.loss, rate, tokens, looked)

    def _due(self, every: int) -> bool:
        return self._done % every == 0 or self._done == len(self._work.plan.steps)

    def _validate(self) -> Validation | None:
        if not self._work.validation:
            self._best = self._engine.weights()
            return None
        look = self._look(self._done)
        if all(look.loss < loss for loss in self._losses):
            self._best = self._engine.weights()
        self._change(validations=(*self._state.validations, look))
        return look

    def _look(self, step: int) -> Validation:
        work, size = self._work, self._work.settings.batch_size
        own, replayed = mean_loss(self._engine, work.validation, size), None
        loss = own
        if work.replay_validation:
            replayed = mean_loss(self._engine, work.replay_validation, size)
            loss += work.settings.replay * (replayed - own)
        if not math.isfinite(loss):
            raise TrainingError(
                f"the validation loss behind step {step} is no number; lower "
                f"stage{work.stage}.learning_rate and train again"
            )
        return Validation(step=step, own=own, replayed=replayed, loss=loss)

    def _save(self, *, planned: bool = True) -> None:
        self._change(in_use=self._engine.settings_in_use())
        if planned:
            self._change(checkpoints=(*self._state.checkpoints, self._done))
        arrays = {f"engine/{name}": value for name, value in self._engine.state().items()}
        for name, pair in self._best.items():
            arrays |= {f"best_a/{name}": pair.a, f"best_b/{name}": pair.b}
        self._keep.save(self._done, canonical_json(self._state), arrays)

    def _change(self, **changes: Any) -> None:
        self._state = self._state.model_copy(update=changes)

    def _stumbled(self, why: str) -> TrainingError:
        """What to say when a step failed; the weights before it lie in the last checkpoint."""
        work = self._work
        rows = ", ".join(work.rows[n].id for n in work.plan.steps[self._done].rows)
        return TrainingError(
            f"step {self._done + 1} of Stage {work.stage} failed: {why}; its rows are {rows}: "
            f"lower stage{work.stage}.learning_rate or take these rows out of the data set, then "
            f"train again ({self._done} steps before it were whole)"
        )

    def result(self, facts_of: FactsOf, parent: Parent | None) -> Trained:
        """The best adapter and the record, measured with the best adapter in the engine."""
        engine, work = self._engine, self._work
        engine.load(self._best)
        training = self._record(mean_loss(engine, work.probe, work.settings.batch_size))
        lora = work.settings.lora
        adapter = Adapter(
            stage=work.stage,
            engine=engine.name,
            base=work.base,
            rank=lora.rank,
            scale=lora.scale,
            dropout=lora.dropout,
            modules=facts_of(self._best),
            parent=parent.adapter.digest if parent else "",
        )
        logits = engine.logits(work.probe, PROBE_LAST)
        return Trained(training, adapter, self._best, logits)

    def _record(self, probe_after: float) -> Training:
        work, state, plan = self._work, self._state, self._work.plan
        looks = [look for look in state.validations if look.step]
        best = min(looks, key=lambda look: look.loss).step if looks else self._done
        return Training(
            stage=work.stage,
            engine=self._engine.identity,
            base=work.base,
            settings=work.settings,
            in_use=state.in_use,
            plan=plan.digest,
            planned_steps=len(plan.steps),
            lengths=self._lengths[: work.own + work.replay],
            own_rows=work.own,
            label_weights=_label_weights(work),
            left_out=work.left_out,
            validation_rows=len(work.validation),
            replay_validation_rows=len(work.replay_validation),
            steps=state.steps,
            validations=state.validations,
            checkpoints=state.checkpoints,
            best_step=best,
            stopped_early=self._done < len(plan.steps),
            seen=seen_of(work, self._done),
            probe=tuple(work.rows[row] for row in work.probe),
            probe_last=PROBE_LAST,
            probe_before=state.probe_before,
            probe_after=probe_after,
            resumed=state.resumed,
        )


def _label_weights(work: Work) -> tuple[float, ...]:
    learnt = work.rows[: work.own + work.replay]
    return tuple(sorted({row.label_weight for row in learnt if row.labels}))


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    return {n.removeprefix(prefix): value for n, value in arrays.items() if n.startswith(prefix)}
