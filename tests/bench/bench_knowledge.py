"""Flat against graph index by size, a fused search, and texts embedded a second.

The embedding model: the folder in SECAI_BENCH_EMBEDDING (safetensors), else the one in the models
folder; without it only the indexes are measured. SECAI_BENCH_SIZES names other sizes.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.errors import SecAIError
from secai_lib.core.knowledge import Document, DocumentKind, Query
from secai_lib.core.model import ModelFormat
from secai_lib.gateways.config import load_project
from secai_lib.gateways.embedder import SentenceEmbedder
from secai_lib.gateways.models import ModelShelf
from secai_lib.gateways.vector_index import FaissIndex
from secai_lib.rag import KnowledgeBase
from tests.bench.table import Row
from tests.fakes.embedder import HashingEmbedder

DIMENSION, QUERIES, NEAREST = 384, 200, 10
SIZES = (1_000, 10_000, 100_000)
WORDS = ("permissions", "workflow", "token", "container", "root", "image", "upgrade", "cookie")


def run() -> Iterator[Row]:
    """Every measurement, smallest first."""
    sizes = os.environ.get("SECAI_BENCH_SIZES", "")
    wanted = [int(size) for size in sizes.split(",")] if sizes else list(SIZES)
    with suppress(SecAIError):  # no model here, and none is fetched for a measurement
        yield _embedding(_model())
    for size in wanted:
        yield _index(size)
        if size <= 10_000:
            yield _fused(size)


def clustered(count: int, *, seed: int) -> NDArray[np.float32]:
    """Vectors of length 1 round 1 centre per 20, as problems lie round rules; made once per run."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(count // 20, 1), DIMENSION))
    made = centres[random.integers(len(centres), size=count)]
    made += 0.6 * random.normal(size=(count, DIMENSION))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    return made.astype(np.float32)


def _index(size: int) -> Row:
    vectors = clustered(size + QUERIES, seed=7)
    queries, vectors = vectors[size:], vectors[:size]
    flat = FaissIndex.build(vectors, flat_up_to=size)
    start = time.perf_counter()
    graph = FaissIndex.build(vectors, flat_up_to=size - 1)
    built = time.perf_counter() - start
    exact = [set(flat.search(q, NEAREST)[0].tolist()) for q in queries]
    near = [set(graph.search(q, NEAREST)[0].tolist()) for q in queries]
    recall = sum(len(a & b) for a, b in zip(exact, near, strict=True)) / (QUERIES * NEAREST)
    slow = p95(lambda number: flat.search(queries[number], NEAREST))
    quick = p95(lambda number: graph.search(queries[number], NEAREST))
    detail = (
        f"p95 flat {1000 * slow:.2f} ms, hnsw {1000 * quick:.2f} ms, recall@{NEAREST} of hnsw "
        f"{recall:.3f}, built in {built:.1f} s"
    )
    return Row(f"hnsw, {size} vectors", slow / quick, "flat", detail)


def _fused(size: int) -> Row:
    random = np.random.default_rng(3)
    texts = [" ".join(random.choice(WORDS, 20)) + f" cve-2020-{n}" for n in range(size)]
    documents = [_document(number, text) for number, text in enumerate(texts)]
    embedder = HashingEmbedder(DIMENSION)
    index = FaissIndex.build(embedder.encode(texts), flat_up_to=size)
    start = time.perf_counter()
    knowledge = KnowledgeBase("v", documents, index, embedder, constant=60)
    opened = time.perf_counter() - start
    queries = [Query(text=d.text, keys=d.keys, exclude=d.group) for d in documents[:QUERIES]]
    vectors = embedder.encode([q.text for q in queries])
    alone = p95(lambda number: index.search(vectors[number], 50))
    fused = p95(lambda number: knowledge.search([queries[number]], 5))
    detail = (
        f"p95 {1000 * fused:.2f} ms, vectors alone {1000 * alone:.2f} ms, opened in {opened:.2f} s"
    )
    return Row(f"fused search, {size} documents", alone / fused, "vectors alone", detail)


def _embedding(folder: Path) -> Row:
    random = np.random.default_rng(5)
    texts = [" ".join(random.choice(WORDS, int(n))) for n in random.integers(20, 120, size=64)]
    embedder = SentenceEmbedder(folder, "bench")
    embedder.encode(texts[:2])
    start = time.perf_counter()
    embedder.encode(texts)
    ours = len(texts) / (time.perf_counter() - start)
    start = time.perf_counter()
    embedder._model.encode(texts, batch_size=8, show_progress_bar=False)
    batched = len(texts) / (time.perf_counter() - start)
    detail = f"{ours:.1f} texts/s, batches of 8: {batched:.1f} texts/s"
    return Row("texts embedded alone, one per core", ours / batched, "batches of 8", detail)


def p95(call: Callable[[int], object]) -> float:
    """Seconds of CPU that were enough for 95 % of the queries; other programs do not count."""
    seconds = []
    for number in range(QUERIES):
        start = time.process_time()
        call(number)
        seconds.append(time.process_time() - start)
    return float(np.quantile(seconds, 0.95))


def _document(number: int, text: str) -> Document:
    return Document(
        id=f"{number:016x}",
        kind=DocumentKind.FINDING,
        group=f"p{number}",
        repository="r",
        title=text[:20],
        text=text,
        keys=(f"rule-{number % 50}", f"cve-2020-{number}"),
        metadata={},
    )


def _model() -> Path:
    if named := os.environ.get("SECAI_BENCH_EMBEDDING"):
        return Path(named)
    project = load_project()
    model = ModelShelf(project.models).find(project.embedding_model)
    if model is None:
        raise SecAIError("the embedding model is not in the models folder")
    return ModelShelf(project.models).folder(model, ModelFormat.SAFETENSORS)
