"""What one look at GitHub decides, on pages that are made up."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secai_lib.core.errors import RateLimited, Terminal, Unreachable
from secai_lib.core.scan import GithubScan
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_cursor import MAX_CURSOR_BYTES, PollState, RepositoryState
from secai_lib.gateways.github_poll import PollSettings, TickPlan, plan_tick
from secai_lib.gateways.github_records import RunPage

NOW = datetime(2025, 9, 11, 12, tzinfo=UTC)
SHA = "87820e7" + "0" * 33


def scan(run_id: int, repository: str = "octo/app", hours_ago: float = 1) -> GithubScan:
    created = NOW - timedelta(hours=hours_ago)
    return GithubScan(repository=repository, run_id=run_id, commit=SHA, created_at=created)


class FakePages:
    """Pages by repository, 304 by content; an exception in place of the pages is raised."""

    def __init__(
        self, pages: dict[str, list[list[GithubScan]] | Exception], total: int = 0
    ) -> None:
        self.pages, self.total = pages, total
        self.asked: list[tuple[str, date, int, str]] = []

    def completed_runs(
        self,
        wanted: GithubRepository,
        *,
        since: date,
        until: date | None = None,
        page: int = 1,
        etag: str = "",
    ) -> RunPage:
        self.asked.append((wanted.name, since, page, etag))
        pages = self.pages[wanted.name]
        if isinstance(pages, Exception):
            raise pages
        runs = pages[page - 1] if page <= len(pages) else []
        mark = f'"{len(pages)}-{abs(hash(tuple((run.run_id, run.attempt) for run in runs)))}"'
        if etag == mark:
            return RunPage(etag=etag, not_modified=True)
        following = page + 1 if page < len(pages) else None
        return RunPage(runs=tuple(runs), etag=mark, next_page=following, total=self.total)

    def attempt(self, wanted: GithubRepository, run_id: int, number: int) -> GithubScan | None:
        listed = self.pages[wanted.name]
        assert not isinstance(listed, Exception)
        run = next(run for page in listed for run in page if run.run_id == run_id)
        return run.model_copy(update={"attempt": number})


class Watch:
    """A poll that goes on: keys become known as they are requested."""

    def __init__(self, pages: FakePages, *names: str, per_tick: int = 50) -> None:
        self.pages, self.state, self.now = pages, PollState(), NOW
        self.known: list[str] = []
        self.settings = PollSettings(
            repositories=tuple(GithubRepository(name=n) for n in names or ("octo/app",)),
            runs_per_tick=per_tick,
        )

    def tick(self, go_on: Callable[[], bool] = lambda: True) -> TickPlan:
        self.pages.asked.clear()
        plan = plan_tick(self.state, self.known, self.pages, self.now, self.settings, go_on)
        self.state = PollState.from_json(plan.state.to_json())
        assert self.state == plan.state
        self.known += [scan_key(run) for run in plan.new]
        return plan


def test_first_look_goes_back_three_days() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)]]}))
    assert [run.run_id for run in watch.tick().new] == [1]
    assert watch.pages.asked == [("octo/app", date(2025, 9, 8), 1, "")]


def test_a_burst_is_taken_in_ticks_each_run_once() -> None:
    pages = FakePages({"octo/app": [[scan(10 * p + i) for i in range(10)] for p in range(3)]})
    watch = Watch(pages, per_tick=7)
    taken = [len(watch.tick().new) for _ in range(6)]
    assert taken == [7, 7, 7, 7, 2, 0]
    assert len(set(watch.known)) == len(watch.known) == 30


def test_a_page_with_runs_left_is_asked_again_without_an_etag() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(i) for i in range(10)]]}), per_tick=7)
    assert watch.tick().message == "octo/app: 7 new scan runs, the rest at the next look"
    assert watch.tick().message == "octo/app: 3 new scan runs"
    assert [(page, etag) for _, _, page, etag in watch.pages.asked] == [(1, "")]
    assert len(watch.known) == 10


def test_a_quiet_look_sends_every_etag() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)], [scan(2)]]}))
    watch.tick()
    plan = watch.tick()
    assert plan.new == ()
    assert plan.message == "nothing new in 1 repository"
    assert [(page, bool(etag)) for _, _, page, etag in watch.pages.asked] == [(1, True), (2, True)]


def test_a_change_behind_an_unchanged_first_page_is_found() -> None:
    pages: dict[str, list[list[GithubScan]] | Exception] = {"octo/app": [[scan(1)], [scan(2)]]}
    watch = Watch(FakePages(pages))
    watch.tick()
    pages["octo/app"] = [[scan(1)], [scan(2).model_copy(update={"attempt": 2})]]
    assert [(run.run_id, run.attempt) for run in watch.tick().new] == [(2, 2)]


def test_a_lost_or_damaged_cursor_gives_nothing_twice() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(i) for i in range(9)]]}))
    assert len(watch.tick().new) == 9
    for cursor in (None, "", "{", "[]", '{"version": 2}', '{"surprise": 1}', "x" * 999_999):
        watch.state = PollState.from_json(cursor)
        assert watch.state == PollState()
        assert watch.tick().new == ()


def test_a_pause_asks_nothing_until_it_is_over() -> None:
    pages: dict[str, list[list[GithubScan]] | Exception] = {
        "a/a": [[scan(1, "a/a")]],
        "b/b": RateLimited("Wait.", retry_after=600),
        "c/c": [[scan(3, "c/c")]],
    }
    watch = Watch(FakePages(pages), "a/a", "b/b", "c/c")
    assert [run.run_id for run in watch.tick().new] == [1]
    assert watch.state.paused_until == NOW + timedelta(seconds=600)
    watch.now += timedelta(seconds=599)
    assert "nothing asked" in watch.tick().message
    assert watch.pages.asked == []
    pages["b/b"] = [[scan(2, "b/b")]]
    watch.now += timedelta(seconds=1)
    assert {run.run_id for run in watch.tick().new} == {2, 3}
    assert watch.pages.asked[0][0] == "b/b"
    assert watch.state.paused_until is None


def test_a_pause_without_end_is_not_believed() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)]]}))
    watch.state = PollState(paused_until=datetime(9999, 1, 1, tzinfo=UTC))
    assert len(watch.tick().new) == 1


def test_dates_of_the_future_do_not_hide_runs() -> None:
    ahead = scan(1).model_copy(update={"created_at": datetime(9998, 1, 1, tzinfo=UTC)})
    watch = Watch(FakePages({"octo/app": [[ahead]]}))
    watch.tick()
    watch.now += timedelta(days=30)
    watch.tick()
    assert watch.pages.asked[0][1] == date(2025, 9, 8), "the outage is still caught up"


def test_a_cursor_from_the_future_does_not_hide_runs() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)]]}))
    held = RepositoryState(query="q", since=date(2999, 1, 1), swept=NOW.date())
    watch.state = PollState(repositories={"octo/app": held})
    assert len(watch.tick().new) == 1
    assert watch.pages.asked[0][1] == date(2025, 9, 8)


def test_since_moves_by_days_behind_the_newest_run() -> None:
    pages: dict[str, list[list[GithubScan]] | Exception] = {"octo/app": [[scan(1)]]}
    watch = Watch(FakePages(pages))
    watch.tick()
    watch.now += timedelta(days=30)
    watch.tick()
    assert watch.pages.asked[0][1] == date(2025, 9, 8), "an outage must not skip days"
    pages["octo/app"] = [[scan(2, hours_ago=-29 * 24)]]
    watch.tick()
    watch.tick()
    assert watch.pages.asked[0][1] == date(2025, 10, 7)


def test_one_bad_repository_does_not_stop_the_others() -> None:
    pages = FakePages(
        {
            "a/a": Terminal("a/a: no such thing."),
            "b/b": Unreachable("b/b: away."),
            "c/c": [[scan(3, "c/c")]],
        }
    )
    plan = Watch(pages, "a/a", "b/b", "c/c").tick()
    assert [run.run_id for run in plan.new] == [3]
    assert "a/a: no such thing." in plan.message
    assert "b/b: away." in plan.message
    assert not plan.failed


def test_a_look_fails_only_when_somebody_must_act_everywhere() -> None:
    pages = FakePages({"a/a": Terminal("No."), "b/b": Terminal("No.")})
    assert Watch(pages, "a/a", "b/b").tick().failed
    away = FakePages({"a/a": Terminal("No."), "b/b": Unreachable("Away.")})
    assert not Watch(away, "a/a", "b/b").tick().failed


def test_a_busy_repository_does_not_starve_the_others() -> None:
    pages: dict[str, list[list[GithubScan]] | Exception] = {
        "a/a": [[scan(i, "a/a") for i in range(5)]],
        "b/b": [[scan(i, "b/b") for i in range(50, 55)]],
    }
    watch = Watch(FakePages(pages), "a/a", "b/b", per_tick=6)
    assert [run.repository for run in watch.tick().new] == ["a/a"] * 5 + ["b/b"]
    pages["a/a"] = [[scan(i, "a/a") for i in range(100, 150)]]
    assert [run.repository for run in watch.tick().new] == ["b/b"] * 4 + ["a/a"] * 2


def test_time_out_goes_on_where_it_stopped() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)], [scan(2)], [scan(3)]]}))
    answers = iter([True, False])
    assert [run.run_id for run in watch.tick(lambda: next(answers)).new] == [1]
    assert [run.run_id for run in watch.tick().new] == [2, 3]
    assert [page for _, _, page, _ in watch.pages.asked] == [2, 3]


def test_changed_settings_drop_the_etags() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)]]}))
    watch.tick()
    other = GithubRepository(name="octo/app", branches=("dev",))
    watch.settings = PollSettings(repositories=(other,))
    watch.tick()
    assert watch.pages.asked[0][3] == ""


def test_a_repository_no_longer_watched_is_forgotten() -> None:
    pages = FakePages({"a/a": [[scan(1, "a/a")]], "b/b": [[]]})
    watch = Watch(pages, "a/a", "b/b")
    watch.tick()
    watch.settings = PollSettings(repositories=(GithubRepository(name="b/b"),))
    watch.tick()
    assert set(watch.state.repositories) == {"b/b"}


def test_more_runs_of_one_second_than_github_lists_are_spoken_of() -> None:
    watch = Watch(FakePages({"octo/app": [[scan(1)]]}, total=1001))
    assert "more than 1000 runs of one second" in watch.tick().message


def test_a_run_started_again_weeks_later_is_found_the_next_day() -> None:
    """Lists are sorted and filtered by the first start, which for this one is long ago."""
    old, unknown = scan(1, hours_ago=20 * 24), scan(2, hours_ago=20 * 24)
    pages: dict[str, list[list[GithubScan]] | Exception] = {"octo/app": [[scan(3)]]}
    watch = Watch(FakePages(pages))
    watch.known = [scan_key(old)]
    assert len(watch.tick().new) == 1
    again = old.model_copy(update={"attempt": 2})
    pages["octo/app"] = [[scan(3), again, unknown]]
    watch.tick()
    watch.now += timedelta(days=1)
    watch.known = [key for key in watch.known if key != scan_key(again)]
    assert watch.tick().new == (again,), "a run from before we watched stays where it is"
    assert watch.pages.asked[0][1] == date(2025, 8, 12)
    watch.tick()
    assert watch.pages.asked[0][1] == date(2025, 9, 8), "one such look a day"


def test_an_attempt_that_was_overtaken_is_taken_too() -> None:
    third = scan(1).model_copy(update={"attempt": 3})
    watch = Watch(FakePages({"octo/app": [[third]]}))
    watch.known = [scan_key(third.model_copy(update={"attempt": 1}))]
    assert [run.attempt for run in watch.tick().new] == [2, 3]
    assert watch.tick().new == ()


def test_an_endless_list_ends() -> None:
    class Endless(FakePages):
        def completed_runs(
            self,
            wanted: GithubRepository,
            *,
            since: date,
            until: date | None = None,
            page: int = 1,
            etag: str = "",
        ) -> RunPage:
            self.asked.append((wanted.name, since, page, etag))
            return RunPage(next_page=page + 1, etag="x" * 5000)

    watch = Watch(Endless({}))
    assert watch.tick().new == ()
    assert len(watch.pages.asked) == 10
    assert set(watch.state.repositories["octo/app"].etags) == {""}


def test_the_cursor_stays_small() -> None:
    held = RepositoryState(query="q" * 16, since=NOW.date(), etags=(f'"{"e" * 190}"',) * 10)
    state = PollState(repositories={f"octo/app-{i}": held for i in range(200)})
    text = state.to_json()
    assert len(text.encode()) <= MAX_CURSOR_BYTES
    assert set(PollState.from_json(text).repositories) == set(state.repositories)


@pytest.mark.parametrize("etag", ['"a"\r\nX: y', "é", '"' + "a" * 300 + '"', "no quotes"])
def test_an_etag_that_cannot_be_sent_is_no_cursor(etag: str) -> None:
    held = RepositoryState(query="q", since=NOW.date()).model_copy(update={"etags": (etag,)})
    text = PollState(repositories={"a/a": held}).to_json()
    assert PollState.from_json(text) == PollState()


@given(st.text() | st.binary().map(lambda b: b.decode("latin-1")))
def test_any_text_is_some_cursor(text: str) -> None:
    assert isinstance(PollState.from_json(text), PollState)
