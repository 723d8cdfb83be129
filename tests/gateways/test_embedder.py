import numpy as np

from secai_lib.gateways.embedder import RememberingEmbedder, text_hash
from tests.fakes.embedder import HashingEmbedder


def test_a_text_is_embedded_once_and_answers_keep_their_order() -> None:
    behind = HashingEmbedder()
    embedder = RememberingEmbedder(behind)
    texts = ["a much longer text", "b", "a much longer text"]
    rows = embedder.encode(texts)
    assert behind.asked == ["b", "a much longer text"], "short ones first, each once"
    assert np.array_equal(rows, HashingEmbedder().encode(texts))
    embedder.encode(["b", "c"])
    assert behind.asked[2:] == ["c"] and embedder.made == 3
    assert (embedder.identity, embedder.dimension) == ("hashing", 64)


def test_known_vectors_are_taken_as_they_are() -> None:
    behind, known = HashingEmbedder(), np.full(64, 0.125, dtype=np.float32)
    embedder = RememberingEmbedder(behind, {text_hash("old"): known})
    rows = embedder.encode(["old", "new"])
    assert np.array_equal(rows[0], known) and behind.asked == ["new"]


def test_no_text_is_no_row() -> None:
    assert RememberingEmbedder(HashingEmbedder()).encode([]).shape == (0, 64)
    assert text_hash("\ud800") != text_hash("")
