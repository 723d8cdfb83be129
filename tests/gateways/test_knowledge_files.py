import json

import numpy as np
import pytest

from secai_lib.core.errors import StorageError
from secai_lib.core.knowledge import Document, DocumentKind
from secai_lib.gateways.embedder import text_hash
from secai_lib.gateways.knowledge_files import (
    FILES,
    INDEX,
    METADATA,
    ROWS,
    VECTORS,
    known_vectors,
    pack,
    unpack,
)
from tests.fakes.embedder import HashingEmbedder


def documents(count: int = 5) -> list[Document]:
    return [
        Document(
            id=f"{n:016x}",
            kind=DocumentKind.FIX,
            group=f"p{n}",
            repository="acme/shop",
            title=f"title {n}",
            text=f"text number {n}",
            keys=("cwe-79",),
            metadata={"fix_kind": "k", "severity": "low"},
        )
        for n in range(count)
    ]


def packed(count: int = 5, *, model: str = "m", flat_up_to: int = 100) -> dict[str, bytes]:
    made = documents(count)
    vectors = HashingEmbedder().encode([d.text for d in made])
    return pack(made, vectors, model=model, flat_up_to=flat_up_to)


@pytest.mark.parametrize("count", [0, 1, 5])
def test_there_and_back_and_the_same_bytes_twice(count: int) -> None:
    files = packed(count)
    assert set(files) == set(FILES) and files == packed(count)
    contents = unpack(files)
    assert contents.documents == documents(count)
    assert (contents.index.count, contents.header.count) == (count, count)
    assert contents.header.dimension == 64


def test_the_export_explains_itself_to_whoever_has_only_the_two_files() -> None:
    exported = json.loads(packed()[METADATA])
    assert (exported["model"], exported["index"], exported["dimension"]) == ("m", "flat", 64)
    assert [row["row"] for row in exported["documents"]] == [0, 1, 2, 3, 4]
    assert exported["documents"][3]["title"] == "title 3"


def test_vectors_are_remembered_by_text_and_never_across_models() -> None:
    known = known_vectors(packed(), "m")
    expected = HashingEmbedder().encode(["text number 2"])[0]
    assert np.array_equal(known[text_hash("text number 2")], expected)
    assert known_vectors(packed(), "another") == {}
    assert known_vectors(packed(0), "m") == {}


def test_files_that_do_not_fit_together_are_refused() -> None:
    good, other = packed(5), packed(4)
    for name in FILES:
        for wrong in (good | {name: other[name]}, {n: d for n, d in good.items() if n != name}):
            with pytest.raises((StorageError), match="materialize knowledge_base again"):
                unpack(wrong)


@pytest.mark.parametrize("name", [INDEX, METADATA, ROWS, VECTORS])
@pytest.mark.parametrize("data", [b"", b"{}", b"\xff" * 64])
def test_a_damaged_file_is_one_sentence(name: str, data: bytes) -> None:
    with pytest.raises(StorageError, match="damaged"):
        unpack(packed() | {name: data})
    with pytest.raises(StorageError):
        known_vectors(packed() | {name: data}, "m")


def test_rows_in_another_order_are_refused() -> None:
    stored = json.loads(packed()[METADATA])
    stored["documents"].reverse()
    with pytest.raises(StorageError, match="not those of the index"):
        unpack(packed() | {METADATA: json.dumps(stored).encode()})
