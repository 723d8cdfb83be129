"""`backfill`: old workflow runs of one GitHub repository, without a daemon and without a queue."""

from collections.abc import Sequence
from datetime import date, datetime

from rich.console import Console

from secai_assets.assets.raw_scans import read_run
from secai_assets.cli.flow import finish, print_json
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.run import run_flow, taken
from secai_lib.core.errors import UsageError
from secai_lib.core.scan import GithubScan
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_poll import every_run, new_attempts

errors = Console(stderr=True, highlight=False)


def backfill_repository(
    name: str,
    since: datetime,
    end: datetime | None,
    workflows: Sequence[str],
    *,
    until: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Ingest the runs of `name` created from `since` to `end` that are not here; say what became.

    What was stopped half-way counts as not here, so that starting it again goes on.

    Raises:
        SecAIError: as `GithubActions.completed_runs`.
    """
    house = House()
    last = end.date() if end else None
    if last and last < since.date():
        raise UsageError(f"--end {last} lies before --since {since.date()}")
    wanted = _wanted(house, name, workflows)
    runs, new = _listed(house, wanted, since.date(), last)
    keys = [scan_key(run) for run in new]
    errors.print(
        f"[bold]GitHub[/] {shown(wanted.name)}: {runs} finished runs since {since.date()}, "
        f"{len(new)} attempts to ingest"
        + (" (dry run: nothing is taken)" if dry_run else f", up to {until}"),
        soft_wrap=True,
    )
    summary = {"repository": wanted.name, "runs": runs, "to_ingest": keys}
    if dry_run:
        _print(summary, as_json=as_json)
        return
    if new:
        for run in new:
            house.add_request(run)
        outcome = run_flow(house, keys, until=until)
        done = [key for key in keys if key in set(house.store.keys("raw_scans"))]
        expired = [key for key in done if read_run(house, key).expired]
        summary |= {"ingested": done, "expired": expired, "failed": outcome.failed_steps}
    else:
        outcome = None
    _print(summary, as_json=as_json)
    if outcome:
        finish(outcome)


def _wanted(house: House, name: str, workflows: Sequence[str]) -> GithubRepository:
    """The repository as config/platform.yaml filters it; `workflows` win."""
    for known in house.settings.sources.github:
        if known.name.lower() == name.lower():
            return known.model_copy(update={"workflows": tuple(workflows) or known.workflows})
    try:
        return GithubRepository(name=name, workflows=tuple(workflows))
    except ValueError as error:
        raise UsageError(f"{name!r} is no repository on GitHub; write it as owner/name") from error


def _listed(
    house: House, wanted: GithubRepository, since: date, until: date | None
) -> tuple[int, list[GithubScan]]:
    """How many runs GitHub lists, and the attempts of them that are not here, oldest first."""
    known = taken(house)
    with house.connect_github() as github:
        runs = list(every_run(github, wanted, since=since, until=until))
        new = [found for run in runs for found in new_attempts(github, wanted, run, known)]
    return len(runs), sorted(new, key=lambda run: (run.created_at, run.run_id, run.attempt))


def _print(summary: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    for name in ("to_ingest", "ingested", "expired"):
        keys = summary.get(name)
        if isinstance(keys, list) and keys:
            errors.print(
                f"{name.replace('_', ' ')}: {len(keys)} ({keys[0]} ... {keys[-1]})", soft_wrap=True
            )
