"""`secai gate`: the verdicts that guard what leaves."""

import json
from dataclasses import asdict

import dagster as dg
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from secai_assets.definitions import build
from secai_assets.gate import GateLine, judge
from secai_assets.instance import open_instance
from secai_assets.publications import PUBLISHED
from secai_assets.resources.house import House
from secai_assets.run import steps_until
from secai_lib.core.errors import GateRefused


def print_gate(asset: str, *, as_json: bool) -> int:
    """The exit code: 0 when every blocking check of `asset` and before it passed, 7 otherwise.

    Score gates count as well: failed, they stop a push. An empty `asset` stands for all that the
    publications are made of when there are adapters, else for the report.

    Raises:
        UsageError: `asset` is none.
    """
    house = House()
    definitions = build(house)
    assets = set(steps_until(asset)) if asset else what_leaves(house, definitions)
    with open_instance(house.project) as instance:
        lines = judge(instance, definitions, assets, house)
    refused = [line for line in lines if not line.passed]
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        table = Table("", "Check", "Why", box=None, padding=(0, 2, 0, 0))
        for line in lines:
            table.add_row(_mark(line), f"{line.asset}.{line.check}", escape(line.sentence))
        console = Console(highlight=False)
        console.print(table)
        console.print(_summary(refused))
    return GateRefused.exit_code if refused else 0


def what_leaves(house: House, definitions: dg.Definitions) -> set[str]:
    """What the publications are made of, once there are adapters; before that, the report's."""
    if not all(house.store.manifest(f"stage{stage}_adapter") for stage in (1, 2)):
        return set(steps_until("report"))
    graph = definitions.resolve_asset_graph()
    keys = {key for name in PUBLISHED for key in graph.get_ancestor_asset_keys(dg.AssetKey(name))}
    return {key.to_user_string() for key in keys}


def _mark(line: GateLine) -> str:
    if line.passed:
        return "[green]passed[/]"
    return "[red]refused[/]" if line.refuses else "[yellow]no push[/]"


def _summary(refused: list[GateLine]) -> str:
    hard = [line for line in refused if line.refuses]
    if hard:
        return f"The gate refuses: {len(hard)} check(s)."
    if refused:
        return f"Only a candidate: {len(refused)} score gate(s) stop a push."
    return "The gate is open."
