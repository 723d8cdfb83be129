"""Numbers as Markdown: only what was measured."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.evaluation import Evaluation, Score

NAMES: Mapping[str, str] = {
    "base": "base model, untrained", "stage1": "Stage 1 adapter", "stage2": "Stage 2 adapter",
    "majority": "baseline: most frequent answer", "rule_lookup": "baseline: look-up by rule",
    "nearest": "baseline: nearest training row", "copy": "baseline: code unchanged",
    "truth": "the data set's own answers (shows that the marking works)",
}  # fmt: skip
"""Contender -> how a card calls it."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; bars and line ends in cells cannot break it."""
    lines = [head, ["---"] * len(head), *rows]
    cells = ([" ".join(str(c).replace("|", "\\|").split()) for c in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def counts_table(head: tuple[str, str], counts: Mapping[str, object]) -> str:
    """Two columns, in the order of `counts`."""
    return markdown_table(head, counts.items())


def scores_of(evaluation: Evaluation, stages: Sequence[int]) -> list[Score]:
    """The scores over all rows and per facet that a card of `stages` shows, with rows at all."""
    return [
        score
        for score in evaluation.scores
        if score.stage in stages
        and score.rows
        and score.group.partition(":")[0] in {"all", "facet"}
    ]


def scores_table(evaluation: Evaluation, stages: Sequence[int]) -> str:
    """Share, interval and rows of every contender: `base`, the adapters and the baselines."""
    interval = f"{evaluation.confidence:.0%} interval"
    head = ("Task", "Rows of", "Who", "Measured", "Share", interval, "Rows")
    return markdown_table(
        head, [_score_cells(score) for score in sorted(scores_of(evaluation, stages), key=_order)]
    )


def _score_cells(score: Score) -> tuple[object, ...]:
    return (
        f"Stage {score.stage}",
        score.group.removeprefix("facet:"),
        NAMES.get(score.contender, score.contender),
        score.metric,
        f"{score.value:.3f}",
        f"{score.low:.3f} to {score.high:.3f}",
        score.rows,
    )


def _order(score: Score) -> tuple[object, ...]:
    known = list(NAMES)
    who = known.index(score.contender) if score.contender in known else len(known)
    return (score.stage, score.metric, score.group != "all", score.group, who, score.contender)
