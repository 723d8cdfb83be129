"""`secai publish` and `secai gate`: what they say and how they end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from secai_assets.checks.evaluation import SCORE_GATES
from secai_assets.cli.gate import print_gate
from secai_assets.cli.publish import publish_all
from secai_assets.instance import open_instance
from secai_assets.resources.house import House
from secai_assets.run import Outcome, _collect
from tests.fakes.finished_house import PUBLISHED, UPSTREAM, Corridor, finished_house


@pytest.fixture
def corridor(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Corridor]:
    made = Corridor(finished_house(home))
    monkeypatch.setattr("secai_assets.definitions.build", made.build)
    monkeypatch.setattr("secai_assets.cli.gate.build", made.build)

    def flow(house: House, until: str) -> Outcome:
        """`run_again` on the small corridor."""
        assert until == "all"
        outcome = Outcome()
        with open_instance(house.project) as instance:
            result = made.run(instance)
        _collect(result, outcome)
        events = result.get_asset_materialization_events()
        outcome.made = {event.asset_key.to_user_string() for event in events if event.asset_key}
        return outcome

    monkeypatch.setattr("secai_assets.cli.publish.run_again", flow)
    yield made


def gate(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[dict[str, Any]]]:
    capsys.readouterr()
    code = print_gate("", as_json=True)
    return code, json.loads(capsys.readouterr().out)


def test_publish_says_where_and_ends_with_zero_though_a_score_gate_failed(
    corridor: Corridor, capsys: pytest.CaptureFixture[str]
) -> None:
    corridor.failing = {"evaluation.retention"}
    assert publish_all(push=None, as_json=True) == 0
    said = json.loads(capsys.readouterr().out)["published"]
    assert set(said) == set(PUBLISHED)
    one = said["published_dataset"]
    assert one["state"] == "candidate" and one["failed_gates"] == {"retention": "retention is bad"}
    assert one["folder"] == "publications/candidate/datasets/local/secai-dataset"
    assert publish_all(push=False, as_json=False) == 0
    assert "no push, retention: retention is bad" in capsys.readouterr().out
    code, lines = gate(capsys)
    assert code == 7
    scores = {line["check"]: line["passed"] for line in lines if line["score"]}
    assert scores == {name: name != "retention" for name in SCORE_GATES}
    assert print_gate("", as_json=False) == 7
    out = capsys.readouterr().out
    assert "no push" in out and "Only a candidate: 1 score gate(s) stop a push." in out


def test_a_refusal_ends_with_seven_and_its_reasons(
    corridor: Corridor, capsys: pytest.CaptureFixture[str]
) -> None:
    corridor.failing = {"stage1_dataset.leak"}
    assert publish_all(push=None, as_json=True) == 7
    said = json.loads(capsys.readouterr().out)
    assert said["published"] == {} and "stage1_dataset.leak: leak is bad" in said["failed_checks"]
    corridor.failing = set()
    with dg.DagsterInstance.from_config(str(corridor.house.project.dagster_home)) as instance:
        result = corridor.run(instance, "published_dataset")
    outcome = Outcome()
    _collect(result, outcome)
    assert outcome.exit_code == 7, "publishing alone is a refusal as well"


def test_the_gate_looks_at_all_that_leaves_and_opens(
    corridor: Corridor, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_instance(House().project) as instance:
        corridor.settle(instance)
    code, lines = gate(capsys)
    assert code == 0 and {line["asset"] for line in lines} == set(UPSTREAM)


def test_push_stands_above_the_setting(
    corridor: Corridor, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def flow(house: House, _until: str) -> Outcome:
        asked.append(house.settings.publication.push)
        return Outcome()

    monkeypatch.setattr("secai_assets.cli.publish.run_again", flow)
    for push in (None, True, False):
        assert publish_all(push=push, as_json=True) == 0
    assert asked == [False, True, False]
    assert capsys.readouterr().out
