"""The files of a knowledge base, written together and read back only when they fit together."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from secai_lib.core.errors import StorageError
from secai_lib.core.knowledge import Document
from secai_lib.core.record import Record, canonical_json
from secai_lib.gateways.columns import DOCUMENTS
from secai_lib.gateways.embedder import text_hash
from secai_lib.gateways.tables import from_parquet, to_parquet
from secai_lib.gateways.vector_index import FaissIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INDEX, METADATA = "vulnerability_index.faiss", "vulnerability_metadata.json"
ROWS, VECTORS = "documents.parquet", "vectors.parquet"
FILES = (INDEX, METADATA, ROWS, VECTORS)
_DAMAGED = "the knowledge base is damaged ({}); materialize knowledge_base again"


class Header(Record):
    """What `vulnerability_metadata.json` says before its documents."""

    model: str
    """Identity of the embedding model: vectors of another cannot be compared."""
    dimension: int
    """Numbers of a vector."""
    count: int
    """Vectors, documents and ids."""
    index: str
    """`flat` or `hnsw`."""
    metric: str = "inner product of vectors of length 1"
    """What a score of the index is."""


@dataclass(frozen=True)
class Contents:
    """A knowledge base as it was read."""

    header: Header
    documents: list[Document]
    index: FaissIndex


def pack(
    documents: Sequence[Document],
    vectors: "NDArray[np.float32]",
    *,
    model: str,
    flat_up_to: int,
) -> dict[str, bytes]:
    """File name -> bytes for `documents` and a row of `vectors` for each; same in, same out."""
    index = FaissIndex.build(vectors, flat_up_to=flat_up_to)
    header = Header(model=model, dimension=index.dimension, count=len(documents), index=index.kind)
    rows = [{"row": row, **d.model_dump(mode="json")} for row, d in enumerate(documents)]
    return {
        INDEX: index.to_bytes(),
        METADATA: canonical_json(header.model_dump() | {"documents": rows}).encode(),
        ROWS: to_parquet(documents, DOCUMENTS),
        VECTORS: _vectors_file(documents, vectors),
    }


def unpack(files: Mapping[str, bytes]) -> Contents:
    """What `pack` wrote, verified: dimension, count and ids are the same in every file.

    Raises:
        StorageError: a file is missing or damaged, or belongs to another version.
    """
    if absent := sorted(set(FILES) - files.keys()):
        raise StorageError(_DAMAGED.format(f"without {', '.join(absent)}"))
    try:
        stored = json.loads(files[METADATA])
        ids = [row["id"] for row in stored.pop("documents")]
        header = Header.model_validate(stored)
        documents = from_parquet(files[ROWS], Document)
        ids_of_vectors = _read_vectors(files[VECTORS], ["id"])["id"].to_pylist()
    except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
        raise StorageError(_DAMAGED.format("a file cannot be read")) from error
    index = FaissIndex.load(files[INDEX], dimension=header.dimension, count=header.count)
    for name, found in (("documents", [d.id for d in documents]), ("vectors", ids_of_vectors)):
        if found != ids or len(ids) != header.count or len(set(ids)) != len(ids):
            raise StorageError(_DAMAGED.format(f"its {name} are not those of the index"))
    return Contents(header, documents, index)


def known_vectors(files: Mapping[str, bytes], model: str) -> "dict[str, NDArray[np.float32]]":
    """Hash of a text -> its vector, of a version made with `model`; empty when it was another."""
    header = unpack(files).header
    if header.model != model:
        return {}
    stored = _read_vectors(files[VECTORS], ["text", "vector"])
    # as Python's numbers they would take nine times their bytes
    numbers = stored["vector"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    vectors = numbers.reshape(header.count, header.dimension)
    return dict(zip(stored["text"].to_pylist(), vectors, strict=True))


def _vectors_file(documents: Sequence[Document], vectors: "NDArray[np.float32]") -> bytes:
    numbers = pa.array(vectors.reshape(-1), type=pa.float32())
    table = {
        "id": pa.array([d.id for d in documents], type=pa.string()),
        "text": pa.array([text_hash(d.text) for d in documents], type=pa.string()),
        "vector": pa.FixedSizeListArray.from_arrays(numbers, vectors.shape[1]),
    }
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(table), sink, compression="zstd")
    return bytes(sink.getvalue())


def _read_vectors(data: bytes, columns: list[str]) -> dict[str, Any]:
    """The Arrow columns of a file of vectors, by name."""
    # one thread and Arrow's own buffer: see gateways.tables
    table = pq.ParquetFile(pa.BufferReader(data)).read(columns=columns, use_threads=False)
    return {name: table.column(name) for name in columns}
