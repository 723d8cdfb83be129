"""What one look at GitHub does: which runs are new, and where the next look goes on."""

import re
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from pydantic import Field

from secai_lib.core.errors import RateLimited, Terminal, Transient
from secai_lib.core.record import Record, content_hash
from secai_lib.core.scan import GithubScan
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_cursor import ETAG, MAX_PAGES, PollState, RepositoryState
from secai_lib.gateways.github_records import RunPage
from secai_lib.gateways.github_refusals import MAX_WAIT

SEARCH_LIMIT = 1000
SWEEP_DAYS = 31
"""GitHub lets a run be started again for 30 days; lists are sorted by its first start."""


class Pages(Protocol):
    """Whoever lists runs page by page: `GithubActions`, or a test."""

    def completed_runs(
        self,
        wanted: GithubRepository,
        *,
        since: date,
        until: date | None = None,
        page: int = 1,
        etag: str = "",
    ) -> RunPage:
        """One page of completed runs, as `GithubActions.completed_runs`."""
        ...

    def attempt(self, wanted: GithubRepository, run_id: int, number: int) -> GithubScan | None:
        """An earlier attempt of a run, as `GithubActions.attempt`."""
        ...


class PollSettings(Record):
    """What one tick may do."""

    repositories: tuple[GithubRepository, ...]
    """Repositories to watch."""
    look_back_hours: int = Field(default=72, ge=0)
    """Hours behind the newest run that are asked for again: runs finish out of order."""
    runs_per_tick: int = Field(default=50, ge=1)
    """Most new runs of one tick."""


class TickPlan(Record):
    """What one tick found."""

    new: tuple[GithubScan, ...] = ()
    """Runs to ingest, none of them known."""
    state: PollState
    """What to remember."""
    message: str
    """Sentences for the user: what was done, what was skipped and why."""
    failed: bool = False
    """True when no repository could be polled and somebody has to act."""


def plan_tick(
    state: PollState,
    known_keys: Collection[str],
    pages: Pages,
    now: datetime,
    settings: PollSettings,
    go_on: Callable[[], bool] = lambda: True,
) -> TickPlan:
    """The plan of one tick: nothing is asked during a pause, nothing known is asked for again.

    Args:
        state: What the last tick remembered.
        known_keys: Keys of the scan runs that exist.
        pages: Where pages come from; its errors become sentences of the plan.
        now: Time of the tick.
        settings: Repositories and limits.
        go_on: Asked before every request; False ends the tick.
    """
    until = state.paused_until
    # A pause no limit of GitHub can explain comes from a damaged cursor or a clock set back.
    if until and now < until <= now + timedelta(seconds=MAX_WAIT):
        return TickPlan(
            state=state,
            message=f"GitHub asked us to wait until {until:%Y-%m-%d %H:%M:%S %Z}: nothing asked",
        )
    tick = _Tick(state, known_keys, pages, now, settings, go_on)
    for repository in tick.order():
        if not tick.poll(repository):
            break
    return tick.plan()


