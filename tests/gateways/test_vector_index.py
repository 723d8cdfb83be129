import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from secai_lib.core.errors import StorageError
from secai_lib.gateways.vector_index import FaissIndex

ROOT = Path(__file__).resolve().parents[2]


def vectors(count: int, dimension: int = 32, *, seed: int = 1) -> NDArray[np.float32]:
    made = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made


@pytest.mark.parametrize(("flat_up_to", "kind"), [(500, "flat"), (499, "hnsw")])
def test_the_nearest_are_found_and_the_bytes_are_the_same_twice(flat_up_to: int, kind: str) -> None:
    data = vectors(500)
    index = FaissIndex.build(data, flat_up_to=flat_up_to)
    assert (index.kind, index.count, index.dimension) == (kind, 500, 32)
    assert index.to_bytes() == FaissIndex.build(data, flat_up_to=flat_up_to).to_bytes()
    again = FaissIndex.load(index.to_bytes(), dimension=32, count=500)
    assert again.kind == kind
    exact = np.argsort(-(data @ data[7]), kind="stable")[:10]
    rows, scores = again.search(data[7], 10)
    assert rows.tolist() == exact.tolist()
    assert scores[0] == pytest.approx(1, abs=1e-5) and (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("flat_up_to", [1000, 10])
def test_only_what_is_allowed_is_found_and_never_too_little(flat_up_to: int) -> None:
    data = np.repeat(vectors(1), 600, axis=0)  # all the same: a graph has few ways through them
    index = FaissIndex.build(data, flat_up_to=flat_up_to)
    allowed = np.zeros(600, dtype=np.bool_)
    allowed[[3, 400, 599]] = True
    rows, _ = index.search(data[0], 50, allowed)
    assert sorted(rows.tolist()) == [3, 400, 599]
    assert len(index.search(data[0], 50, ~allowed)[0]) == 50
    assert len(index.search(data[0], 50, np.zeros(600, dtype=np.bool_))[0]) == 0


def test_an_empty_index_answers_nothing_and_survives() -> None:
    empty = FaissIndex.build(np.empty((0, 32), dtype=np.float32), flat_up_to=10)
    loaded = FaissIndex.load(empty.to_bytes(), dimension=32, count=0)
    assert len(loaded.search(vectors(1)[0], 5)[0]) == 0


def damaged() -> list[bytes]:
    good = FaissIndex.build(vectors(20), flat_up_to=100).to_bytes()
    graph = FaissIndex.build(vectors(20), flat_up_to=1).to_bytes()
    return [b"", b"\x00" * 100, good[:-1], good[: len(good) // 2], b"XXXX" + good[4:], graph[:300]]


@pytest.mark.parametrize("data", damaged())
def test_a_damaged_index_is_one_sentence(data: bytes) -> None:
    with pytest.raises(StorageError, match="materialize knowledge_base again"):
        FaissIndex.load(data, dimension=32, count=20)


def test_another_dimension_or_count_is_refused() -> None:
    data = FaissIndex.build(vectors(20), flat_up_to=100).to_bytes()
    for dimension, count in ((31, 20), (32, 19)):
        with pytest.raises(StorageError, match="20 vectors of 32"):
            FaissIndex.load(data, dimension=dimension, count=count)
    with pytest.raises(StorageError, match="vectors of 8"):
        FaissIndex.load(data, dimension=32, count=20).search(vectors(1, 8)[0], 3)


MAC = """
import sys
sys.platform = "darwin"
from secai_lib.gateways import vector_index
class Stop(Exception): pass
class Watch:
    def find_spec(self, name, *_):
        if name in ("torch", "faiss"):
            print(name)
            raise Stop
sys.meta_path.insert(0, Watch())
try:
    vector_index._faiss()
except Stop:
    pass
"""


def test_on_macos_torch_comes_before_faiss() -> None:
    command = [sys.executable, "-c", MAC]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[:1] == ["torch"], done.stderr
