"""What the last knowledge base remembers of similar problems: hints for a prompt."""

from collections.abc import Sequence

from secai_lib.core.analysis import Facts
from secai_lib.core.knowledge import Document, DocumentKind, Query, Retriever

HINTS = (DocumentKind.FIX, DocumentKind.ANALYSIS)
"""What helps: how a similar problem was fixed, what was read in it."""
OVER_FETCH = 4
"""Hits looked at for each passage, since most documents are no hints."""


class Passages:
    """The hints for each problem; none where there is no knowledge base."""

    def __init__(self, retriever: Retriever | None, most: int) -> None:
        """Take at most `most` hints a problem out of `retriever`."""
        self._retriever = retriever if most else None
        self._most = most
        self._found: dict[str, tuple[Document, ...]] = {}

    @property
    def version(self) -> str:
        """Version of the knowledge base; empty for none."""
        return self._retriever.version if self._retriever else ""

    def look_up(self, facts: Sequence[Facts]) -> None:
        """Search for all of `facts` at once; hints of a problem itself are left out."""
        if not self._retriever or not facts:
            return
        hits = self._retriever.search([query_of(f) for f in facts], self._most * OVER_FETCH)
        for fact, found in zip(facts, hits, strict=True):
            hints = [
                hit.document
                for hit in found
                if hit.document.kind in HINTS and hit.document.group != fact.problem
            ]
            self._found[fact.problem] = tuple(hints[: self._most])

    def of(self, facts: Facts) -> tuple[Document, ...]:
        """The hints for the problem of `facts`, best first."""
        return self._found.get(facts.problem, ())


def query_of(facts: Facts) -> Query:
    """What is looked for to find problems like that of `facts`."""
    rules = {rule.split(":", 1)[-1] for rule in facts.rules}
    keys = {*facts.rules, *rules, *facts.cwes, *facts.advisories, facts.package} - {""}
    return Query(
        text=f"{facts.title}\n{facts.message}",
        keys=tuple(sorted(key.lower() for key in keys)),
        exclude=facts.problem,
    )
