"""Does the index hold what it should, and is it found again?"""

from collections.abc import Mapping

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most


def size_parity(counts: Mapping[str, int]) -> Verdict:
    """Every document has one vector and one id of its own."""
    documents, vectors, ids = (counts[name] for name in ("documents", "vectors", "ids"))
    return at_most(
        "size_parity",
        max(documents, vectors, ids) - min(documents, vectors, ids),
        0,
        good=f"{documents} documents, as many vectors and ids.",
        bad=f"{documents} documents, but {vectors} vectors and {ids} ids.",
    )


def dimension(counts: Mapping[str, int]) -> Verdict:
    """The vectors of the index are as long as those of the model that asks it."""
    index, model = counts["dimension"], counts["model_dimension"]
    return at_most(
        "dimension",
        abs(index - model),
        0,
        good=f"Vectors of {index} numbers, as the embedding model makes them.",
        bad=f"The index holds vectors of {index} numbers, the embedding model makes {model}.",
    )


def self_recall(counts: Mapping[str, int], quality: Quality) -> Verdict:
    """A search for a document's own text finds it first."""
    asked, found = counts["asked"], counts["found"]
    return at_least(
        "self_recall",
        round(found / asked, 4) if asked else 1.0,
        quality.knowledge_min_self_recall,
        good=f"{found} of {asked} documents are the first hit for their own text.",
        bad=f"Only {found} of {asked} documents are the first hit for their own text.",
    )
