"""New workflow runs of the configured GitHub repositories, for `secai run` without a daemon."""

from datetime import UTC, datetime

from secai_assets.resources.house import House
from secai_lib.core.scan import ScanRequest
from secai_lib.gateways.github_cursor import PollState
from secai_lib.gateways.github_poll import PollSettings, plan_tick


def new_runs(house: House) -> list[ScanRequest]:
    """Requests for finished runs of the look-back window that are not stored yet, oldest first."""
    settings = house.settings
    if not settings.sources.github:
        return []
    poll = PollSettings(
        repositories=settings.sources.github,
        look_back_hours=settings.sensors.look_back_hours,
        runs_per_tick=settings.sensors.runs_per_tick,
    )
    with house.connect_github() as pages:
        known = set(house.store.keys("raw_scans"))
        plan = plan_tick(PollState(), known, pages, datetime.now(UTC), poll)
    return list(plan.new)
