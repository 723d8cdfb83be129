"""The before/after page and its Markdown: scores with intervals, gates, answers side by side.

Everything a model said, and every text of a repository, is hostile: the page escapes it, runs no
script, and loads nothing.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from secai_lib.core.evaluation import Evaluation, Score
from secai_lib.core.record import Record
from secai_lib.core.text import one_line, plural, spaced, visible
from secai_lib.core.training import TrainingExample
from secai_lib.core.verdict import Verdict
from secai_lib.evaluation.exam import BASELINES, MAIN, MODELS, TRUTH, Marked

PREDICATES: Mapping[int, tuple[str, ...]] = {
    1: ("valid", "category", "cwe", "severity", "type", "all_fields"),
    2: ("valid", "applies", "changed", "syntax", "specific", "proven", "exact"),
}
"""Stage -> what its table shows, the predicate that counts among them."""
TITLES = {1: "Stage 1: reading a weakness", 2: "Stage 2: fixing it"}
EXAMPLES = 6
"""Rows of each stage that are shown."""
LONGEST = 4_000
"""Characters of a text on the page."""


class Example(Record):
    """One row with the answers of the models beside the true one."""

    stage: int
    """Whose test part."""
    row: TrainingExample
    """The row."""
    answers: Mapping[str, Marked]
    """Contender (`truth` among them) -> its answer."""


def examples(
    rows: Mapping[str, TrainingExample], marked: Sequence[Marked], stage: int, limit: int = EXAMPLES
) -> list[Example]:
    """At most `limit` rows of a stage, in turn from every pattern of who was right.

    The patterns (base, Stage 1, Stage 2 right or wrong) come in a fixed order and the rows of each
    by id, so that neither a good nor a bad answer is picked by hand.
    """
    by_row: dict[str, dict[str, Marked]] = {}
    for one in marked:
        if one.answer.stage == stage and one.answer.contender in (*MODELS, TRUTH):
            by_row.setdefault(one.answer.row, {})[one.answer.contender] = one
    patterns: dict[tuple[bool, ...], list[str]] = {}
    for row in sorted(by_row):
        own = by_row[row]
        right = tuple(n in own and own[n].marks[MAIN[stage]] for n in reversed(MODELS))
        patterns.setdefault(right, []).append(row)
    groups = [patterns[pattern] for pattern in sorted(patterns, reverse=True)]
    longest = max(map(len, groups), default=0)
    order = [group[turn] for turn in range(longest) for group in groups if turn < len(group)]
    return [Example(stage=stage, row=rows[row], answers=by_row[row]) for row in order[:limit]]


def render_page(
    evaluation: Evaluation, verdicts: Sequence[Verdict], shown: Sequence[Example]
) -> str:
    """The whole page as HTML: no outside resource and no script."""
    style = Markup(_environment().get_template("style.css.j2").render())  # noqa: S704 - our own text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template("evaluation.html.j2")
    return page.render(**_values(evaluation, verdicts, shown), style=style, policy=policy) + "\n"


def render_markdown(
    evaluation: Evaluation, verdicts: Sequence[Verdict], *, brief: bool = False
) -> str:
    """The tables as Markdown, for cards and reviews; `brief` without tools and categories."""
    kinds = ("facet:", "files:", "asked:") if brief else ("",)
    page = _environment().get_template("evaluation.md.j2")
    return page.render(**_values(evaluation, verdicts, (), kinds)) + "\n"


def contenders_of(evaluation: Evaluation, stage: int) -> list[str]:
    """Who was examined in `stage`: models, then baselines."""
    asked = {score.contender for score in evaluation.scores if score.stage == stage}
    return [name for name in (*MODELS, *BASELINES) if name in asked]


def groups_of(evaluation: Evaluation, stage: int) -> list[str]:
    """The groups of rows of `stage` beside `all`, sorted."""
    return sorted({s.group for s in evaluation.scores if s.stage == stage} - {"all"})


def cell(score: Score | None) -> str:
    """A score for people: `5/12 (0.19-0.68)`; a dash where nothing was measured."""
    if score is None or not score.rows:
        return "-"
    return f"{score.passed}/{score.rows} ({score.low:.2f}-{score.high:.2f})"


def _values(
    evaluation: Evaluation,
    verdicts: Sequence[Verdict],
    shown: Sequence[Example],
    kinds: tuple[str, ...] = ("",),
) -> dict[str, object]:
    """What the templates show; of the groups those whose names begin with one of `kinds`."""
    stages = [stage for stage in (1, 2) if contenders_of(evaluation, stage)]
    return {
        "evaluation": evaluation,
        "verdicts": verdicts,
        "stages": stages,
        "titles": TITLES,
        "predicates": PREDICATES,
        "main": MAIN,
        "contenders": {stage: contenders_of(evaluation, stage) for stage in stages},
        "groups": {
            stage: [group for group in groups_of(evaluation, stage) if group.startswith(kinds)]
            for stage in stages
        },
        "shown": shown,
        "models": (*MODELS, TRUTH),
    }


def _safe(text: str) -> str:
    """A text of any origin, its hidden characters visible, cut where it is endless."""
    return visible(text[:LONGEST], keep="\n\t") + ("…" if len(text) > LONGEST else "")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("secai_lib.evaluation"),
        autoescape=select_autoescape(enabled_extensions=("html.j2",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plural": plural, "line": one_line, "spaced": spaced, "cell": cell, "safe_text": _safe
    }  # fmt: skip
    return environment
