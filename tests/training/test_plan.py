"""The plan: every row once an epoch, little padding, and the share of replay that is asked for."""

import random
from collections import Counter

import pytest

from secai_lib.core.settings import StageSettings
from secai_lib.training.plan import epoch, make_plan, padding_share
from tests.fakes.training_work import make_rows

LENGTHS = [random.Random(n).randrange(80, 512) for n in range(422)]
REPLAY = [random.Random(1000 + n).randrange(120, 480) for n in range(145)]


def test_every_row_is_in_one_batch_of_an_epoch_and_no_batch_is_too_large() -> None:
    batches = epoch(LENGTHS, 4, random.Random(1))
    assert sorted(row for batch in batches for row in batch) == list(range(422))
    assert Counter(len(batch) for batch in batches) == {4: 105, 2: 1}


def test_padding_is_little_where_random_batches_waste_a_third() -> None:
    plan = make_plan(LENGTHS, REPLAY, StageSettings(iterations=300, replay=0.25))
    batches = [batch for step in plan.steps for batch in step.batches]
    assert padding_share(batches, [*LENGTHS, *REPLAY]) < 0.05
    order = list(range(422))
    random.Random(1).shuffle(order)
    plain = [tuple(order[n : n + 4]) for n in range(0, 422, 4)]
    assert padding_share(plain, LENGTHS) > 0.25


@pytest.mark.parametrize(("share", "total", "replayed"), [(0.25, 400, 100), (0.15, 353, 53)])
def test_replay_is_a_share_of_the_mix_on_top_of_the_own_steps(
    share: float, total: int, replayed: int
) -> None:
    plan = make_plan(LENGTHS, REPLAY, StageSettings(iterations=300, replay=share))
    assert (len(plan.steps), sum(step.replayed for step in plan.steps)) == (total, replayed)
    rows = Counter(row >= 422 for step in plan.steps for row in step.rows)
    assert rows[True] / rows.total() == pytest.approx(share, abs=0.01)
    for step in plan.steps:
        assert {row >= 422 for row in step.rows} == {step.replayed}
    # spread evenly: never more than one step away from the even share
    for done in range(1, total + 1):
        so_far = sum(step.replayed for step in plan.steps[:done])
        assert abs(so_far - share * done) <= 1


def test_nothing_is_replayed_without_rows_or_without_a_share() -> None:
    for replay, share in (([], 0.25), (REPLAY, 0.0)):
        plan = make_plan(LENGTHS, replay, StageSettings(iterations=10, replay=share))
        assert [step.replayed for step in plan.steps] == [False] * 10


def test_accumulated_batches_go_through_the_rows_once_before_a_row_comes_again() -> None:
    settings = StageSettings(iterations=20, batch_size=3, accumulation=2)
    lengths = [len(row.tokens) for row in make_rows(1, train=25).train]
    plan = make_plan(lengths, [], settings)
    assert {len(step.batches) for step in plan.steps} == {2}
    read = [row for step in plan.steps for row in step.rows]
    assert sorted(read[:25]) == sorted(read[25:50]) == list(range(25))
    assert read[:25] != read[25:50]


def test_equal_inputs_give_equal_plans_and_each_setting_of_the_order_changes_it() -> None:
    base = StageSettings(iterations=20, replay=0.25)
    digest = make_plan(LENGTHS, REPLAY, base).digest
    assert make_plan(LENGTHS, REPLAY, base).digest == digest
    for change in ({"seed": 18}, {"batch_size": 2}, {"accumulation": 2}, {"replay": 0.15}):
        assert make_plan(LENGTHS, REPLAY, base.model_copy(update=change)).digest != digest
