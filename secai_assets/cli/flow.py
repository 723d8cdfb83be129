"""`demo`, `run`, `scan`, `ingest`: requests, the flow, and a summary of what came out."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from secai_assets.assets.findings import read_findings
from secai_assets.assets.fixes import places
from secai_assets.cli.show import explain_next_steps, print_findings, print_summary
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.intake import files_scan, local_scan
from secai_assets.run import Outcome, run_flow
from secai_lib.core.errors import UsageError
from secai_lib.core.scan import ScanRequest

errors = Console(stderr=True, highlight=False)


def run_repositories(
    repos: Sequence[str],
    *,
    until: str,
    refresh: bool = False,
    as_json: bool = False,
    explain: bool = False,
) -> None:
    """Scan the checkouts `repos`, run the flow and print the summary."""
    house = House()
    requests = []
    for repo in repos:
        errors.print(f"[bold]Reading[/] the checked-out commit of {shown(repo)}")
        request, note = local_scan(house, repo)
        if note:
            errors.print(f"[yellow]Note:[/] {note}")
        requests.append(request)
    run_requests(
        house,
        requests,
        until=until,
        refresh=refresh,
        as_json=as_json,
        explain=repos[0] if explain else "",
    )


def run_configured(*, until: str, refresh: bool, as_json: bool) -> None:
    """Run everything that config/platform.yaml names: local checkouts, then GitHub's new runs."""
    from secai_assets.cli.github import new_runs

    house = House()
    requests: list[ScanRequest] = [
        local_scan(house, local.path)[0] for local in house.settings.sources.local
    ]
    requests += new_runs(house)
    if not house.settings.sources.local and not house.settings.sources.github:
        raise UsageError("nothing to run: name a checkout, or add sources to config/platform.yaml")
    run_requests(house, requests, until=until, refresh=refresh, as_json=as_json)


def scan_repository(repo: str, *, as_json: bool) -> None:
    """Scan one checkout and print its findings."""
    house = House()
    request, note = local_scan(house, repo)
    if note:
        errors.print(f"[yellow]Note:[/] {note}")
    key = house.add_request(request)
    outcome = run_flow(house, [key], until="code_contexts")
    print_findings(read_findings(house, key), as_json=as_json)
    finish(outcome)


def ingest_reports(
    path: Path, repository: str, commit: str, branch: str, *, until: str, as_json: bool
) -> None:
    """Take the reports at `path` as a scan run, run the flow and print the summary."""
    house = House()
    name = repository or path.resolve().name
    request = files_scan(house, path, repository=name, commit=commit, branch=branch)
    run_requests(house, [request], until=until, as_json=as_json)


def run_requests(
    house: House,
    requests: Sequence[ScanRequest],
    *,
    until: str = "report",
    refresh: bool = False,
    as_json: bool = False,
    explain: str = "",
) -> None:
    """Run the flow for `requests` and print a summary of the places they are about."""
    keys = [house.add_request(request) for request in requests]
    errors.print(
        f"[bold]Running[/] {len(keys)} scan run(s): {shown(', '.join(keys), 1000)}", soft_wrap=True
    )
    outcome = run_flow(house, keys, until=until, refresh=refresh)
    if "report" in outcome.made:
        wanted = {(request.repository, request.branch) for request in requests}
        # nothing new: the corpus was looked at again, and all of it is shown
        wanted = wanted or {(place.repository, place.branch) for place in places(house)}
        print_summary(house, wanted, outcome.made, as_json=as_json)
        if explain and not as_json:
            explain_next_steps(house, wanted, explain)
    elif as_json:
        print_json({"runs": keys, "failed": outcome.failed_steps})
    finish(outcome)


def finish(outcome: Outcome) -> None:
    """Say what failed, and end with the exit code for it."""
    for line in outcome.warnings:
        errors.print(f"[yellow]Warning[/] {shown(line, 1000)}", markup=True, soft_wrap=True)
    for line in outcome.failed_checks:
        errors.print(f"[red]Refused by a check[/] {shown(line, 1000)}", soft_wrap=True)
    for step, why in outcome.failed_steps.items():
        errors.print(f"[red]{shown(step)} failed:[/] {shown(why, 1000)}", soft_wrap=True)
    if not outcome.ok:
        raise typer.Exit(outcome.exit_code)


def print_json(value: object) -> None:
    """Print `value` as one JSON text on standard output."""
    typer.echo(json.dumps(value, sort_keys=True, indent=2))
