"""Answers without a model: what a simple rule makes of the training part alone.

They are texts in the form that models answer in, and are marked by the same functions. None of
them sees a test answer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from secai_lib.core.disclosure import CWE, SEVERITY, states
from secai_lib.core.record import canonical_json
from secai_lib.core.shingles import jaccard, shingles
from secai_lib.core.training import Split, TrainingExample
from secai_lib.evaluation.labels import CLOSED, FIELDS, labels_of
from secai_lib.evaluation.transfer import block_text, carried_over


def training_part(rows: Iterable[TrainingExample]) -> list[TrainingExample]:
    """The rows to learn from, sorted by id; rewordings of a row count once."""
    known = (r for r in rows if r.split is Split.TRAIN and not r.metadata.augmented)
    return sorted(known, key=lambda row: row.id)


class Lookup:
    """The training part, ready to be asked for what is most frequent and what is most alike."""

    def __init__(self, train: Sequence[TrainingExample]) -> None:
        """Learn from `train`, which is not empty."""
        self._train = train
        self._shingles = {row.id: shingles(_evidence(row)) for row in train}
        self._by_rule: dict[tuple[str, str], list[TrainingExample]] = {}
        for row in train:
            self._by_rule.setdefault(_rule(row), []).append(row)

    def of_rule(self, row: TrainingExample) -> list[TrainingExample]:
        """The training rows of the row's rule; empty for a rule that was not seen."""
        return self._by_rule.get(_rule(row), [])

    def nearest(
        self, row: TrainingExample, among: Sequence[TrainingExample] = ()
    ) -> TrainingExample:
        """The training row (of `among`) that shares most shingles of its prompt with the row's."""
        mine = shingles(_evidence(row))
        return max(
            among or self._train,
            key=lambda known: (jaccard(mine, self._shingles[known.id]), known.id),
        )

    def frequent(self, among: Sequence[TrainingExample] = ()) -> dict[str, str]:
        """Field -> its most frequent label, for the fields that `among` (or all rows) have."""
        seen = [labels_of(row.response) or {} for row in among or self._train]
        return {
            field: _most_frequent(labels[field] for labels in seen if field in labels)
            for field in FIELDS
            if any(field in labels for labels in seen)
        }

    def frequent_answer(self) -> str:
        """The answer that most training rows have."""
        return _most_frequent(row.response for row in self._train)


def label_answers(known: Lookup, row: TrainingExample) -> dict[str, str]:
    """Baseline -> its answer to a row of Stage 1; every one names a label wherever it knows one."""
    majority = known.frequent()
    nearest = labels_of(known.nearest(row).response) or {}
    labels: Mapping[str, Mapping[str, str]] = {
        "majority": majority,
        "rule_lookup": majority | (known.frequent(own) if (own := known.of_rule(row)) else {}),
        "nearest": majority | nearest,
        "copy": _stated(row.instruction),
    }
    return {name: canonical_json(given) for name, given in labels.items()}


def edit_answers(known: Lookup, row: TrainingExample, window: Sequence[str]) -> dict[str, str]:
    """Baseline -> its answer to a row of Stage 2 about `window`.

    `rule_lookup` carries the edit of the most similar training row of the same rule over to the
    window; for a rule it has not seen it can only say what is most frequent.
    """
    frequent = known.frequent_answer()
    own = known.of_rule(row)
    return {
        "majority": frequent,
        "rule_lookup": carried_over(known.nearest(row, own).response, window) if own else frequent,
        "nearest": known.nearest(row).response,
        "copy": block_text(window, window),
    }


def _stated(prompt: str) -> dict[str, str]:
    """The labels that the words of a prompt give away."""
    labels = {
        field: label
        for field in ("category", "type")
        for label in sorted(CLOSED[field])
        if states(prompt, field, label)
    }
    found: dict[str, Callable[[], str]] = {
        "cwe": lambda: next((f"CWE-{match[1]}" for match in CWE.finditer(prompt)), ""),
        "severity": lambda: next(
            (word for match in SEVERITY.finditer(prompt) for word in sorted(CLOSED["severity"])
             if word in match[0].lower()), ""),
    }  # fmt: skip
    return labels | {field: label for field, find in found.items() if (label := find())}


def _rule(row: TrainingExample) -> tuple[str, str]:
    return row.metadata.tool, row.metadata.rule


def _evidence(row: TrainingExample) -> str:
    """The prompt without its task, which all rows share."""
    return row.instruction.partition("\n")[2]


def _most_frequent(values: Iterable[str]) -> str:
    """The most frequent value; of equally frequent ones the first by name."""
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], value))
