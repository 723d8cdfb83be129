"""The checks of an adapter pass on a good one and fail on what is planted."""

import math

from secai_lib.core.settings import Quality
from secai_lib.quality.adapters import (
    finite,
    loss_down,
    padding,
    resumed_from_stage1,
    settings_reached,
)

QUALITY = Quality()


def test_numbers_that_are_none_are_named() -> None:
    good = {"losses": [1.0, 0.5], "gradients": [2.0]}
    assert finite(good, []).passed
    for bad in (math.nan, math.inf):
        verdict = finite({**good, "gradients": [2.0, bad]}, [])
        assert not verdict.passed
        assert "gradients" in verdict.sentence
    assert not finite(good, ["the matrices are others"]).passed


def test_the_loss_has_to_fall() -> None:
    assert loss_down(2.0, 1.0, QUALITY).passed
    assert loss_down(2.0, 1.0, QUALITY).value == 0.5
    for before, after in ((2.0, 2.0), (2.0, 2.1), (2.0, math.nan), (math.nan, 1.0), (0.0, 0.0)):
        assert not loss_down(before, after, QUALITY).passed
    assert not loss_down(2.0, 1.5, Quality(adapters_min_loss_drop=0.3)).passed


def test_settings_that_did_not_arrive_are_named() -> None:
    assert settings_reached([], 24).passed
    verdict = settings_reached(["lora.rank: asked 16, found 8"], 24)
    assert not verdict.passed
    assert "lora.rank: asked 16, found 8" in verdict.sentence


def test_another_beginning_is_found_by_fact_and_by_loss() -> None:
    facts = {"parent": ("a", "a"), "rank": (16, 16)}
    assert resumed_from_stage1(facts, 1.5, 1.5, QUALITY).passed
    verdict = resumed_from_stage1({**facts, "parent": ("a", "b")}, 1.5, 1.5, QUALITY)
    assert not verdict.passed
    assert "parent is b and should be a" in verdict.sentence
    assert not resumed_from_stage1(facts, 1.5, 1.502, QUALITY).passed
    assert not resumed_from_stage1(facts, 1.5, math.nan, QUALITY).passed


def test_much_padding_is_said() -> None:
    assert padding(0.05, QUALITY).passed
    assert not padding(0.051, QUALITY).passed
