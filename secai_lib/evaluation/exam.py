"""What is asked: the frozen test part of a data set, or a spread selection of it."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.record import Record, canonical_json, content_hash, sha256_hex
from secai_lib.core.training import Split, TrainingExample

MODELS = ("base", "stage1", "stage2")
"""The contenders that are language models."""
TRAINED: Mapping[int, tuple[str, ...]] = {1: ("stage1", "stage2"), 2: ("stage2",)}
"""Stage -> the models that were trained for it."""
BASELINES = ("majority", "rule_lookup", "nearest", "copy")
"""The contenders that are none; a model that does not beat them has learnt nothing of use."""
TRUTH = "truth"
"""The data set's own answers, marked like everybody's: they show that the marking works."""
MAIN = {1: "all_fields", 2: "proven"}
"""Stage -> the predicate that counts."""


class Answer(Record):
    """What a contender said to one row."""

    contender: str
    """Who."""
    stage: int
    """Whose test part the row is of."""
    row: str
    """The row's id."""
    text: str
    """The answer, as it was made: hostile text."""
    key: str = ""
    """Hash over model, adapter, engine, decoding and question, which is not asked twice."""


class Marked(Record):
    """An answer and which predicates hold for it."""

    answer: Answer
    """The answer."""
    marks: Mapping[str, bool]
    """Predicate -> whether it holds; one that the row does not ask is absent."""
    why: str = ""
    """A word for why it is not right: a code of the applier, or failed checks of the proof."""


def held_back(rows: Iterable[TrainingExample]) -> list[TrainingExample]:
    """The rows of the test part, sorted by id."""
    return sorted((row for row in rows if row.split is Split.TEST), key=lambda row: row.id)


def frozen(test: Iterable[TrainingExample]) -> str:
    """SHA-256 over the ids and texts of a test part, the same in any order."""
    texts = sorted((row.id, row.instruction, row.response) for row in test)
    return sha256_hex(canonical_json(texts).encode())


def chosen(test: Iterable[TrainingExample], limit: int, seed: int) -> list[TrainingExample]:
    """At most `limit` rows of a test part (0: all), sorted by id.

    They are taken in turn from the facets, and within each facet in turn from the kinds of
    weakness or fix, in an order that `seed` and the rows' ids decide.
    """
    rows = sorted(test, key=lambda row: content_hash(seed, row.id))
    if not limit or len(rows) <= limit:
        return sorted(rows, key=lambda row: row.id)
    facets: dict[str, list[TrainingExample]] = {}
    for row in rows:
        facets.setdefault(row.facet.value, []).append(row)
    spread = _in_turn([_in_turn(_by_kind(facets[name])) for name in sorted(facets)])
    return sorted(spread[:limit], key=lambda row: row.id)


def _by_kind(rows: Iterable[TrainingExample]) -> list[list[TrainingExample]]:
    kinds: dict[str, list[TrainingExample]] = {}
    for row in rows:
        known = row.metadata
        kind = known.fix_type if row.stage == 2 else known.vulnerability_type.value
        kinds.setdefault(kind, []).append(row)
    return list(kinds.values())


def _in_turn(groups: Sequence[Sequence[TrainingExample]]) -> list[TrainingExample]:
    """The first of each group, then the second of each, and so on."""
    longest = max(map(len, groups), default=0)
    return [group[turn] for turn in range(longest) for group in groups if turn < len(group)]
