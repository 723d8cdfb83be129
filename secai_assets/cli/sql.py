"""`secai schema` and `secai sql`: what can be asked of the findings, and asking it."""

import json
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError
from secai_lib.gateways.schema import TABLES
from secai_lib.gateways.store import write_synced
from secai_lib.gateways.tables import parquet_bytes
from secai_lib.gateways.warehouse import ask

FORMATS = ("table", "jsonl", "parquet")
ROWS, CELL, PIPED = 1000, 60, 1000
"""Rows of a printed table, letters of a cell, and letters of a line that no terminal bounds."""


def print_schema(name: str, *, as_json: bool) -> None:
    """Print every table and view, or the columns of one.

    Raises:
        UsageError: there is no such table.
    """
    if name and name not in TABLES:
        raise UsageError(f"there is no table {name}; there are {', '.join(TABLES)}")
    wanted = {name: TABLES[name]} if name else TABLES
    if as_json:
        rows = {
            name: {
                "about": table.about,
                "view": bool(table.query),
                "columns": [
                    {"name": column, "type": str(kind), "about": said}
                    if not table.query
                    else {"name": column, "about": said}
                    for column, (kind, said) in table.columns.items()
                ],
            }
            for name, table in wanted.items()
        }
        typer.echo(json.dumps(rows, indent=2))
        return
    out = Console(highlight=False)
    if name:
        out.print(TABLES[name].about)
        columns = Table("Column", "Type", "Meaning", box=None, padding=(0, 2, 0, 0))
        for column, (kind, said) in TABLES[name].columns.items():
            columns.add_row(column, "" if TABLES[name].query else shown(str(kind)), shown(said))
        out.print(columns)
        return
    tables = Table("Table", "What a row is", box=None, padding=(0, 2, 0, 0))
    for name, table in wanted.items():
        tables.add_row(f"{name} [dim](view)[/]" if table.query else name, shown(table.about))
    out.print(tables)
    out.print("[dim]`secai schema TABLE` shows the columns, `secai sql QUERY` asks.[/]")


def print_answer(query: str, output_format: str, output: Path | None) -> None:
    """Print (or write to `output`) what the warehouse answers.

    Raises:
        UsageError: an unknown format, nothing was scanned yet, or the query is wrong.
    """
    if output_format not in FORMATS:
        raise UsageError(f"--format {output_format}: choose {', '.join(FORMATS)}")
    answer = ask(House().store, query)
    if output_format == "parquet":
        if output is None:
            raise UsageError("--format parquet needs a file: add --output FILE")
        data = parquet_bytes(answer)
    elif output_format == "jsonl" or output is not None:
        lines = (json.dumps(row, default=str) + "\n" for row in answer.to_pylist())
        data = "".join(lines).encode()
    else:
        if answer.num_columns > 1 and "record" in answer.column_names:
            answer = answer.drop_columns(["record"])  # a page of JSON in every row
        rows = Table(box=None, padding=(0, 2, 0, 0))
        for name in answer.column_names:
            rows.add_column(name, no_wrap=True)
        for row in answer.slice(length=ROWS).to_pylist():
            rows.add_row(
                *("" if value is None else shown(_text(value), CELL) for value in row.values())
            )
        out = Console(highlight=False)
        out.print(rows, width=None if out.is_terminal else PIPED)
        more = f"; the first {ROWS} are shown" if answer.num_rows > ROWS else ""
        out.print(f"[dim]{answer.num_rows} rows{more}[/]")
        return
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        write_synced(output, data)
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror}") from error


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
