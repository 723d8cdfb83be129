import numpy as np

from secai_lib.rag.fusion import fuse, ranks_of


def test_equals_share_a_rank_and_depth_counts_ranks() -> None:
    rows = np.array([7, 3, 9, 1])
    scores = np.array([0.5, 0.9, 0.5, 0.1], dtype=np.float32)
    assert ranks_of(rows, scores, 10) == {3: 1, 7: 2, 9: 2, 1: 4}
    assert ranks_of(rows, scores, 2) == {3: 1, 7: 2, 9: 2}
    assert ranks_of(rows[:0], scores[:0], 5) == {}


def test_fusion_is_the_sum_of_reciprocal_ranks() -> None:
    fused = fuse({"vector": {4: 1, 2: 2}, "bm25": {2: 1}, "exact": {}}, 60)
    assert [found.row for found in fused] == [2, 4]
    assert fused[0].score == 1 / 61 + 1 / 62
    assert fused[0].lanes == {"vector": 2, "bm25": 1}


def test_ties_go_to_the_lower_row_whatever_the_order_of_the_lanes() -> None:
    one = fuse({"a": {5: 1, 8: 2}, "b": {8: 1, 5: 2}}, 60)
    two = fuse({"b": {5: 2, 8: 1}, "a": {8: 2, 5: 1}}, 60)
    assert [f.row for f in one] == [f.row for f in two] == [5, 8]
