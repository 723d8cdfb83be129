"""The knowledge base as an asset makes, keeps, opens and repairs it; the embedder is a fake."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from secai_assets.assets import knowledge_base as asset
from secai_assets.cli.similar import print_similar
from secai_assets.resources import knowledge as door
from secai_assets.resources.house import House
from secai_lib.core.errors import StorageError, UsageError
from secai_lib.core.finding import Finding
from secai_lib.core.knowledge import Query
from secai_lib.core.manifest import Origin
from secai_lib.core.record import canonical_json
from secai_lib.core.scan_keys import place_key
from secai_lib.gateways.columns import CONTEXTS, FINDINGS, FIXES, PROBLEMS
from secai_lib.gateways.knowledge_files import INDEX
from secai_lib.gateways.tables import to_parquet
from tests.fakes.embedder import HashingEmbedder
from tests.fakes.records import (
    BRANCH,
    REPOSITORY,
    RUN,
    make_context,
    make_finding,
    make_fix,
    make_model,
    make_problem,
    make_result,
)

GOOD = {"raw_results": 1, "findings": 1, "distinct_fingerprints": 1, "evidence": 1} | dict.fromkeys(
    ("skipped_results", "malformed", "severity_unknown"), 0
)
MODEL = make_model(name="m", uri="local:m", architecture="bert")


def findings(count: int) -> list[Finding]:
    return [
        make_finding(result=make_result(rule_id=f"rule-{n}", message=f"message number {n}"))
        for n in range(count)
    ]


def fill(house: House, found: Sequence[Finding]) -> None:
    """A corpus with a problem, a context and a fix for each of `found`."""
    problems = [make_problem([finding]) for finding in found]
    place = place_key(REPOSITORY, BRANCH)
    contexts = [make_context(fingerprint=f.fingerprint) for f in found]
    fixes = [make_fix(problem) for problem in problems]

    def put(product: str, key: str, files: dict[str, bytes]) -> None:
        origin = Origin(inputs={}, settings="", code_version=str(len(found)))
        house.store.publish(product, files, key=key, origin=origin, counts=GOOD)

    put("findings", RUN, {"findings.parquet": to_parquet(found, FINDINGS)})
    put("code_contexts", RUN, {"contexts.parquet": to_parquet(contexts, CONTEXTS)})
    put("fixes", place, {"fixes.parquet": to_parquet(fixes, FIXES)})
    here = canonical_json([(REPOSITORY, BRANCH)] if found else []).encode()
    tables = {"problems.parquet": to_parquet(problems, PROBLEMS), "places.json": here}
    put("problems", "", tables)
    put("embedding_model", "", {"model.json": canonical_json(MODEL).encode()})


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(asset, "read_analyses", lambda _house, _place: [])
    return House()


def use(monkeypatch: pytest.MonkeyPatch, identity: str = "one") -> HashingEmbedder:
    """The embedder that takes the model's place from now on."""
    embedder = HashingEmbedder(identity=identity)
    for module in (asset, door):
        monkeypatch.setattr(module, "open_embedder", lambda _house, _say=None: embedder)
    return embedder


def make(house: House) -> list[str]:
    said: list[str] = []
    asset.make(house, {}, said.append)
    return said


def test_what_is_made_answers_and_leaves_the_problem_out(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    fill(house, findings(3))
    make(house)
    counts = house.store.require("knowledge_base").counts
    assert counts["documents"] == counts["vectors"] == counts["ids"] == 9
    assert (counts["finding"], counts["code"], counts["fix"], counts["analysis"]) == (3, 3, 3, 0)
    assert counts["found"] == counts["asked"] == 9
    assert house.store.reusable("knowledge_base", origin=asset.origin_of(house))
    knowledge = house.open_knowledge()
    assert knowledge is not None
    problem = make_problem(findings(1))
    (hits,) = knowledge.search([Query(text="message number 0", exclude=problem.id)], 9)
    assert len(hits) == 6 and problem.id not in {hit.document.group for hit in hits}
    assert knowledge.version == house.store.path("knowledge_base").readlink().name
    assert json.loads(house.store.read("knowledge_base", "examples.json"))


def test_only_new_texts_are_embedded_and_the_bytes_do_not_tell(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    fill(house, findings(2))
    make(house)
    embedder = use(monkeypatch)
    fill(house, findings(3))
    assert not house.store.reusable("knowledge_base", origin=asset.origin_of(house))
    make(house)
    texts = {f"Overly broad permissions\nmessage number {n}\nrule-{n}" for n in range(3)}
    assert texts & set(embedder.asked) == {text for text in texts if "number 2" in text}
    grown = house.store.require("knowledge_base").files
    (house.store.path("knowledge_base") / INDEX).write_bytes(b"broken")
    assert any("every text is embedded" in line for line in make(house))
    assert house.store.require("knowledge_base").files == grown


def test_another_fusion_is_another_ranking_to_show_and_to_count(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    fill(house, findings(2))
    make(house)
    monkeypatch.setenv("SECAI_KNOWLEDGE__FUSION_CONSTANT", "1")
    again = House()
    assert not again.store.reusable("knowledge_base", origin=asset.origin_of(again))


def test_vectors_of_two_models_are_never_mixed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, "one")
    fill(house, findings(2))
    make(house)
    embedder = use(monkeypatch, "two")
    said: list[str] = []
    assert house.open_knowledge(said.append) is None
    assert "another embedding model" in said[0]
    make(house)
    assert any("message number 0" in text for text in embedder.asked)
    assert house.open_knowledge() is not None


def test_prompts_go_without_what_is_not_there_and_say_why(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    assert house.open_knowledge(said.append) is None and "no knowledge base yet" in said[-1]
    use(monkeypatch)
    fill(house, findings(1))
    make(house)
    (house.store.path("knowledge_base") / INDEX).write_bytes(b"broken")
    assert house.open_knowledge(said.append) is None and "damaged" in said[-1]
    with pytest.raises(StorageError, match="damaged"):
        print_similar("anything", 0, "", as_json=False)
    monkeypatch.setenv("SECAI_ANALYSES__RETRIEVAL", "false")
    assert House().open_knowledge(said.append) is None and "is off" in said[-1]


def test_an_empty_corpus_is_a_knowledge_base_that_knows_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    fill(house, [])
    make(house)
    assert house.store.require("knowledge_base").counts["documents"] == 0
    knowledge = house.open_knowledge()
    assert knowledge is not None and knowledge.search([Query(text="a")], 3) == [[]]


def test_similar_finds_by_text_by_rule_and_by_problem(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match="secai demo"):
        print_similar("anything", 0, "", as_json=False)
    use(monkeypatch)
    fill(house, findings(3))
    make(house)
    print_similar("RULE-1", 1, "", as_json=True)
    (hit,) = json.loads(capsys.readouterr().out)
    assert "rule-1" in hit["document"]["keys"] and hit["lanes"]["exact"] == 1
    problem = make_problem(findings(1))
    print_similar(problem.id, 9, "fix", as_json=True)
    groups = {hit["document"]["group"] for hit in json.loads(capsys.readouterr().out)}
    assert len(groups) == 2 and problem.id not in groups
    print_similar("message \x1b[31m", 2, "", as_json=False)
    assert "\x1b" not in capsys.readouterr().out
