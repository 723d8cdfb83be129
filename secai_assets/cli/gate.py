"""`secai gate`: the verdicts that guard what leaves."""

import json
from dataclasses import asdict

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from secai_assets.definitions import build
from secai_assets.gate import judge
from secai_assets.instance import open_instance
from secai_assets.resources.house import House
from secai_assets.run import steps_until
from secai_lib.core.errors import GateRefused


def print_gate(asset: str, *, as_json: bool) -> int:
    """The exit code: 0 when every blocking check of `asset` and before it passed, 7 otherwise.

    Raises:
        UsageError: `asset` is none.
    """
    house, assets = House(), steps_until(asset)
    with open_instance(house.project) as instance:
        lines = judge(instance, build(house), assets)
    refused = [line for line in lines if not line.passed]
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], indent=2))
    else:
        table = Table("", "Check", "Why", box=None, padding=(0, 2, 0, 0))
        for line in lines:
            mark = "[green]passed[/]" if line.passed else "[red]refused[/]"
            table.add_row(mark, f"{line.asset}.{line.check}", escape(line.sentence))
        console = Console(highlight=False)
        console.print(table)
        console.print(
            "The gate is open." if not refused else f"The gate refuses: {len(refused)} check(s)."
        )
    return GateRefused.exit_code if refused else 0
