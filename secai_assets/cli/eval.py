"""`secai eval`: how good the models are, in the terminal."""

import json
from collections.abc import Sequence
from dataclasses import replace

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.assets.evaluation import (
    NAME,
    examine,
    journal_of,
    read_evaluation,
)
from secai_assets.cli.flow import finish
from secai_assets.cli.terminal import shown
from secai_assets.examination import contenders
from secai_assets.resources.house import House
from secai_assets.run import run_again
from secai_lib.core.evaluation import Evaluation, Score
from secai_lib.core.verdict import Verdict
from secai_lib.evaluation.exam import MAIN
from secai_lib.evaluation.page import PREDICATES, TITLES, contenders_of, groups_of, render_markdown
from secai_lib.quality.evaluation import score_gates

errors = Console(stderr=True, highlight=False)


def print_evaluation(
    stage: int, max_rows: int, *, as_json: bool = False, as_markdown: bool = False
) -> None:
    """Print the examination in force, made first where it is missing or out of date.

    With a `stage` (1 or 2) or `max_rows` (above 0) only so much is asked, and nothing is stored.

    Raises:
        TrainingError: an adapter does not belong to this base model or these data sets.
    """
    house = House()
    stages = (stage,) if stage else (1, 2)
    if stage or max_rows:
        made = _examined(_with_rows(house, max_rows), stages)
    else:
        outcome = run_again(house, NAME)
        if NAME not in outcome.made:
            finish(outcome)
        made = read_evaluation(house)
    verdicts = list(score_gates(made, house.settings.quality))
    if as_json:
        rows = {**made.model_dump(mode="json"), "gates": [v.model_dump() for v in verdicts]}
        typer.echo(json.dumps(rows, sort_keys=True, indent=2))
    elif as_markdown:
        typer.echo(render_markdown(made, verdicts, brief=True))
    else:
        _print(made, stages, verdicts)


def _examined(house: House, stages: Sequence[int]) -> Evaluation:
    with house.store.lock("models"):
        return examine(house, contenders(house), stages, journal_of(house), _say).evaluation


def _with_rows(house: House, max_rows: int) -> House:
    if not max_rows:
        return house
    settings = house.settings
    capped = settings.evaluation.model_copy(update={"max_rows": max_rows})
    changed = settings.model_copy(update={"evaluation": capped})
    return House(replace(house.project, settings=changed))


def _print(made: Evaluation, stages: Sequence[int], verdicts: Sequence[Verdict]) -> None:
    console = Console(highlight=False)
    for stage in stages:
        console.print(f"\n[bold]{TITLES[stage]}[/]", _by_predicate(made, stage))
        console.print(_by_group(made, stage))
    if kept := made.retention:
        console.print(
            f"Retention {kept.value:.2f} ({kept.low:.2f} to {kept.high:.2f}): of {kept.rows} rows "
            f"{kept.before} right before, {kept.after} after, {kept.forgotten} forgotten"
        )
    for verdict in verdicts:
        mark = "[green]passed[/]" if verdict.passed else "[red]failed[/]"
        console.print(f"{mark}  {verdict.name}: {shown(verdict.sentence, 600)}", soft_wrap=True)


def _by_predicate(made: Evaluation, stage: int) -> Table:
    """Everybody's rows right, with the interval, and shares of the other predicates in percent."""
    metric = MAIN[stage]
    others = [name for name in PREDICATES[stage] if name != metric]
    table = Table("", metric, "interval", *others, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in contenders_of(made, stage):
        score = made.score(name, stage, metric)
        interval = f"{score.low:.2f}-{score.high:.2f}" if score else "-"
        shares = (made.score(name, stage, predicate) for predicate in others)
        table.add_row(
            name, _counted(score), interval, *(f"{s.value:.0%}" if s else "-" for s in shares)
        )
    return table


def _by_group(made: Evaluation, stage: int) -> Table:
    """Everybody's rows right in each group of rows."""
    metric, names = MAIN[stage], contenders_of(made, stage)
    table = Table("", *names, box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for group in groups_of(made, stage):
        cells = [_counted(made.score(name, stage, metric, group)) for name in names]
        table.add_row(shown(group), *cells)
    return table


def _counted(score: Score | None) -> str:
    return f"{score.passed}/{score.rows}" if score else "-"


def _say(line: str) -> None:
    errors.print(shown(line))
