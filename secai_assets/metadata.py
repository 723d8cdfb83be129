"""What the UI shows beside an asset: numbers, tables and small plots."""

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from secai_lib.core.manifest import Manifest
from secai_lib.core.record import Record, content_hash
from secai_lib.gateways.tables import Columns

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


def column_schema(columns: Columns[Any], *records: type[Record]) -> dg.TableSchema:
    """The columns of a stored table, as SQL sees them, described by the fields of `records`."""
    fields = {name: f for record in reversed(records) for name, f in record.model_fields.items()}
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name, str(kind), description=fields[name].description if name in fields else None
            )
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
    """A bar chart of `counts` as an inline picture (SVG, a few kB)."""
    width, row, label = 620, 24, 210
    top = max([1, *counts.values()])
    parts = []
    for index, (name, count) in enumerate(list(counts.items())[:20]):
        y = 34 + index * row
        length = max(2, round((width - label - 70) * count / top))
        parts.append(
            f'<text x="{label - 8}" y="{y + 14}" text-anchor="end">{html.escape(name[:32])}</text>'
            f'<rect x="{label}" y="{y}" width="{length}" height="18" rx="3" fill="#4f7cff"/>'
            f'<text x="{label + length + 6}" y="{y + 14}">{count}</text>'
        )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{44 + len(parts) * row}"'
        ' font-family="sans-serif" font-size="13" fill="#334155">'
        f'<rect width="100%" height="100%" fill="#f8fafc"/>'
        f'<text x="12" y="20" font-weight="bold">{html.escape(title)}</text>{"".join(parts)}</svg>'
    )
    picture = base64.b64encode(svg.encode()).decode()
    return dg.MetadataValue.md(f"![{title}](data:image/svg+xml;base64,{picture})")


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, int | float | bool):
        return value
    text = ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return text if len(text) <= 200 else text[:199] + "…"
