"""What the sensor `automation` would start, evaluated without a daemon."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.definitions import build
from secai_assets.resources.house import House
from tests.house.kit import house

pytestmark = pytest.mark.slow
CORPUS = ("problems", "fixes", "report")


class Automation:
    """An instance on which nothing ran yet, over a home in which everything can be reused."""

    def __init__(self, instance: dg.DagsterInstance, doors: House) -> None:
        self.instance, self.doors = instance, doors
        self.cursor: dg.AssetDaemonCursor | None = None

    def asks_for(self) -> set[str]:
        """The corpus assets that the next tick requests."""
        result = dg.evaluate_automation_conditions(
            build(self.doors), self.instance, cursor=self.cursor
        )
        self.cursor = result.cursor
        return {name for name in CORPUS if result.get_num_requested(dg.AssetKey(name))}

    def run(self, *names: str, key: str | None = None, doors: House | None = None) -> bool:
        """True when a run of `names` with their checks succeeded."""
        job = dg.define_asset_job(
            "some", dg.AssetSelection.assets(*names), executor_def=dg.in_process_executor
        )
        merged = dg.Definitions.merge(build(doors or self.doors), dg.Definitions(jobs=[job]))
        done = merged.resolve_job_def("some").execute_in_process(
            instance=self.instance, partition_key=key, raise_on_error=False
        )
        return done.success

    def ingest(self, key: str) -> bool:
        return self.run("raw_scans", "findings", "route_tables", "code_contexts", key=key)


@pytest.fixture
def automation(mine: Callable[[], Path]) -> Iterator[Automation]:
    with dg.instance_for_test() as instance:
        yield Automation(instance, house(mine()))


def test_new_findings_go_on_to_problems_fixes_and_report(automation: Automation) -> None:
    (key,) = automation.doors.store.keys("findings")
    assert automation.asks_for() == set()
    automation.instance.add_dynamic_partitions("scan_run", [key, "never~materialized~1~1"])
    assert automation.asks_for() == set(), "a partition without data starts nothing"
    assert automation.ingest(key)
    asked = automation.asks_for()
    assert "problems" in asked, "a missing partition does not stop the corpus"
    made = set()
    for _ in CORPUS:
        if not asked:
            break
        assert automation.run(*asked)
        made |= asked
        asked = automation.asks_for()
    assert made == set(CORPUS)
    assert asked == set(), "and then it is quiet"


def test_a_failed_check_of_problems_stops_fixes(automation: Automation) -> None:
    (key,) = automation.doors.store.keys("findings")
    automation.asks_for()
    automation.instance.add_dynamic_partitions("scan_run", [key])
    assert automation.ingest(key)
    assert "problems" in automation.asks_for()
    settings = automation.doors.settings
    strict = settings.model_copy(
        update={"quality": settings.quality.model_copy(update={"problems_max_unmatched": -1})}
    )
    project = automation.doors.project
    judge = House(type(project)(root=project.root, settings=strict))
    assert not automation.run("problems", doors=judge)
    assert "fixes" not in automation.asks_for()
    assert "fixes" not in automation.asks_for()
    assert automation.run("problems"), "the same asset, its check passed"
    assert "fixes" in automation.asks_for()
