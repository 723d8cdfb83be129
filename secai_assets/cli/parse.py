"""`secai parse`: what reports say, without storing anything."""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_lib.core.errors import UnsafeArchive, UsageError
from secai_lib.core.finding import Location, Result, Skipped
from secai_lib.core.scan import LeftOut
from secai_lib.core.text import one_line
from secai_lib.findings import fingerprints, intake
from secai_lib.gateways.archive import read_reports
from secai_lib.parsers import parse_report


def parse_paths(paths: Sequence[Path], output_format: str, *, distinct: bool) -> int:
    """The exit code: 0 when every file was read, 1 when one was malformed or refused.

    Raises:
        UsageError: unknown format, or nothing at a path.
    """
    if output_format not in ("jsonl", "table"):
        raise UsageError(f"--format {output_format}: choose jsonl or table")
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is nothing at {path}")
    refused: list[Skipped] = []
    files = list(report_files(paths, refused))
    reports, skipped = intake(files, parse_report)
    skipped = [*refused, *skipped, *(s for report in reports for s in report.skipped)]
    results = [result for report in reports for result in report.results]
    rows = list(zip(fingerprints(results), results, strict=True))
    if distinct:
        rows = list(
            {fingerprint: (fingerprint, result) for fingerprint, result in reversed(rows)}.values()
        )[::-1]
    (_print_jsonl if output_format == "jsonl" else _print_table)(rows)
    return tell_skipped(skipped)


def tell_skipped(skipped: Sequence[Skipped]) -> int:
    """The exit code: 1 when something was malformed; each entry is a line on standard error."""
    for entry in skipped:
        place = f" at {entry.pointer}" if entry.pointer else ""
        kind = "malformed" if entry.malformed else "skipped"
        line = one_line(f"{kind}: {entry.file}{place}: {entry.reason}", 1000)
        sys.stderr.write(f"{line}\n")
    return int(any(entry.malformed for entry in skipped))


def report_files(paths: Sequence[Path], refused: list[Skipped]) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file at `paths`; what was left out is added to `refused`.

    Raises:
        UsageError: a path cannot be read.
    """
    limits = House().limits
    for path in paths:
        prefix = f"{path.name}/" if path.is_dir() and len(paths) > 1 else ""
        left_out: list[LeftOut] = []
        try:
            for name, data in read_reports(path, limits, left_out):
                yield prefix + name, data
        except UnsafeArchive as error:
            refused.append(Skipped(file=path.name, reason=error.reason, malformed=True))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}") from error
        refused += [Skipped(file=prefix + one.path, reason=one.reason) for one in left_out]


def _print_jsonl(rows: Sequence[tuple[str, Result]]) -> None:
    for fingerprint, result in rows:
        line = {
            "tool": result.tool,
            "rule": result.rule_id,
            "severity": result.severity.value,
            "message": result.message,
            "location": result.location.model_dump(mode="json"),
            "fingerprint": fingerprint,
            **result.model_dump(mode="json", exclude={"tool", "rule_id", "severity", "message"}),
        }
        sys.stdout.write(json.dumps(line) + "\n")


def _print_table(rows: Sequence[tuple[str, Result]]) -> None:
    table = Table(
        "Severity", "Tool", "Rule", "Place", "Fingerprint", box=None, padding=(0, 2, 0, 0)
    )
    for fingerprint, result in rows:
        cells = (
            result.severity.value,
            result.tool,
            result.rule_id,
            place_of(result.location),
            fingerprint,
        )
        table.add_row(*(shown(cell) for cell in cells))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(rows)} results")


def place_of(location: Location) -> str:
    """A place in one short text."""
    match location.kind:
        case "source" | "lockfile":
            line = f":{location.start_line}" if location.start_line else ""
            return f"{location.path}{line}"
        case "image":
            return location.image
        case "archive":
            return f"{location.image}!{location.archive}"
        case "url":
            return f"{location.method} {location.url}"
        case _:
            return "-"
