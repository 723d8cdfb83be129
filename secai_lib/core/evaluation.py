"""How good the models are, and how sure that is."""

from collections.abc import Mapping
from typing import Literal

from secai_lib.core.record import Record


class Score(Record):
    """One measured share, with its interval."""

    contender: str
    """`base`, `stage1`, `stage2`, or a baseline: `majority`, `rule_lookup`, `nearest`, `copy`."""
    stage: Literal[1, 2]
    """Whose test part."""
    metric: str
    """Which predicate was counted, e.g. `all_fields`, `severity`, `proven`, `applies`."""
    group: str
    """`all`, or `facet:known`, `tool:checkov`, `category:container`, ..."""
    passed: int
    """Rows for which the predicate holds."""
    rows: int
    """Rows that were looked at."""
    low: float
    """Lower end of the interval; 0 without rows."""
    high: float
    """Upper end; 1 without rows."""

    @property
    def value(self) -> float:
        """Share of the rows for which the predicate holds; 0 without rows."""
        return self.passed / self.rows if self.rows else 0.0


class Retention(Record):
    """What Stage 2 left of Stage 1: its score after, as a share of its score before."""

    value: float
    """`after / before`; 0 where nothing was right before."""
    low: float
    """Lower end of the interval for a ratio of paired shares (Bonett and Price)."""
    high: float
    """Upper end; may exceed 1."""
    before: int
    """Rows that the Stage 1 model has right, all fields."""
    after: int
    """Rows that the Stage 2 model has right."""
    both: int
    """Rows that both have right."""
    rows: int
    """Rows that both were asked."""

    @property
    def forgotten(self) -> int:
        """Rows that were right before and are wrong after."""
        return self.before - self.both


class Evaluation(Record):
    """Everything measured in one examination: the file `evaluation.json`."""

    scores: tuple[Score, ...]
    """Sorted by stage, metric, group and contender."""
    test_sets: Mapping[str, str]
    """`stage1`, `stage2` -> SHA-256 of the ids and texts of the rows of the whole test part."""
    asked: Mapping[str, tuple[str, ...]]
    """`stage1`, `stage2` -> ids of the rows that were asked, sorted."""
    asked_untrained: Mapping[str, tuple[str, ...]]
    """Those of them that models were asked which were not trained for that stage."""
    models: Mapping[str, str]
    """`base`, `stage1`, `stage2` -> identity of what answered (base model, adapter digest)."""
    confidence: float
    """Level of the intervals."""
    retention: Retention | None = None
    """Stage 1's test part, answered by both models; None where one of them was not asked."""

    def score(self, contender: str, stage: int, metric: str, group: str = "all") -> Score | None:
        """The score of that name; None when it was not measured."""
        wanted = (contender, stage, metric, group)
        return next((s for s in self.scores
                     if (s.contender, s.stage, s.metric, s.group) == wanted), None)  # fmt: skip
