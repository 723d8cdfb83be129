"""Rates and early stop follow from settings and validation losses alone."""

import pytest

from secai_lib.core.settings import StageSettings
from secai_lib.training.schedule import learning_rate, stops_early


def rates(total: int, losses: list[float] | None = None, **changes: object) -> list[float]:
    settings = StageSettings.model_validate({"learning_rate": 1e-3, **changes})
    return [learning_rate(settings, step, total, losses or []) for step in range(total)]


def test_the_warm_up_is_a_share_of_all_steps_and_the_cosine_ends_at_a_tenth() -> None:
    found = rates(100, schedule="cosine", warmup=0.1)
    assert found[:10] == pytest.approx([1e-4 * (n + 1) for n in range(10)])
    assert found[10] == pytest.approx(1e-3)
    assert found[-1] == pytest.approx(1e-4)
    assert found[10:] == sorted(found[10:], reverse=True)


def test_constant_stays_and_no_warm_up_begins_at_the_top() -> None:
    assert rates(7, schedule="constant", warmup=0) == [1e-3] * 7
    assert rates(1, schedule="cosine", warmup=0) == [1e-3]


def test_a_plateau_lowers_the_rate_after_patience_and_never_below_the_floor() -> None:
    stuck = {"schedule": "plateau", "warmup": 0, "plateau_patience": 2, "plateau_floor": 3e-4}
    assert rates(1, [1.0, 1.0], **stuck) == [1e-3]
    assert rates(1, [1.0, 1.0, 1.1], **stuck) == [5e-4]
    assert rates(1, [1.0, 1.0, 0.9, 1.0], **stuck) == [1e-3]  # a better loss: patience anew
    assert rates(1, [1.0] * 9, **stuck) == [3e-4]


def test_it_stops_when_so_many_validations_brought_nothing() -> None:
    settings = StageSettings(early_stop=2)
    assert not stops_early(settings, [])
    assert not stops_early(settings, [1.0, 1.1])
    assert stops_early(settings, [1.0, 1.1, 1.0])
    assert not stops_early(settings, [1.0, 1.1, 0.9])
    assert not stops_early(StageSettings(early_stop=0), [1.0] * 50)
