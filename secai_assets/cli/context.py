"""`secai context`: the code behind each finding of reports, at a commit of a checkout."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.cli.parse import report_files, tell_skipped
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.intake import DEMO
from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext
from secai_lib.core.errors import UsageError
from secai_lib.core.finding import Finding, LockfileLocation, Skipped
from secai_lib.core.fix import SourceFiles
from secai_lib.findings import distinct, intake
from secai_lib.gateways.sample import create_sample
from secai_lib.manifests import package_use
from secai_lib.parsers import parse_report


def print_contexts(repo: str, reports: Path | None, commit: str, output_format: str) -> int:
    """The exit code: 0 when every report was read, 1 when one was malformed or refused.

    One row for each distinct finding, sorted by tool, place and rule. Nothing but the commit's
    files is stored.

    Raises:
        UsageError: unknown format, or no reports.
        SourceError: no repository, no such commit, or it cannot be read.
    """
    if output_format not in ("jsonl", "table"):
        raise UsageError(f"--format {output_format}: choose jsonl or table")
    if reports is None or not reports.exists():
        raise UsageError("say with --findings where the reports are: a file, a folder or a zip")
    house, refused = House(), list[Skipped]()
    folder = create_sample(house.project.home / DEMO) if repo == DEMO else Path(repo)
    snapshot = house.source.snapshot(folder, commit)
    files = house.source.files(snapshot.repository, snapshot.commit)
    parsed, skipped = intake(report_files([reports], refused), parse_report)
    found = distinct(parsed, repository=snapshot.repository, run="context", commit=snapshot.commit)
    wanted = house.settings.contexts
    made = contexts(found, files, context_lines=wanted.lines, max_lines=wanted.max_lines)
    if output_format == "jsonl":
        for finding, context in zip(found, made, strict=True):
            typer.echo(json.dumps(_row(finding, context, files)))
    else:
        _print_table(found, made)
    return tell_skipped([*refused, *skipped, *(s for report in parsed for s in report.skipped)])


def _row(finding: Finding, context: CodeContext, files: SourceFiles) -> dict[str, object]:
    result, place = finding.result, finding.result.location
    row = {"tool": result.tool, "rule": result.rule_id, "commit": finding.commit}
    row |= context.model_dump(mode="json", exclude={"route"})
    if result.package and isinstance(place, LockfileLocation):
        use = package_use(place.path, result.package, files).model_dump(mode="json")
        return row | {"package": f"{result.package.name} {result.package.version}", "use": use}
    return row | {"package": None, "use": None}


def _print_table(found: list[Finding], made: list[CodeContext]) -> None:
    table = Table("Tool", "Rule", "Place", "Function", "Status", box=None, padding=(0, 2, 0, 0))
    for finding, context in zip(found, made, strict=True):
        place = f"{context.path}:{context.start_line}-{context.end_line}" if context.path else "-"
        cells = (
            finding.result.tool,
            finding.result.rule_id,
            place,
            context.function.name if context.function else "",
            context.status.value,
        )
        table.add_row(*(shown(cell) for cell in cells))
    Console(highlight=False).print(table)
