"""What the UI shows beside an asset: numbers, tables and small plots."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import dagster as dg

from secai_lib.core.manifest import Manifest
from secai_lib.core.record import Record, content_hash
from secai_lib.core.scan import ToolRun
from secai_lib.core.text import one_line
from secai_lib.gateways.schema import meanings
from secai_lib.gateways.tables import Columns

LABEL, BAR = 22, 12
"""Most letters of a label and of a bar."""
CURVE = 48
"""Most columns of a curve."""
LEVELS = "▁▂▃▄▅▆▇█"
"""The letters of a curve, lowest first."""
EIGHTHS: tuple[str, ...] = ("", *"▏▎▍▌▋▊▉")
"""The parts of a letter."""
ROWS = 20
"""Rows of a table: metadata lives in Dagster's event log, so tables stay samples."""


def of_manifest(manifest: Manifest, *, reused: bool) -> dict[str, dg.MetadataValue]:
    """The numbers every product has: counts, versions of what made it, whether it was reused."""
    facts: dict[str, dg.MetadataValue] = {
        name: dg.MetadataValue.int(count) for name, count in manifest.counts.items()
    }
    return facts | {
        "reused": dg.MetadataValue.bool(reused),
        "content": dg.MetadataValue.text(content_hash(manifest.files)),
        "code_version": dg.MetadataValue.text(manifest.origin.code_version),
        "settings_hash": dg.MetadataValue.text(manifest.origin.settings),
        "inputs": dg.MetadataValue.json(dict(manifest.origin.inputs)),
    }


def table(rows: Sequence[Mapping[str, object]]) -> dg.TableMetadataValue:
    """A table of the first rows; every value becomes short text or a number."""
    shown = [{name: _cell(value) for name, value in row.items()} for row in rows[:ROWS]]
    names = list(rows[0]) if rows else ["empty"]
    return dg.MetadataValue.table(
        records=[dg.TableRecord(row) for row in shown],
        schema=dg.TableSchema(
            columns=[
                dg.TableColumn(name, "int" if rows and isinstance(rows[0][name], int) else "string")
                for name in names
            ]
        ),
    )


def tools(runs: Iterable[ToolRun]) -> dg.TableMetadataValue:
    """Which scanners ran and which did not; one that is absent is not one that found nothing."""
    return table(
        [
            {
                "tool": run.tool,
                "status": run.status.value,
                "version": run.version,
                "detail": run.detail,
            }
            for run in runs
        ]
    )


def column_schema(columns: Columns[Any], *records: type[Record]) -> dg.TableSchema:
    """The columns of a stored table, as SQL sees them, described by the fields of `records`."""
    said = meanings(columns, *records)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, str(kind), description=said[name] or None)
            for name, (kind, _) in columns.items()
        ]
    )


def count_by(values: Iterable[str]) -> dict[str, int]:
    """How often each value occurs, most often first, then by name."""
    counts: dict[str, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def bars(title: str, counts: Mapping[str, int]) -> dg.MetadataValue:
    """A bar chart of `counts` in letters: the UI shows Markdown in place up to 1,000 characters."""
    shown = list(counts.items())[:ROWS]
    names = [one_line(name, LABEL) for name, _ in shown]
    width, top = max(map(len, names), default=0), max(counts.values(), default=0)
    lines = [
        f"{name:<{width}} {_bar(count, top)} {count:,}"
        for name, (_, count) in zip(names, shown, strict=True)
    ]
    if len(counts) > ROWS:
        lines.append(f"and {len(counts) - ROWS} more")
    chart = "\n".join(lines or ["nothing"])
    return dg.MetadataValue.md(f"**{title}**\n\n```text\n{chart}\n```")


def curves(title: str, series: Mapping[str, Sequence[float]]) -> dg.MetadataValue:
    """A line of letters for each of the first series, all on one scale that begins at zero."""
    shown = dict(list(series.items())[:ROWS])
    names = {name: one_line(name, LABEL) for name in shown}
    width = max(map(len, names.values()), default=0)
    top = max((max(values) for values in shown.values() if values), default=0)
    lines = []
    for name, values in shown.items():
        step = (len(LEVELS) - 1) / top if top else 0.0
        drawn = "".join(LEVELS[round(value * step)] for value in values[-CURVE:])
        lines.append(f"{names[name]:<{width}} {drawn} {values[-1]:,}" if values else names[name])
    chart = "\n".join(lines or ["nothing"])
    return dg.MetadataValue.md(f"**{title}**\n\n```text\n{chart}\n```")


def curve(title: str, values: Sequence[float]) -> dg.MetadataValue:
    """A line of letters for a series of numbers: the mean of each stretch, lowest to highest."""
    columns = min(CURVE, len(values))
    edges = [len(values) * n // columns for n in range(columns + 1)] if columns else []
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    if not means:
        return dg.MetadataValue.md(f"**{title}**\n\n```text\nnothing\n```")
    low, high = min(means), max(means)
    step = (len(LEVELS) - 1) / (high - low) if high > low else 0.0
    drawn = "".join(LEVELS[round((mean - low) * step)] for mean in means)
    said = f"first {values[0]:.4g}, last {values[-1]:.4g}, lowest {min(values):.4g}"
    return dg.MetadataValue.md(f"**{title}**\n\n```text\n{drawn}\n{said}\n```")


def _bar(count: int, top: int) -> str:
    """A bar of eighths of a letter, as long as `count` is of `top`."""
    eighths = round(BAR * 8 * count / top) if top else 0
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8]


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, int | float | bool):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
