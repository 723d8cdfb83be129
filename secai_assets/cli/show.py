"""What the terminal shows at the end."""

import json
import shlex
from collections.abc import Collection, Sequence

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.assets.fixes import places
from secai_assets.assets.report import gather
from secai_assets.cli.learned import learned_files, learned_rows
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.intake import DEMO
from secai_lib.core.finding import Finding
from secai_lib.report.summary import Summary, SummaryRow, summary_rows

out = Console(highlight=False)
STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


def print_summary(
    house: House, wanted: Collection[tuple[str, str]], made: Collection[str], *, as_json: bool
) -> None:
    """Print the numbers of every place in `wanted` (repository, branch), as far as `made`."""
    here = [place for place in places(house) if tuple(place) in wanted]
    summaries = {place: summary_rows(gather(house, place)) for place in here}
    learned = learned_rows(house, here, made)
    if as_json:
        rows: dict[str, object] = {p.key: s.model_dump(mode="json") for p, s in summaries.items()}
        if learned:
            rows["learned"] = [row.model_dump(mode="json") for row in learned]
        typer.echo(json.dumps(rows, sort_keys=True, indent=2))
        return
    for summary in summaries.values():
        _print_one(summary)
    if learned:
        out.print("\n[bold]What was learned[/]")
        _print_rows(learned)
    out.print("\n[bold]Where the files lie[/]")
    for place, summary in summaries.items():
        for name in summary.files:
            _print_path(house, str(house.store.path("report", place.key) / name))
    for path in learned_files(house, here, made):
        _print_path(house, path)


def explain_next_steps(house: House, wanted: Collection[tuple[str, str]], repo: str) -> None:
    """Say what to do now; `repo` is the checkout as the user named it."""
    here = [place for place in places(house) if tuple(place) in wanted]
    steps = []
    if here:
        folder = _relative(house, str(house.store.path("report", here[0].key)))
        steps.append(("Read", f"{folder}/report.html", "in a browser: where to begin"))
    if repo != DEMO:
        steps.append(("Apply", f".venv/bin/secai fix {shlex.quote(repo)} --apply", "the patch"))
    steps += [
        ("Verify", ".venv/bin/secai verify", "replay every proof"),
        ("Explore", ".venv/bin/secai up", "lineage, checks and data in the Dagster UI"),
    ]
    if repo == DEMO:
        steps.append(("Your own", "make demo REPO=/path/to/your/checkout", "nothing is changed"))
    out.print("\n[bold]What to do next[/]")
    for what, how, why in steps:  # commands are for copying, so they are never folded or cut
        out.print(f"  {what:<8}  {how}  ({why})", soft_wrap=True, markup=False)


def print_findings(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print findings, worst first."""
    ranked = sorted(
        found, key=lambda f: (f.result.severity.rank, f.result.path or "", f.fingerprint)
    )
    if as_json:
        typer.echo(
            json.dumps([f.model_dump(mode="json") for f in ranked], sort_keys=True, indent=2)
        )
        return
    table = Table("Severity", "Tool", "Rule", "Place", "What", box=None, padding=(0, 2, 0, 0))
    for finding in ranked:
        result = finding.result
        place = f"{result.path or result.location.kind}{f':{result.line}' if result.line else ''}"
        severity = result.severity.value
        table.add_row(
            f"[{STYLES.get(severity, 'dim')}]{severity}[/]",
            *(shown(text) for text in (result.tool, result.rule_id, place, result.title)),
        )
    out.print(table)
    out.print(f"{len(ranked)} findings")


def _print_one(summary: Summary) -> None:
    out.print(f"\n[bold]{shown(summary.title)}[/]\n")
    _print_rows(summary.rows)
    for title, rows in (
        ("Proven fixes by kind", summary.fixes),
        ("Without a fix, and why", summary.abstentions),
    ):
        out.print(f"\n[bold]{title}[/]")
        table = Table.grid(padding=(0, 2))
        for row in rows:
            table.add_row(f"{row.value:>6,}", shown(row.label), f"[dim]{shown(row.detail)}[/]")
        out.print(table if rows else "  none")
    if summary.not_run:
        out.print("\n[bold]Not run[/] (which is not the same as clean)")
        for line in summary.not_run:
            out.print(f"  {shown(line)}", soft_wrap=True)


def _print_rows(rows: Sequence[SummaryRow]) -> None:
    table = Table.grid(padding=(0, 2))
    for row in rows:
        table.add_row(shown(row.label), f"[bold]{row.value:>6,}[/]", f"[dim]{shown(row.detail)}[/]")
    out.print(table)


def _print_path(house: House, path: str) -> None:
    out.print(f"  {_relative(house, path)}", soft_wrap=True, markup=False)


def _relative(house: House, path: str) -> str:
    root = str(house.project.root)
    return path.removeprefix(root).lstrip("/") if path.startswith(root) else path
