"""`secai routes` and `secai map-url`: the route table of a checkout, and what answers a URL."""

import json
from collections.abc import Iterable
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.intake import DEMO
from secai_lib.core.context import RouteMatch
from secai_lib.core.errors import UsageError
from secai_lib.gateways.sample import create_sample
from secai_lib.route_mapping import RouteTable, match_url, route_table

_FORMATS = ("jsonl", "table")


def print_routes(repo: str, output_format: str) -> None:
    """Print every route of the checkout `repo`; places that could not be read go to stderr.

    Raises:
        UsageError: unknown format.
        SourceError: no repository, no commit, or it cannot be read.
    """
    _check(output_format)
    table = _table(repo)
    fields = ("service", "framework", "method", "pattern", "path", "line", "end_line")
    _print(output_format, (route.model_dump(include=set(fields)) for route in table.routes), fields)
    for gap in table.gaps:
        typer.echo(f"not read: {shown(gap.path)}:{gap.line}: {gap.reason}", err=True)


def print_mapped(repo: str, urls: Path, output_format: str) -> None:
    """Print one answer for each `METHOD URL` line of the file `urls`, in their order.

    A line without a method is asked as GET, an empty line is answered with a reason.

    Raises:
        UsageError: unknown format, or `urls` cannot be read.
        SourceError: no repository, no commit, or it cannot be read.
    """
    _check(output_format)
    try:
        lines = urls.read_text("utf-8", errors="replace").splitlines()
    except OSError as error:
        raise UsageError(f"{urls} cannot be read: {error.strerror}") from error
    table = _table(repo)
    answers = (_answer(table, line) for line in lines)
    _print(output_format, answers, ("method", "url", "handler", "service", "reason"))


def _answer(table: RouteTable, line: str) -> dict[str, object]:
    method, _, url = line.strip().rpartition(" ")
    method, url = method.strip() or "GET", url.strip()
    match = match_url(table, url, method)
    return {
        "method": method,
        "url": url,
        "handler": _handler(match),
        "service": match.service or None,
        "cause": None,  # a URL alone does not say which header or CORS alert it is about
        "reason": match.reason or None,
    }


def _handler(match: RouteMatch) -> dict[str, object] | None:
    if match.reason:
        return None
    return {
        "file": match.path,
        "line": match.line,
        "end_line": match.end_line,
        "framework": match.endpoint_type,
        "route": match.pattern,
    }


def _table(repo: str) -> RouteTable:
    house = House()
    folder = create_sample(house.project.home / DEMO) if repo == DEMO else Path(repo)
    snapshot = house.source.snapshot(folder)
    return route_table(house.source.files(snapshot.repository, snapshot.commit))


def _check(output_format: str) -> None:
    if output_format not in _FORMATS:
        raise UsageError(f"--format {output_format}: choose jsonl or table")


def _print(output_format: str, rows: Iterable[dict[str, object]], columns: tuple[str, ...]) -> None:
    if output_format == "jsonl":
        for row in rows:
            typer.echo(json.dumps(row, ensure_ascii=False))
        return
    table = Table(*columns)
    for row in rows:
        table.add_row(*(shown(_cell(row[column])) for column in columns))
    Console().print(table)


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return f"{value['file']}:{value['line']} {value['route']}"
    return "" if value is None else str(value)
