import numpy as np
import pytest

from secai_lib.rag.lanes import KeyLane, WordLane, tokens_of

TEXTS = [
    "Upgrade lodash because of CVE-2021-23337",
    "Upgrading guava, see CVE-2020-8908",
    "containers run as root",
    "a container runs as root and may write; may write; may write",
]


def test_identifiers_stay_whole_and_words_are_stemmed() -> None:
    tokens = tokens_of("Upgrading CVE-2021-44228 in actions/checkout@v4 1.2.3", lambda w: w[:3])
    assert {"cve-2021-44228", "2021", "44228", "upg", "actions/checkout@v4", "1.2.3"} <= set(tokens)


def test_words_find_stems_and_whole_identifiers() -> None:
    lane = WordLane(TEXTS)
    assert np.argmax(lane.scores("cve-2020-8908")) == 1
    assert (lane.scores("upgraded")[:2] > 0).all() and not lane.scores("upgraded")[2:].any()
    assert np.argmax(lane.scores("running containers")) in (2, 3)


@pytest.mark.parametrize("text", ["", "   ", "!!! ???", "quetzalcoatl"])
def test_what_no_text_holds_scores_nothing(text: str) -> None:
    assert not WordLane(TEXTS).scores(text).any()


@pytest.mark.parametrize("texts", [[], [""], ["", "!!"]])
def test_nothing_to_index(texts: list[str]) -> None:
    assert WordLane(texts).scores("a b").shape == (len(texts),)


def test_a_word_counts_once_in_a_query_and_a_huge_query_is_bounded() -> None:
    lane = WordLane(TEXTS)
    assert np.array_equal(lane.scores("root " * 20_000), lane.scores("root"))


def test_a_rare_key_says_more_than_a_common_one() -> None:
    lane = KeyLane([("cwe-79", "xss"), ("cwe-79",), ("cwe-79",), ()])
    scores = lane.scores(["cwe-79", "xss", "unknown"])
    assert scores[0] > scores[1] == scores[2] > scores[3] == 0
    assert KeyLane([]).scores(["a"]).shape == (0,)
