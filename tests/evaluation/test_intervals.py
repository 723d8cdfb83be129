"""Intervals against scipy, against the literature, and against chance."""

import random

import pytest

from secai_lib.evaluation.intervals import paired_ratio, quantile, wilson

Z = quantile(0.95)


@pytest.mark.parametrize(("passed", "rows"), [(0, 8), (8, 8), (3, 12), (150, 300), (1, 1)])
def test_wilson_is_that_of_scipy(passed: int, rows: int) -> None:
    from scipy.stats import binomtest  # type: ignore[import-untyped]

    said = binomtest(passed, rows).proportion_ci(0.95, method="wilson")
    assert wilson(passed, rows, Z) == pytest.approx((said.low, said.high), abs=1e-9)


def test_without_rows_anything_is_possible() -> None:
    assert wilson(0, 0, Z) == (0.0, 1.0)
    assert paired_ratio(3, 0, 0, Z) == (0.0, float("inf"))


def test_a_ratio_of_equal_answers_is_near_one_and_of_none_kept_near_zero() -> None:
    low, high = paired_ratio(200, 200, 200, Z)
    assert 0.97 < low < 1 < high < 1.03
    low, high = paired_ratio(0, 50, 0, Z)
    assert low == 0
    assert high < 0.15


def test_the_interval_of_the_ratio_holds_the_truth_as_often_as_it_says() -> None:
    chance = random.Random(1)
    truth, inside, tries = 0.8, 0, 1000
    for _ in range(tries):
        before = [chance.random() < 0.7 for _ in range(100)]
        after = [was and chance.random() < truth for was in before]
        kept = sum(after)
        low, high = paired_ratio(kept, sum(before), kept, Z)
        inside += low <= truth <= high
    assert 0.92 < inside / tries < 0.99
