"""Dagster's databases, whose first making may be killed."""

import os
import sqlite3
from pathlib import Path

import dagster as dg
import pytest

from secai_assets import instance
from secai_assets.instance import open_instance
from secai_assets.resources.house import House
from secai_assets.run import taken
from secai_lib.core.manifest import Origin
from secai_lib.gateways.config import load_project


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill -9."""


def half_made(home: Path) -> None:
    """What a kill -9 leaves: the first tables are there, the others and the version are not."""
    with sqlite3.connect(home / "history" / "runs" / "index.db") as index:
        index.execute("drop table dynamic_partitions")
        index.execute("drop table alembic_version")
    (home / "schedules").mkdir(exist_ok=True)


@pytest.mark.usefixtures("home")
def test_databases_whose_making_was_killed_are_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    project = load_project()
    genuine = instance._open

    def killed_half_way(home: Path) -> dg.DagsterInstance:
        genuine(home).dispose()
        half_made(home)
        raise Killed

    monkeypatch.setattr(instance, "_open", killed_half_way)
    with pytest.raises(Killed), open_instance(project):
        pass
    monkeypatch.setattr(instance, "_open", genuine)
    with open_instance(project) as whole:
        whole.add_dynamic_partitions("scan_run", ["a~b~1~1"])
    with open_instance(project) as again:
        assert again.get_dynamic_partitions("scan_run") == ["a~b~1~1"], "a sound one is kept"
    assert not (Path(os.environ["DAGSTER_HOME"]) / ".secai.making").exists()


@pytest.mark.usefixtures("home")
def test_a_scan_run_is_taken_when_it_is_stored_and_noted() -> None:
    """A kill -9 may fall between the two, and then the partition would be missing for ever."""
    house = House()
    origin = Origin(inputs={}, settings="", code_version="")
    house.store.publish("code_contexts", {}, key="a~b~1~1", counts={}, origin=origin)
    assert taken(house) == set()
    with open_instance(house.project) as noting:
        for key in ("a~b~1~1", "a~b~2~1"):
            noting.report_runless_asset_event(
                dg.AssetMaterialization("code_contexts", partition=key)
            )
    assert taken(house) == {"a~b~1~1"}, "what is noted and not stored is not taken either"
