"""The sensors as Dagster calls them, GitHub being a server on 127.0.0.1."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from secai_assets.sensors import (
    GithubSensor,
    LocalSensor,
    github_actions_sensor,
    local_repositories_sensor,
)
from secai_lib.core.errors import SourceError, StorageError, Terminal
from secai_lib.core.scan import GithubScan, LocalScan, ScanRequest
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github import GithubActions
from secai_lib.gateways.github_http import Clocks
from tests.fakes.github_server import FakeRun, GithubServer
from tests.fakes.local_server import Fault

NOW = datetime(2025, 9, 11, 18, tzinfo=UTC)
TOKEN = "ghp_veryS3cretToken"
SCANS = dg.DynamicPartitionsDefinition(name="scan_run")


@dg.asset(partitions_def=SCANS)
def raw_scans(context: dg.AssetExecutionContext) -> None:
    context.log.info(context.partition_key)


INGEST = dg.define_asset_job("ingest", selection=[raw_scans])
FIX = dg.define_asset_job("ingest_and_fix", selection=[raw_scans])


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


class Platform:
    """A sensor with its cursor; what it adds and requests is carried out as the daemon would."""

    def __init__(self, instance: dg.DagsterInstance, sensor: dg.SensorDefinition) -> None:
        self.instance, self.sensor = instance, sensor
        self.cursor: str | None = None
        self.requested: list[str] = []

    def tick(self) -> dg.SensorResult:
        result = self.sensor(dg.build_sensor_context(instance=self.instance, cursor=self.cursor))
        assert isinstance(result, dg.SensorResult)
        added = [key for r in result.dynamic_partitions_requests or () for key in r.partition_keys]
        requests = result.run_requests or ()
        assert added == [r.partition_key for r in requests] == [r.run_key for r in requests]
        if added:
            self.instance.add_dynamic_partitions("scan_run", added)
        self.requested += added
        self.cursor = result.cursor
        return result


class Requests:
    """Where requests are kept."""

    def __init__(self) -> None:
        self.saved: dict[str, ScanRequest] = {}

    def save(self, request: ScanRequest) -> str:
        key = scan_key(request)
        self.saved[key] = request
        return key


class GithubPlatform(Platform):
    """The sensor `github_actions` against `server`, with a clock that a test moves."""

    def __init__(
        self, instance: dg.DagsterInstance, server: GithubServer, token: str | None = None
    ) -> None:
        self.now, self.requests = NOW, Requests()
        clocks = Clocks(wall=self.seconds, monotonic=lambda: 0.0, sleep=lambda _: None)
        sensor = github_actions_sensor(
            GithubSensor(repositories=(GithubRepository(name="octo/app"),)),
            job=INGEST,
            partitions=SCANS,
            connect=lambda: GithubActions(server.url, token, clocks=clocks),
            save_request=self.requests.save,
            now=lambda: self.now,
        )
        super().__init__(instance, sensor)

    def seconds(self) -> float:
        return self.now.timestamp()


def runs(count: int) -> list[FakeRun]:
    return [FakeRun(1000 + i, created_at=NOW - timedelta(minutes=i)) for i in range(count)]


def skipped(result: dg.SensorResult) -> str:
    assert isinstance(result.skip_reason, dg.SkipReason)
    return result.skip_reason.skip_message or ""


def test_253_runs_over_three_pages_come_once_each(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(253)) as server:
        platform = GithubPlatform(instance, server)
        sizes = [len(platform.tick().run_requests or ()) for _ in range(6)]
        assert sizes == [50, 50, 50, 50, 50, 3]
        assert len(set(platform.requested)) == len(platform.requested) == 253
        assert set(platform.requests.saved) == set(platform.requested)

        server.seen.clear()
        assert "nothing new" in skipped(platform.tick())
        server.seen.clear()
        assert "nothing new" in skipped(platform.tick())
        assert server.statuses() == [304, 304, 304]

        platform.cursor = None
        assert "nothing new" in skipped(platform.tick())
        assert len(platform.requested) == 253


def test_1250_runs_are_all_taken_though_a_search_lists_1000(
    instance: dg.DagsterInstance,
) -> None:
    with GithubServer(runs(1250)) as server:
        platform = GithubPlatform(instance, server)
        for _ in range(26):
            platform.tick()
        assert len(set(platform.requested)) == len(platform.requested) == 1250
        assert "nothing new" in skipped(platform.tick())


def test_a_week_of_outage_is_caught_up(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(3)) as server:
        platform = GithubPlatform(instance, server)
        platform.tick()
        platform.now = NOW + timedelta(days=7)
        server.runs += [FakeRun(i, created_at=NOW + timedelta(hours=i)) for i in range(1, 168)]
        for _ in range(5):
            platform.tick()
        assert len(set(platform.requested)) == len(platform.requested) == 170


def test_a_run_that_finishes_late_is_not_missed(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(3)) as server:
        platform = GithubPlatform(instance, server)
        platform.tick()
        server.runs.append(FakeRun(7, created_at=NOW - timedelta(hours=60), conclusion="failure"))
        (request,) = platform.tick().run_requests or ()
        assert request.partition_key == "octo~app~7~1"
        assert request.tags["secai/repository"] == "octo/app"


def test_a_second_attempt_is_a_new_scan(instance: dg.DagsterInstance) -> None:
    with GithubServer([FakeRun(7, created_at=NOW)]) as server:
        platform = GithubPlatform(instance, server)
        platform.tick()
        server.runs[0] = FakeRun(7, created_at=NOW, attempt=2)
        platform.tick()
        platform.tick()
    assert platform.requested == ["octo~app~7~1", "octo~app~7~2"]
    saved = platform.requests.saved["octo~app~7~2"]
    assert isinstance(saved, GithubScan)
    assert (saved.attempt, saved.commit) == (2, FakeRun(7).commit)


def test_a_pause_is_kept_and_nothing_is_missed(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(2), faults=[Fault(429, {"Retry-After": "120"})]) as server:
        platform = GithubPlatform(instance, server)
        assert "wait 120 seconds" in skipped(platform.tick())
        server.seen.clear()
        for _ in range(3):
            platform.now += timedelta(seconds=39)
            assert "nothing asked" in skipped(platform.tick())
        assert server.seen == []
        platform.now += timedelta(seconds=3)
        assert len(platform.tick().run_requests or ()) == 2


def test_an_outage_is_a_skip_and_is_caught_up(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(2), faults=[Fault(502)] * 3) as server:
        platform = GithubPlatform(instance, server)
        assert "502" in skipped(platform.tick())
        assert len(platform.tick().run_requests or ()) == 2


def test_a_wrong_token_is_a_red_tick_that_does_not_show_it(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(2), token="ghp_another") as server:
        with pytest.raises(Terminal, match="actions: read") as caught:
            GithubPlatform(instance, server, TOKEN).tick()
        assert TOKEN not in str(caught.value)
        with pytest.raises(Terminal, match="wants a token"):
            GithubPlatform(instance, server).tick()


def test_a_tick_stays_within_its_time(instance: dg.DagsterInstance) -> None:
    with GithubServer(runs(253)) as server:
        platform = GithubPlatform(instance, server)
        sensor = github_actions_sensor(
            GithubSensor(repositories=(GithubRepository(name="octo/app"),), runs_per_tick=500),
            job=INGEST,
            partitions=SCANS,
            connect=lambda: GithubActions(server.url, None),
            save_request=platform.requests.save,
            # every page takes 20 seconds
            now=lambda: NOW + timedelta(seconds=20 * len(server.seen)),
        )
        slow = Platform(instance, sensor)
        assert [len(slow.tick().run_requests or ()) for _ in range(2)] == [200, 53]


def test_a_request_that_cannot_be_saved_loses_nothing(instance: dg.DagsterInstance) -> None:
    def full(_: ScanRequest) -> str:
        raise StorageError("the disk is full: free some space")

    with GithubServer(runs(1)) as server:
        sensor = github_actions_sensor(
            GithubSensor(repositories=(GithubRepository(name="octo/app"),)),
            job=INGEST,
            partitions=SCANS,
            connect=lambda: GithubActions(server.url, None),
            save_request=full,
            now=lambda: NOW,
        )
        with pytest.raises(StorageError):
            Platform(instance, sensor).tick()
        assert instance.get_dynamic_partitions("scan_run") == []
        assert len(GithubPlatform(instance, server).tick().run_requests or ()) == 1


def test_dagster_accepts_partition_and_run_in_one_tick() -> None:
    with dg.instance_for_test() as stored, GithubServer(runs(2)) as server:
        sensor = GithubPlatform(stored, server).sensor
        definitions = dg.Definitions(assets=[raw_scans], jobs=[INGEST], sensors=[sensor])
        # with the reference, as in the daemon, Dagster resolves the partitions added by the tick
        with (
            dg.build_sensor_context(
                instance_ref=stored.get_ref(), repository_def=definitions.get_repository_def()
            ) as context,
            dg.partition_loading_context(dynamic_partitions_store=stored),
        ):
            data = sensor.evaluate_tick(context)
    assert [request.partition_key for request in data.run_requests or ()] == [
        "octo~app~1000~1",
        "octo~app~1001~1",
    ]
    assert len(data.dynamic_partitions_requests or ()) == 1


@pytest.mark.parametrize("autostart", [False, True])
def test_sensors_start_only_when_told(autostart: bool) -> None:
    github = github_actions_sensor(
        GithubSensor(repositories=(), autostart=autostart, interval_seconds=77),
        job=INGEST,
        partitions=SCANS,
        connect=lambda: GithubActions("https://api.github.com", None),
        save_request=scan_key,
        now=lambda: NOW,
    )
    local = local_repositories_sensor(
        LocalSensor(paths=(), autostart=autostart),
        job=FIX,
        partitions=SCANS,
        snapshot=lambda path: local_scan(path, "1" * 40),
        save_request=scan_key,
    )
    assert (github.name, local.name) == ("github_actions", "local_repositories")
    assert (github.job_name, local.job_name) == ("ingest", "ingest_and_fix")
    assert github.minimum_interval_seconds == 77
    for sensor in (github, local):
        assert (sensor.default_status is dg.DefaultSensorStatus.RUNNING) is autostart
        assert sensor.description


def test_nothing_configured_says_what_to_do(instance: dg.DagsterInstance) -> None:
    sensor = local_repositories_sensor(
        LocalSensor(paths=()),
        job=FIX,
        partitions=SCANS,
        snapshot=lambda path: local_scan(path, "1" * 40),
        save_request=scan_key,
    )
    assert "config/platform.yaml" in skipped(Platform(instance, sensor).tick())


def local_scan(repository: str, commit: str) -> LocalScan:
    return LocalScan(repository=repository, commit=commit, scanners=("zizmor",), created_at=NOW)


def test_each_new_head_is_scanned_once(instance: dg.DagsterInstance) -> None:
    heads = {"/srv/secret/shop": "1" * 40, "/srv/secret/empty": "", "/srv/secret/blog": "2" * 40}

    def snapshot(path: str) -> LocalScan:
        if not heads[path]:
            raise SourceError("the repository has no commits; commit something first")
        return local_scan(path.rpartition("/")[2], heads[path])

    requests = Requests()
    sensor = local_repositories_sensor(
        LocalSensor(paths=tuple(heads)),
        job=FIX,
        partitions=SCANS,
        snapshot=snapshot,
        save_request=requests.save,
    )
    platform = Platform(instance, sensor)
    assert len(platform.tick().run_requests or ()) == 2
    reason = skipped(platform.tick())
    assert "empty: the repository has no commits" in reason
    assert "shop: 111111111111 is scanned already" in reason
    assert "/srv" not in reason
    heads["/srv/secret/shop"] = "3" * 40
    (request,) = platform.tick().run_requests or ()
    assert request.tags["secai/commit"] == "3" * 40
    assert set(requests.saved) == set(platform.requested)
    assert len(platform.requested) == 3