class _Tick:
    """The running account of one tick."""

    def __init__(
        self,
        state: PollState,
        known_keys: Collection[str],
        pages: Pages,
        now: datetime,
        settings: PollSettings,
        go_on: Callable[[], bool],
    ) -> None:
        self._first, self._pages, self._now = state.first, pages, now
        self._settings, self._go_on = settings, go_on
        self._known = set(known_keys)
        self._progress = {r.name: self._start(state, r) for r in settings.repositories}
        self._new: list[GithubScan] = []
        self._notes: list[str] = []
        self._quiet = self._failures = 0
        self._paused_until: datetime | None = None
        self._stopped_at = ""

    def order(self) -> list[GithubRepository]:
        """The repositories, beginning where the last tick stopped."""
        every = sorted(self._settings.repositories, key=lambda r: r.name)
        return [r for r in every if r.name >= self._first] + [
            r for r in every if r.name < self._first
        ]

    def poll(self, wanted: GithubRepository) -> bool:
        """True when the tick may go on with the next repository."""
        before = len(self._new)
        try:
            finished = self._take_pages(wanted)
        except RateLimited as error:
            self._paused_until = self._now + timedelta(seconds=error.retry_after)
            self._stopped_at = wanted.name
            self._notes.append(str(error))
            return False
        except Transient as error:
            self._notes.append(str(error))
            return True
        except Terminal as error:
            self._failures += 1
            self._notes.append(str(error))
            return True
        taken = len(self._new) - before
        if not finished:
            self._stopped_at = wanted.name
            self._notes.append(f"{wanted.name}: {taken} new scan runs, the rest at the next look")
        elif taken:
            self._notes.append(f"{wanted.name}: {taken} new scan runs")
        else:
            self._quiet += 1
        return finished

    def plan(self) -> TickPlan:
        """What the tick comes to."""
        if self._quiet:
            self._notes.append(f"nothing new in {_repositories(self._quiet)}")
        every = len(self._settings.repositories)
        return TickPlan(
            new=tuple(self._new),
            state=PollState(
                paused_until=self._paused_until,
                first=self._stopped_at,
                repositories=self._progress,
            ),
            message="; ".join(self._notes) or "no GitHub repository is configured",
            failed=0 < every == self._failures,
        )

    def _start(self, state: PollState, wanted: GithubRepository) -> RepositoryState:
        query = content_hash(wanted)
        held = state.repositories.get(wanted.name)
        if held is None:
            since = self._look_back(self._now)
            return RepositoryState(query=query, since=since, swept=self._today())
        if held.query != query:
            held = held.model_copy(update={"query": query, "etags": (), "page": 1, "until": None})
        # A date in the future (a damaged cursor, a clock set back) would hide every run.
        held = held.model_copy(update={"since": min(held.since, self._look_back(self._now))})
        if held.sweeping or held.swept == self._today() or held.page > 1 or held.until:
            return held
        month = min(held.since, self._today() - timedelta(days=SWEEP_DAYS))
        return held.model_copy(update={"sweeping": held.since, "since": month, "etags": ()})

    def _today(self) -> date:
        return self._now.astimezone(UTC).date()

    def _look_back(self, moment: datetime) -> date:
        return (moment.astimezone(UTC) - timedelta(hours=self._settings.look_back_hours)).date()

    def _take_pages(self, wanted: GithubRepository) -> bool:
        """True when the last page was reached; False when time or room ran out before."""
        held = self._progress[wanted.name]
        page: int | None = held.page
        etags = list(held.etags)
        while page is not None:
            if not self._go_on() or len(self._new) >= self._settings.runs_per_tick:
                return False
            etag = etags[page - 1] if page <= len(etags) else ""
            found = self._pages.completed_runs(
                wanted, since=held.since, until=held.until, page=page, etag=etag
            )
            all_taken = self._take(wanted, found, held.sweeping)
            etags += [""] * (page - len(etags))
            etags[page - 1] = _fit(found.etag) if all_taken else ""
            following = page + 1 if found.not_modified and page < len(etags) else found.next_page
            seen = [run.created_at for run in found.runs] + ([held.newest] if held.newest else [])
            held = held.model_copy(
                update={
                    "newest": min(max(seen), self._now) if seen else None,
                    "etags": tuple(etags),
                    "page": page if not all_taken else min(following or 1, MAX_PAGES),
                }
            )
            self._progress[wanted.name] = held
            if not all_taken:
                return False
            if following is None or following > MAX_PAGES:
                if found.total > SEARCH_LIMIT and self._reaches_further(wanted, held, found):
                    held = held.model_copy(update={"until": found.oldest, "page": 1, "etags": ()})
                    self._progress[wanted.name] = held
                    page = 1
                    continue
                self._progress[wanted.name] = self._finished(held, page)
                return True
            page = following
        return True

    def _take(self, wanted: GithubRepository, found: RunPage, from_day: date | None) -> bool:
        """True when every new attempt of the page had room; older runs only if started again."""
        for listed in found.runs:
            first = scan_key(listed.model_copy(update={"attempt": 1}))
            if from_day and listed.created_at.date() < from_day and first not in self._known:
                continue
            if listed.attempt > 1 and not self._go_on():
                return False
            for run in new_attempts(self._pages, wanted, listed, self._known):
                if len(self._new) >= self._settings.runs_per_tick:
                    return False
                self._known.add(scan_key(run))
                self._new.append(run)
        return True

    def _finished(self, held: RepositoryState, last_page: int) -> RepositoryState:
        since = held.sweeping or held.since
        since = max(since, self._look_back(held.newest)) if held.newest else since
        same = since == held.since and held.until is None
        ended: dict[str, object] = {"until": None, "page": 1, "sweeping": None}
        if held.sweeping:
            ended["swept"] = self._today()
        etags = held.etags[:last_page] if same else ()
        return held.model_copy(update={"since": since, "etags": etags} | ended)

    def _reaches_further(
        self, wanted: GithubRepository, held: RepositoryState, found: RunPage
    ) -> bool:
        """Whether a search that ends at the oldest run seen lists runs that this one does not."""
        if found.oldest and (held.until is None or found.oldest < held.until):
            return True
        self._notes.append(
            f"{wanted.name}: more than {SEARCH_LIMIT} runs of one second, which GitHub does not "
            "list; narrow it to a workflow or a branch in config/platform.yaml"
        )
        return False


def new_attempts(
    pages: Pages, wanted: GithubRepository, listed: GithubScan, known: Collection[str]
) -> list[GithubScan]:
    """The attempts of a listed run that are not `known`, oldest first; lists name the last only.

    Raises:
        SecAIError: as `GithubActions.attempt`.
    """
    earlier = [
        found
        for number in range(1, listed.attempt)
        if scan_key(listed.model_copy(update={"attempt": number})) not in known
        and (found := pages.attempt(wanted, listed.run_id, number))
    ]
    return [run for run in (*earlier, listed) if scan_key(run) not in known]


def every_run(
    pages: Pages, wanted: GithubRepository, *, since: date, until: date | None = None
) -> Iterator[GithubScan]:
    """Every run created from `since` to `until`, newest first, each once, however many there are.

    Raises:
        SecAIError: as `GithubActions.completed_runs`.
        Terminal: GitHub does not list them all.
    """
    seen: set[int] = set()
    while True:
        page: int | None = 1
        found = RunPage()
        while page is not None and page <= MAX_PAGES:
            found = pages.completed_runs(wanted, since=since, until=until, page=page)
            yield from (run for run in found.runs if run.run_id not in seen)
            seen |= {run.run_id for run in found.runs}
            page = found.next_page
        if page is None and found.total <= SEARCH_LIMIT:
            return
        if found.oldest is None or found.oldest == until:
            raise Terminal(
                f"{wanted.name}: more than {SEARCH_LIMIT} runs of one second, which GitHub does "
                "not list; narrow it with --workflow"
            )
        until = found.oldest


def _fit(etag: str) -> str:
    return etag if re.fullmatch(ETAG, etag) else ""


def _repositories(count: int) -> str:
    return "1 repository" if count == 1 else f"{count} repositories"
