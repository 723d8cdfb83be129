"""What starts by itself: new scans on GitHub, new commits on this machine.

A sensor lists and requests; downloading and scanning is the work of the assets. A scan run is asked
for once because its key is the partition: what has a partition is never requested again. The
request file is saved before the partition exists, so a kill in between loses nothing.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from secai_lib.core.errors import SecAIError, Terminal
from secai_lib.core.scan import GithubScan, LocalScan, ScanRequest
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import GithubRepository
from secai_lib.gateways.github_cursor import PollState
from secai_lib.gateways.github_poll import Pages, PollSettings, plan_tick

# Dagster types the result of define_asset_job but does not export the type.
Job: TypeAlias = dg.JobDefinition | UnresolvedAssetJobDefinition
SaveRequest: TypeAlias = Callable[[ScanRequest], str]
"""Keeps a request where the asset `raw_scans` finds it and returns its key."""

TICK_SECONDS = 40.0
"""Dagster stops a sensor after 60 seconds (DAGSTER_SENSOR_GRPC_TIMEOUT_SECONDS)."""


class GithubPages(Pages, Protocol):
    """Lists runs and says how long one question may take."""

    patience: float
    """Seconds."""


@dataclass(frozen=True)
class GithubSensor:
    """What the sensor `github_actions` watches and how much of it a tick takes."""

    repositories: tuple[GithubRepository, ...]
    """Repositories to watch."""
    look_back_hours: int = 72
    """Hours behind the newest run that are asked for again."""
    runs_per_tick: int = 50
    """Most runs requested by one tick."""
    interval_seconds: int = 300
    """Least seconds between two ticks."""
    autostart: bool = False
    """True to start running; the switch in the UI overrides it later."""


@dataclass(frozen=True)
class LocalSensor:
    """What the sensor `local_repositories` watches."""

    paths: tuple[str, ...]
    """Checkouts on this machine."""
    interval_seconds: int = 300
    """Least seconds between two ticks."""
    autostart: bool = False
    """True to start running; the switch in the UI overrides it later."""


def github_actions_sensor(
    settings: GithubSensor,
    *,
    job: Job,
    partitions: dg.DynamicPartitionsDefinition,
    connect: Callable[[], AbstractContextManager[GithubPages]],
    save_request: SaveRequest,
    now: Callable[[], datetime],
) -> dg.SensorDefinition:
    """The sensor `github_actions`: one run of `job` for every new attempt of a workflow run.

    Args:
        settings: What to watch.
        job: The partitioned job `ingest`.
        partitions: The scan runs.
        connect: Opens GitHub at each tick, so that a new token counts without a restart.
        save_request: Where requests are kept.
        now: The time (UTC).
    """
    poll = PollSettings(
        repositories=settings.repositories,
        look_back_hours=settings.look_back_hours,
        runs_per_tick=settings.runs_per_tick,
    )

    @dg.sensor(
        name="github_actions",
        job=job,
        minimum_interval_seconds=settings.interval_seconds,
        default_status=_status(settings.autostart),
        description="Asks GitHub for finished workflow runs and ingests each attempt once. "
        "`GITHUB_TOKEN` (permission `actions: read`) is needed for private repositories only.",
    )
    def github_actions(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if not settings.repositories:
            return dg.SensorResult(
                skip_reason="No GitHub repository is configured; add one to `sources.github` in "
                "config/platform.yaml."
            )
        known = context.instance.get_dynamic_partitions(_name(partitions))
        start = now()
        with connect() as pages:
            # The last question must end within the tick, however slow the answer is.
            last_start = start + timedelta(seconds=TICK_SECONDS - pages.patience)
            plan = plan_tick(
                PollState.from_json(context.cursor),
                known,
                pages,
                start,
                poll,
                go_on=lambda: now() <= last_start,
            )
        context.log.info(plan.message)
        if plan.failed:
            raise Terminal(plan.message)  # a red tick: somebody has to act
        return _result(partitions, plan.new, save_request, plan.message, plan.state.to_json())

    return github_actions


def local_repositories_sensor(
    settings: LocalSensor,
    *,
    job: Job,
    partitions: dg.DynamicPartitionsDefinition,
    snapshot: Callable[[str], LocalScan],
    save_request: SaveRequest,
) -> dg.SensorDefinition:
    """The sensor `local_repositories`: one run of `job` for every new commit that is checked out.

    Args:
        settings: What to watch.
        job: The partitioned job `ingest_and_fix`.
        partitions: The scan runs.
        snapshot: The scan request for the HEAD of the checkout at a path; a `SecAIError` of one
            checkout does not stop the others.
        save_request: Where requests are kept.
    """

    @dg.sensor(
        name="local_repositories",
        job=job,
        minimum_interval_seconds=settings.interval_seconds,
        default_status=_status(settings.autostart),
        description="Looks at the checkouts of `sources.local` and scans each new HEAD once.",
    )
    def local_repositories(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        if not settings.paths:
            return dg.SensorResult(
                skip_reason="No local repository is configured; add one to `sources.local` in "
                "config/platform.yaml."
            )
        known = set(context.instance.get_dynamic_partitions(_name(partitions)))
        new: list[LocalScan] = []
        notes: list[str] = []
        for path in settings.paths:
            try:
                scan = snapshot(path)
            except SecAIError as error:
                # Only the folder's name: messages are shown to everybody who sees the UI.
                notes.append(f"{Path(path).name}: {error}")
                continue
            key = scan_key(scan)
            if key in known:
                notes.append(f"{scan.repository}: {scan.commit[:12]} is scanned already")
                continue
            known.add(key)
            new.append(scan)
            notes.append(f"{scan.repository}: new commit {scan.commit[:12]}")
        message = "; ".join(notes)
        context.log.info(message)
        return _result(partitions, new, save_request, message, cursor=None)

    return local_repositories


def _result(
    partitions: dg.DynamicPartitionsDefinition,
    scans: Sequence[GithubScan | LocalScan],
    save_request: SaveRequest,
    message: str,
    cursor: str | None,
) -> dg.SensorResult:
    """Partitions and runs for `scans`, or the reason why there are none."""
    if not scans:
        return dg.SensorResult(skip_reason=message, cursor=cursor)
    keys = [save_request(scan) for scan in scans]
    return dg.SensorResult(
        dynamic_partitions_requests=[partitions.build_add_request(keys)],
        run_requests=[
            dg.RunRequest(run_key=key, partition_key=key, tags=_tags(scan))
            for key, scan in zip(keys, scans, strict=True)
        ],
        cursor=cursor,
    )


def _tags(scan: GithubScan | LocalScan) -> dict[str, str]:
    return {
        "secai/repository": scan.repository,
        "secai/commit": scan.commit,
        "secai/branch": scan.branch,
    }


def _status(autostart: bool) -> dg.DefaultSensorStatus:
    return dg.DefaultSensorStatus.RUNNING if autostart else dg.DefaultSensorStatus.STOPPED


def _name(partitions: dg.DynamicPartitionsDefinition) -> str:
    if partitions.name is None:
        raise ValueError("the scan runs need dynamic partitions with a name")
    return partitions.name
