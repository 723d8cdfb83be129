"""`secai export`: the trained adapters as others load them, and what they computed then."""

import json
from typing import Literal

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.cli.flow import finish
from secai_assets.resources.house import House
from secai_assets.run import run_again
from secai_lib.core.errors import UsageError

PRODUCTS = {"1": "stage1_peft", "2": "stage2_peft", "fused": "fused_model"}
"""What `--stage` may be, beside `all`."""


def export_adapters(stage: str, *, as_json: bool) -> None:
    """Make the exports of `stage`, with all they are made of, and print what was measured.

    Raises:
        UsageError: there is no such stage, or nothing was scanned yet.
        MissingTool: the model packages are not installed.
    """
    if stage not in {*PRODUCTS, "all"}:
        raise UsageError(f"--stage {stage}: choose one of {', '.join(PRODUCTS)}, all")
    products = list(PRODUCTS.values()) if stage == "all" else [PRODUCTS[stage]]
    house, rows = House(), []
    for product in products:
        outcome = run_again(house, product)
        if product in outcome.made:
            rows.append(_facts(house, product))
        if not outcome.ok:
            _print(rows, as_json=as_json)
            finish(outcome)
    _print(rows, as_json=as_json)


def _facts(house: House, product: str) -> dict[str, object]:
    """What was measured of the export in force, and where it lies."""
    folder = f"data/{product}/current"
    if product == "fused_model":
        from secai_assets.assets.fused_model import read_facts

        facts = read_facts(house)
        said = {"logit_change": facts.logit_change, "survival": facts.shipped.worst}
        return {"export": product, "folder": folder, "precision": facts.precision, **said}
    from secai_assets.resources.exports import read_parity

    parity = read_parity(house, product)
    said = {"logit_change": parity.peft_change, "mlx_change": parity.mlx_change}
    return {"export": product, "folder": folder, "modules": parity.modules, **said}


def _print(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("Export", "Folder, in SECAI_HOME", "Logits differ by", "Measured", box=None)
    known: tuple[Literal["export", "folder"], ...] = ("export", "folder")
    for row in rows:
        rest = {k: v for k, v in row.items() if k not in {*known, "logit_change"}}
        shown = ", ".join(
            f"{name} {value:.2g}" if isinstance(value, float) and value < 0.1 else
            f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
            for name, value in rest.items()
        )  # fmt: skip
        table.add_row(str(row["export"]), str(row["folder"]), f"{row['logit_change']:.1e}", shown)
    Console(highlight=False).print(table)
