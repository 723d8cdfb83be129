"""A small model is really trained: it learns, keeps its best, resumes bit by bit, and refuses."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import LossSum
from secai_lib.core.errors import TrainingError
from secai_lib.core.record import canonical_json
from secai_lib.core.settings import StageSettings
from secai_lib.gateways.adapter_files import facts_of, weights_to_bytes
from secai_lib.training import Parent, Progress, Rows, Trained, make_work, train
from secai_lib.training.loop import PROBE_LAST
from secai_lib.training.losses import mean_loss
from secai_lib.training.work import Work
from tests.fakes.train_engine import NumpyTrainEngine
from tests.fakes.training_work import SETTINGS, MemoryCheckpoints, make_rows

STAGE2 = SETTINGS.model_copy(update={"replay": 0.25, "iterations": 9, "learning_rate": 0.02})


class Killed(Exception):
    """What ends a process in these tests."""


def run(
    work: Work,
    keep: MemoryCheckpoints | None = None,
    parent: Parent | None = None,
    *,
    die_behind: int = -1,
    **engine: Any,
) -> Trained:
    def tell(at: Progress) -> None:
        if at.step == die_behind:
            raise Killed

    opened = NumpyTrainEngine(work.rows, work.settings, **engine)
    return train(
        opened, work, keep or MemoryCheckpoints(), facts_of=facts_of, tolerance=1e-3,
        parent=parent, tell=tell,
    )  # fmt: skip


def stage1_work(settings: StageSettings = SETTINGS) -> Work:
    return make_work(1, "base", settings, make_rows(1))


def parent_of(trained: Trained) -> Parent:
    return Parent(trained.adapter, trained.weights, trained.training.probe_after)


def stage2_work(stage1: Trained, settings: StageSettings = STAGE2) -> Work:
    return make_work(2, "base", settings, make_rows(2), make_rows(1), stage1.training.probe)


def bytes_of(trained: Trained) -> tuple[bytes, str, str, bytes]:
    return (
        weights_to_bytes(trained.weights),
        canonical_json(trained.training),
        canonical_json(trained.adapter),
        trained.logits.tobytes(),
    )


@pytest.fixture(scope="module")
def stage1() -> Trained:
    return run(stage1_work())


@pytest.fixture(scope="module")
def stage2(stage1: Trained) -> Trained:
    return run(stage2_work(stage1), parent=parent_of(stage1))


def test_it_learns_and_writes_down_how(stage1: Trained) -> None:
    training = stage1.training
    assert training.probe_after < 0.8 * training.probe_before
    assert [look.step for look in training.validations] == [0, 5, 10, 15, 18]
    assert training.checkpoints == (4, 5, 8, 10, 12, 15, 16, 18)
    assert training.best_step == min(training.validations, key=lambda look: look.loss).step
    assert len(training.steps) == 18
    assert training.seen.epochs == pytest.approx(18 * 8 / 40, abs=0.2)
    assert training.seen.padding < 0.1
    assert (training.seen.replayed_rows, training.resumed) == (0, None)
    assert stage1.logits.shape == (5, 4, 24)
    assert stage1.adapter.modules == facts_of(stage1.weights)


def contradicted(settings: StageSettings) -> Work:
    """Validation rows of another rule: what is learnt makes them worse."""
    rows = Rows(train=make_rows(1).train, validation=make_rows(2).validation)
    return make_work(1, "base", settings, rows)


def test_the_kept_adapter_is_the_best_and_not_the_last() -> None:
    work = contradicted(SETTINGS)
    made = run(work)
    assert made.training.best_step < 18
    engine = NumpyTrainEngine(work.rows, SETTINGS)
    engine.load(made.weights)
    sums = engine.losses(work.validation, 4)
    loss = sum(s.total for s in sums) / sum(s.weight for s in sums)
    assert loss == min(look.loss for look in made.training.validations[1:])
    assert np.array_equal(engine.logits(work.probe, PROBE_LAST), made.logits)
    assert mean_loss(engine, work.probe, 4) == made.training.probe_after


def test_it_ends_when_validation_brings_nothing_any_more() -> None:
    settings = SETTINGS.model_copy(update={"early_stop": 1, "validate_every": 2})
    training = run(contradicted(settings)).training
    assert training.stopped_early
    assert training.validations[-1].step == len(training.steps) < 18
    assert training.best_step == len(training.steps) - 2
    assert training.checkpoints[-1] == len(training.steps)


def test_a_killed_training_goes_on_bit_by_bit_from_any_step(stage1: Trained) -> None:
    for step in range(1, 19):
        keep = MemoryCheckpoints()
        with pytest.raises(Killed):
            run(stage1_work(), keep, die_behind=step)
        again = run(stage1_work(), MemoryCheckpoints(keep.kept))
        assert bytes_of(again) == bytes_of(stage1), step


def test_a_training_without_clipping_goes_on_too() -> None:
    work = stage1_work(SETTINGS.model_copy(update={"clip_norm": math.inf}))
    keep = MemoryCheckpoints()
    with pytest.raises(Killed):
        run(work, keep, die_behind=9)
    assert bytes_of(run(work, MemoryCheckpoints(keep.kept))) == bytes_of(run(work))


def test_a_best_adapter_that_is_long_past_survives_a_kill() -> None:
    work = contradicted(SETTINGS)
    whole = run(work)
    for step in range(whole.training.best_step + 1, 19):
        keep = MemoryCheckpoints()
        with pytest.raises(Killed):
            run(work, keep, die_behind=step)
        again = run(work, MemoryCheckpoints(keep.kept))
        assert bytes_of(again) == bytes_of(whole), step


def test_stage_2_goes_on_bit_by_bit_too(stage1: Trained, stage2: Trained) -> None:
    for step in (1, 4, 7, 12):
        keep = MemoryCheckpoints()
        with pytest.raises(Killed):
            run(stage2_work(stage1), keep, parent_of(stage1), die_behind=step)
        again = run(stage2_work(stage1), keep, parent_of(stage1))
        assert bytes_of(again) == bytes_of(stage2), step


def test_without_the_moments_a_resumed_training_ends_elsewhere(stage1: Trained) -> None:
    keep = MemoryCheckpoints()
    with pytest.raises(Killed):
        run(stage1_work(), keep, die_behind=9)
    step, facts, arrays = keep.kept[-1]
    bare = {k: v * 0 if k.startswith("engine/m/") else v for k, v in arrays.items()}
    again = run(stage1_work(), MemoryCheckpoints([(step, facts, bare)]))
    assert bytes_of(again) != bytes_of(stage1)


def test_stage_2_proves_where_it_began_and_replays_its_share(
    stage1: Trained, stage2: Trained
) -> None:
    training, proof = stage2.training, stage2.training.resumed
    assert proof
    assert (proof.parent, proof.modules, proof.probe_rows) == (stage1.adapter.digest, 2, 5)
    assert proof.loss_found == pytest.approx(stage1.training.probe_after, abs=1e-9)
    assert stage2.adapter.parent == stage1.adapter.digest
    assert len(training.steps) == 12
    assert training.seen.replayed_rows == pytest.approx(0.25, abs=0.03)
    assert training.validations[0].replayed is not None
    assert training.probe_after < training.probe_before


def test_replay_keeps_what_stage_2_alone_forgets(stage1: Trained) -> None:
    def stage1_loss(replay: float) -> float:
        settings = STAGE2.model_copy(update={"iterations": 40, "replay": replay})
        work = stage2_work(stage1, settings)
        engine = NumpyTrainEngine(work.rows, settings)
        engine.load(run(work, parent=parent_of(stage1)).weights)
        sums = engine.losses(work.parent_probe, 4)
        return sum(s.total for s in sums) / sum(s.weight for s in sums)

    assert stage1_loss(0.25) < stage1_loss(0.0)


def renamed(parent: Parent) -> Parent:
    weights = {f"x.{name}": pair for name, pair in parent.weights.items()}
    adapter = parent.adapter.model_copy(update={"modules": facts_of(weights)})
    return parent._replace(adapter=adapter, weights=weights)


def another_module(parent: Parent) -> Parent:
    weights = {
        **parent.weights,
        "model.layers.0.mlp.gate_proj": next(iter(parent.weights.values())),
    }
    adapter = parent.adapter.model_copy(update={"modules": facts_of(weights)})
    return parent._replace(adapter=adapter, weights=weights)


def other_scale(parent: Parent) -> Parent:
    scale = parent.adapter.scale
    return parent._replace(adapter=parent.adapter.model_copy(update={"scale": scale + 1}))


def other_numbers(parent: Parent) -> Parent:
    name, pair = next(iter(parent.weights.items()))
    changed = pair._replace(b=pair.b + np.float32(1e-3))
    return parent._replace(weights={**parent.weights, name: changed})


def other_base(parent: Parent) -> Parent:
    return parent._replace(adapter=parent.adapter.model_copy(update={"base": "another"}))


def other_rank(parent: Parent) -> Parent:
    return parent._replace(adapter=parent.adapter.model_copy(update={"rank": 3}))


def other_loss(parent: Parent) -> Parent:
    return parent._replace(probe_loss=parent.probe_loss + 0.01)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (renamed, "Stage 2 trains model.layers.0.mlp.up_proj, Stage 1's adapter has none"),
        (another_module, "Stage 1's adapter has .*gate_proj, Stage 2 trains no such"),
        (other_scale, r"lora\.scale was .* in Stage 1 and is .* in Stage 2"),
        (other_numbers, "holds other numbers than Stage 1 wrote down"),
        (other_base, "the base model was another in Stage 1 and is base in Stage 2"),
        (other_rank, "lora.rank was 3 in Stage 1 and is 2 in Stage 2"),
        (other_loss, "does not begin where Stage 1 ended"),
    ],
)
def test_another_adapter_stops_stage_2_before_its_first_step(
    stage1: Trained, fault: Any, named: str
) -> None:
    keep = MemoryCheckpoints()
    with pytest.raises(TrainingError, match=named):
        run(stage2_work(stage1), keep, fault(parent_of(stage1)))
    assert keep.kept == []


def test_an_engine_that_loads_nothing_or_has_another_base_is_found_out(stage1: Trained) -> None:
    with pytest.raises(TrainingError, match="holds other numbers"):
        run(stage2_work(stage1), parent=parent_of(stage1), deaf_load=True)
    with pytest.raises(TrainingError, match="loss of Stage 1's 5 probe rows was"):
        run(stage2_work(stage1), parent=parent_of(stage1), base=1)
    with pytest.raises(TrainingError, match=r"a_shape of .* was \(2, 8\) in Stage 1 and is"):
        run(stage2_work(stage1), parent=parent_of(stage1), ignores=frozenset({"rank"}))
    with pytest.raises(TrainingError, match="train Stage 1 first"):
        run(stage2_work(stage1))


def test_a_loss_that_is_no_number_names_the_rows_and_keeps_what_was_before() -> None:
    work, keep = stage1_work(), MemoryCheckpoints()
    first = 3  # nothing is due behind it: only the fault makes a checkpoint there
    before = {row for step in work.plan.steps[:first] for row in step.rows}
    bad = next(work.rows[row].id for row in work.plan.steps[first].rows if row not in before)
    with pytest.raises(TrainingError, match=rf"step {first + 1} of Stage 1 failed.*{bad}.*lower"):
        run(work, keep, poison=frozenset({bad}))
    step, _facts, arrays = keep.kept[-1]
    assert step == first
    assert all(np.isfinite(array).all() for array in arrays.values())


def test_an_engine_that_tells_nonsense_is_not_believed() -> None:
    class Nonsense(NumpyTrainEngine):
        def step(self, *args: Any) -> Any:
            return super().step(*args)._replace(loss=float("nan"))

    work = stage1_work()
    with pytest.raises(TrainingError, match="step 1 of Stage 1 failed: the loss or its gradient"):
        train(
            Nonsense(work.rows, SETTINGS), work, MemoryCheckpoints(),
            facts_of=facts_of, tolerance=1e-3,
        )  # fmt: skip


@pytest.mark.parametrize(
    ("part", "named"),
    [("validation", "the validation loss behind step 0 is no number"), ("probe", "the probe rows")],
)
def test_fixed_rows_without_a_loss_that_is_a_number_stop_it(part: str, named: str) -> None:
    work, keep = stage1_work(), MemoryCheckpoints()
    fixed = getattr(work, part)

    class Blind(NumpyTrainEngine):
        def losses(self, rows: Sequence[int], batch_size: int) -> list[LossSum]:
            nothing = LossSum(float("nan"), 1.0)
            return [nothing for _ in rows] if rows == fixed else super().losses(rows, batch_size)

    with pytest.raises(TrainingError, match=named):
        train(Blind(work.rows, SETTINGS), work, keep, facts_of=facts_of, tolerance=1e-3)
    assert keep.kept == []


def test_a_row_without_an_answer_is_refused_before_anything_is_trained() -> None:
    rows = make_rows(1)
    masked = rows.train[7].model_copy(update={"answer_start": len(rows.train[7].tokens)})
    with pytest.raises(TrainingError, match="row 1-train-7 has no token of an answer"):
        make_work(1, "base", SETTINGS, Rows(train=(*rows.train[:7], masked)))
    with pytest.raises(TrainingError, match=r"3 are longer than stage1\.max_tokens"):
        make_work(1, "base", SETTINGS, Rows(left_out=3))


def test_stage_2_is_refused_when_none_of_the_rows_it_has_to_replay_is_there(
    stage1: Trained,
) -> None:
    for theirs in (None, Rows(left_out=9)):
        with pytest.raises(TrainingError, match="no row of Stage 1 can be replayed"):
            make_work(2, "base", STAGE2, make_rows(2), theirs, stage1.training.probe)
    alone = STAGE2.model_copy(update={"replay": 0.0})
    assert make_work(2, "base", alone, make_rows(2), None, stage1.training.probe).replay == 0


def test_without_validation_rows_the_last_adapter_is_kept() -> None:
    work = make_work(1, "base", SETTINGS, make_rows(1, validation=0))
    training = run(work).training
    assert (training.best_step, training.validations) == (18, ())


def test_a_checkpoint_of_another_engine_is_refused(stage1: Trained) -> None:
    keep = MemoryCheckpoints()
    with pytest.raises(Killed):
        run(stage1_work(), keep, die_behind=9)
    step, facts, arrays = keep.kept[-1]
    some: Mapping[str, Any] = dict(list(arrays.items())[3:])
    with pytest.raises(TrainingError):
        run(stage1_work(), MemoryCheckpoints([(step, facts, some)]))
