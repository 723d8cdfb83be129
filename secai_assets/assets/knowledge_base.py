"""What is remembered of all problems, found again by meaning, by words and by exact key."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.analyses import analyses, read_analyses
from secai_assets.assets.code_contexts import code_contexts, read_contexts
from secai_assets.assets.embedding_model import embedding_model, read_embedding_model
from secai_assets.assets.fixes import Place, fixes, open_findings, places, read_fixes
from secai_assets.assets.problems import accepted_runs, problems, read_problems
from secai_assets.automation import when_parents_are_good
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_assets.resources.knowledge import PRODUCT, open_embedder, stored_files
from secai_lib.core.errors import StorageError
from secai_lib.core.knowledge import Document, DocumentKind
from secai_lib.core.manifest import Origin
from secai_lib.core.problem import ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import DOCUMENTS
from secai_lib.gateways.warehouse import put_documents

if TYPE_CHECKING:
    from secai_lib.rag import KnowledgeBase, Remembered

SAMPLE = 500
"""Most documents whose own text is searched for."""
EXAMPLES, NEAREST = 10, 2
"""Problems whose neighbours the UI shows, and how many of these."""


@dg.asset(
    deps=[problems, code_contexts, analyses, fixes, embedding_model],
    group_name="corpus",
    kinds={"faiss", "duckdb"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
    metadata={"dagster/column_schema": metadata.column_schema(DOCUMENTS, Document)},
)
def knowledge_base(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Findings, code, readings and proven fixes of every problem, ready to be searched.

    FAISS over MiniLM vectors, BM25 and exact keys are fused; a search for a problem leaves the
    problem itself out (`secai similar`). A text that was embedded before is not embedded again.
    """
    with explained():
        manifest = house.store.reusable(PRODUCT, origin=origin_of(house))
        reused = manifest is not None
        if manifest is None:
            run_child(context, house, __name__)
            manifest = house.store.require(PRODUCT)
        put_documents(house.store)
        examples = json.loads(house.store.read(PRODUCT, "examples.json"))
    by_kind = {kind.value: manifest.counts[kind.value] for kind in DocumentKind}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=reused)
        | {
            "dagster/row_count": dg.MetadataValue.int(manifest.counts["documents"]),
            "by_kind": metadata.bars("Documents by kind", by_kind),
            "index": dg.MetadataValue.text("hnsw" if manifest.counts["approximate"] else "flat"),
            "nearest": metadata.table(examples),
        },
    )


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    """Build the knowledge base, search it once for itself, and put it in force; no `options`."""
    from secai_lib.gateways.embedder import RememberingEmbedder
    from secai_lib.gateways.knowledge_files import pack, unpack
    from secai_lib.rag import KnowledgeBase, documents_of, self_recall

    origin = origin_of(house)
    remembered = [gather(house, place) for place in places(house)]
    documents = documents_of(remembered)
    behind = open_embedder(house, say)
    embedder = RememberingEmbedder(behind, _known(house, behind.identity, say))
    vectors = embedder.encode([document.text for document in documents])
    say(f"{len(documents)} documents, {embedder.made} texts embedded")
    limit = house.settings.knowledge.flat_up_to
    files = pack(documents, vectors, model=embedder.identity, flat_up_to=limit)
    read_back = unpack(files)
    knowledge = KnowledgeBase(
        "being made",
        read_back.documents,
        read_back.index,
        embedder,
        constant=house.settings.knowledge.fusion_constant,
    )
    found, asked = self_recall(knowledge, SAMPLE)
    files["examples.json"] = canonical_json(_examples(knowledge, remembered)).encode()
    counts = {kind.value: sum(d.kind is kind for d in documents) for kind in DocumentKind} | {
        "documents": len(read_back.documents),
        "ids": len({document.id for document in read_back.documents}),
        "vectors": read_back.index.count,
        "dimension": read_back.index.dimension,
        "model_dimension": embedder.dimension,
        "approximate": int(read_back.index.kind == "hnsw"),
        "asked": asked,
        "found": found,
    }
    house.store.publish(PRODUCT, files, counts=counts, origin=origin)


def origin_of(house: House) -> Origin:
    """What the knowledge base is made of."""
    runs, keys = accepted_runs(house)[0], [place.key for place in places(house)]
    slots = [("problems", "")]
    slots += [(product, key) for key in runs for product in ("findings", "code_contexts")]
    slots += [(product, key) for key in keys for product in ("analyses", "fixes")]
    files = {
        f"{product}/{key}": manifest.files
        for product, key in slots
        if (manifest := house.store.manifest(product, key))
    }
    return Origin(
        inputs={
            "corpus": content_hash(files),
            "embedding_model": read_embedding_model(house).identity,
        },
        settings=content_hash(
            house.settings.knowledge.flat_up_to, house.settings.knowledge.fusion_constant
        ),
        code_version=code_version(
            "rag",
            "gateways/columns",
            "gateways/embedder",
            "gateways/knowledge_files",
            "gateways/vector_index",
        ),
    )


def gather(house: House, place: Place) -> "Remembered":
    """Everything that is known of the problems of `place`."""
    from secai_lib.rag import Remembered

    mine = [p for p in read_problems(house) if Place(p.repository, p.branch) == place]
    found = open_findings(house, mine)
    runs = sorted({problem.run for problem in mine} | {finding.run for finding in found})
    contexts = {c.fingerprint: c for run in runs for c in read_contexts(house, run)}
    return Remembered(
        problems=tuple(mine),
        findings=tuple(found),
        contexts=tuple(contexts[f.fingerprint] for f in found if f.fingerprint in contexts),
        analyses=tuple(read_analyses(house, place)),
        fixes=tuple(read_fixes(house, place)),
    )


def _known(house: House, model: str, say: Callable[[str], None]) -> dict[str, Any]:
    """The vectors of the version before, where the same model made them."""
    from secai_lib.gateways.knowledge_files import known_vectors

    try:
        return known_vectors(stored_files(house)[1], model)
    except StorageError as error:
        say(f"every text is embedded: {error}")
        return {}


def _examples(
    knowledge: "KnowledgeBase", remembered: list["Remembered"]
) -> list[dict[str, object]]:
    """The nearest documents of other problems for the worst open problems, as rows of a table."""
    from secai_lib.rag import query_of

    asked = sorted(
        (
            (problem.severity.rank, problem.id, problem, query_of(problem, place.findings))
            for place in remembered
            for problem in place.problems
            if problem.state is ProblemState.OPEN
        ),
        key=lambda row: row[:2],
    )[:EXAMPLES]
    answers = knowledge.search([query for *_, query in asked], NEAREST)
    return [
        {
            "problem": problem.title,
            "nearest": hit.document.title,
            "kind": hit.document.kind.value,
            "fix_kind": hit.document.metadata.get("fix_kind", ""),
            "score": f"{hit.score:.4f}",
            "lanes": ", ".join(f"{lane} {rank}" for lane, rank in sorted(hit.lanes.items())),
        }
        for (_, _, problem, _), hits in zip(asked, answers, strict=True)
        for hit in hits
    ]
