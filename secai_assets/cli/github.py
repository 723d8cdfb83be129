"""New workflow runs of the configured GitHub repositories, for `secai run` without a daemon."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime

from rich.console import Console

from secai_assets.resources.house import House
from secai_assets.run import taken
from secai_lib.core.errors import Transient, UsageError
from secai_lib.core.scan import GithubScan, ScanRequest
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_cursor import PollState
from secai_lib.gateways.github_poll import Pages, PollSettings, plan_tick
from secai_lib.gateways.github_records import RunPage

errors = Console(stderr=True, highlight=False)


def new_runs(house: House) -> list[ScanRequest]:
    """Requests for finished runs of the look-back window that were not taken yet, oldest first.

    A run that was stopped half-way counts as not taken; what there is of it is kept.

    Raises:
        UsageError: GitHub refused every repository (token, permission, name).
        Transient: GitHub could not be asked now.
    """
    settings = house.settings
    if not settings.sources.github:
        return []
    poll = PollSettings(
        repositories=settings.sources.github,
        look_back_hours=settings.sensors.look_back_hours,
        runs_per_tick=settings.sensors.runs_per_tick,
    )
    with house.connect_github() as github:
        pages = _Remembering(github)
        plan = plan_tick(PollState(), taken(house), pages, datetime.now(UTC), poll)
    if plan.failed:
        raise UsageError(plan.message)
    if pages.trouble and not plan.new:
        raise pages.trouble
    errors.print(f"[bold]GitHub[/] {plan.message}", soft_wrap=True)
    return [*sorted(plan.new, key=lambda run: (run.created_at, run.run_id))]


class _Remembering:
    """Pages of GitHub; a tick goes on after trouble, a command has to say it."""

    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self.trouble: Transient | None = None

    def completed_runs(
        self,
        wanted: GithubRepository,
        *,
        since: date,
        until: date | None = None,
        page: int = 1,
        etag: str = "",
    ) -> RunPage:
        with self._noted():
            return self._pages.completed_runs(
                wanted, since=since, until=until, page=page, etag=etag
            )

    def attempt(self, wanted: GithubRepository, run_id: int, number: int) -> GithubScan | None:
        with self._noted():
            return self._pages.attempt(wanted, run_id, number)

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except Transient as error:
            self.trouble = error
            raise
