"""The files of a report: their names, their bytes, the same every time."""

import json
import random
import time
from pathlib import Path

from secai_lib.report.build import build_report
from secai_lib.report.render import render
from tests.report.hostile import hostile_report
from tests.report.scenario import Scenario, shop


def test_all_files_and_the_patch_untouched() -> None:
    scenario = shop()
    files = render(scenario.report(), scenario.files)

    assert list(files) == [
        "comment.md",
        "fixes.patch",
        "fixes.sarif",
        "problems.json",
        "report.html",
    ]
    assert files["fixes.patch"].decode() == scenario.arguments()["patch"]
    assert b"\r\n" in files["fixes.patch"]
    assert all(content.endswith(b"\n") for content in files.values())


def test_the_same_records_in_any_order_give_the_same_bytes() -> None:
    scenario = shop()
    expected = render(scenario.report(), scenario.files)
    arguments = scenario.arguments()
    for seed in range(3):
        shuffle = random.Random(seed).shuffle
        for name in ("findings", "contexts", "problems", "fixes", "abstentions"):
            shuffle(arguments[name])
        files = list(scenario.files.items())
        shuffle(files)
        assert render(build_report(**arguments), dict(files)) == expected


def test_problems_json_gives_a_fix_or_a_reason_for_each() -> None:
    scenario = shop()
    content = json.loads(render(scenario.report(), scenario.files)["problems.json"])

    assert len(content["problems"]) == content["counts"]["problems"] == 86
    assert all(bool(p["fixes"]) != bool(p["abstentions"]) for p in content["problems"])
    assert content["problems"][0]["fixes"][0]["certificate"].startswith("certificates/")
    assert len(content["begin_here"]) == 10


def test_hostile_and_empty_reports_render() -> None:
    report, files = hostile_report()

    assert set(render(report, files)) == set(render(Scenario().report(), {}))
    assert render(Scenario().report(), {})["fixes.patch"] == b""


def test_no_path_of_this_machine_and_no_clock_reaches_a_file() -> None:
    scenario = shop()
    everything = b"".join(render(scenario.report(), scenario.files).values()).decode()

    assert str(Path(__file__).parents[2]) not in everything
    assert str(Path.home()) + "/" not in everything
    assert time.strftime("%Y-%m-%d") not in everything
