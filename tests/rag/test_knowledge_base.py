from collections.abc import Sequence

import pytest

from secai_lib.core.knowledge import Document, DocumentKind, Query
from secai_lib.core.record import content_hash
from secai_lib.gateways.vector_index import FaissIndex
from secai_lib.rag import KnowledgeBase, self_recall
from tests.fakes.embedder import HashingEmbedder


def document(
    text: str,
    group: str,
    *,
    kind: DocumentKind = DocumentKind.FINDING,
    keys: tuple[str, ...] = (),
    fingerprints: str = "",
) -> Document:
    return Document(
        id=content_hash(kind, group, text),
        kind=kind,
        group=group,
        repository="acme/shop",
        title=text[:40],
        text=text,
        keys=keys,
        metadata={"fingerprints": fingerprints},
    )


def opened(documents: Sequence[Document], *, flat_up_to: int = 1000) -> KnowledgeBase:
    documents = sorted(documents, key=lambda d: d.id)
    embedder = HashingEmbedder()
    index = FaissIndex.build(embedder.encode([d.text for d in documents]), flat_up_to=flat_up_to)
    return KnowledgeBase("v1", documents, index, embedder, constant=60)


CORPUS = [
    document("the container runs as root", "p1", keys=("ckv_docker_8",)),
    document("run the container as another user", "p1", kind=DocumentKind.FIX),
    document("this image runs as root too", "p2", keys=("ckv_docker_8",)),
    document("set a user in the image", "p2", kind=DocumentKind.FIX),
    document("lodash is vulnerable CVE-2021-23337", "p3", keys=("cve-2021-23337", "lodash")),
]


def test_a_problem_never_finds_itself_and_says_which_lanes_found_what() -> None:
    query = Query(text="the container runs as root", keys=("ckv_docker_8",), exclude="p1")
    (hits,) = opened(CORPUS).search([query], 10)
    assert {hit.document.group for hit in hits} == {"p2", "p3"}
    assert hits[0].document.text == "this image runs as root too"
    assert hits[0].lanes == {"vector": 1, "bm25": 1, "exact": 1}
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_an_identifier_is_found_exactly_and_kinds_are_filtered() -> None:
    knowledge = opened(CORPUS)
    (hits,) = knowledge.search([Query(text="CVE-2021-23337", keys=("cve-2021-23337",))], 1)
    assert hits[0].document.group == "p3" and hits[0].lanes["exact"] == 1
    (fixes,) = knowledge.search([Query(text="root", exclude="p1")], 5, DocumentKind.FIX)
    assert [hit.document.text for hit in fixes] == ["set a user in the image"]


def test_a_big_group_of_ones_own_does_not_use_up_the_answers() -> None:
    mine = [document(f"root root root {n}", "me") for n in range(200)]
    others = [document(f"something else {n}", f"o{n}") for n in range(7)]
    for flat_up_to in (1000, 10):
        knowledge = opened([*mine, *others], flat_up_to=flat_up_to)
        (hits,) = knowledge.search([Query(text="root root root", exclude="me")], 7)
        assert len(hits) == 7 and not any(hit.document.group == "me" for hit in hits)


def test_the_same_finding_on_another_branch_is_no_neighbour() -> None:
    twin = document("the container runs as root on main", "main", fingerprints="aa bb")
    mine = document("the container runs as root on dev", "dev", fingerprints="bb")
    other = document("the container runs as root elsewhere", "other", fingerprints="cc")
    (hits,) = opened([twin, mine, other]).search([Query(text="root", exclude="dev")], 5)
    assert [hit.document.group for hit in hits] == ["other"]


def test_equal_documents_come_in_the_order_of_their_ids() -> None:
    same = [document("the very same", f"g{n}") for n in range(5)]
    (hits,) = opened(same).search([Query(text="the very same")], 5)
    assert [hit.document.id for hit in hits] == sorted(d.id for d in same)
    assert all(hit.lanes == {"vector": 1, "bm25": 1} for hit in hits)


def test_an_empty_base_and_one_document() -> None:
    assert opened([]).search([Query(text="a"), Query(text="b")], 3) == [[], []]
    assert self_recall(opened([]), 10) == (0, 0)
    one = opened(CORPUS[:1])
    assert len(one.search([Query(text="root")], 3)[0]) == 1
    assert one.search([Query(text="root", exclude="p1")], 3) == [[]]
    assert one.search([], 3) == []


@pytest.mark.parametrize("text", ["", "\x00\x1b", "x" * 40_000, "\ud800 root", "日本語"])
def test_strange_queries_are_answered(text: str) -> None:
    (hits,) = opened(CORPUS).search([Query(text=text, keys=("lodash",))], 2)
    assert hits and hits == opened(CORPUS).search([Query(text=text, keys=("lodash",))], 2)[0]


def test_every_document_finds_itself_and_a_mixed_up_index_is_noticed() -> None:
    documents = sorted(CORPUS, key=lambda d: d.id)
    assert self_recall(opened(documents), 500) == (5, 5)
    assert self_recall(opened(documents), 2)[1] == 2
    embedder = HashingEmbedder()
    vectors = embedder.encode([d.text for d in reversed(documents)])
    mixed = KnowledgeBase(
        "v", documents, FaissIndex.build(vectors, flat_up_to=10), embedder, constant=60
    )
    assert self_recall(mixed, 500)[0] < 5
