"""How alike two texts are."""

import pytest

from secai_lib.core.shingles import jaccard, shingles


def test_likeness_is_between_nothing_and_all() -> None:
    text = "the quick brown fox jumps over the lazy dog"
    assert jaccard(shingles(text), shingles(text.upper())) == 1
    assert jaccard(shingles(text), shingles("other words are all that stand here")) == 0
    assert shingles("a b c d") == {"a b c", "b c d"}
    assert jaccard(shingles("a b c d"), shingles("a b c e")) == pytest.approx(1 / 3)


def test_signs_count_and_short_texts_are_one_run() -> None:
    assert shingles("a: b") == {"a : b"}
    assert shingles("a") == {"a"}
    assert shingles("") == {""}
