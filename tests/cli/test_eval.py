"""`secai eval`: the table, the JSON, and an examination in small that is not stored."""

import json

import pytest

from secai_assets.assets.evaluation import make, origin_of
from secai_assets.cli import eval as command
from secai_assets.resources.house import House
from secai_assets.run import Outcome
from secai_lib.gateways.config import Project
from tests.assets.test_evaluation import Household, house

__all__ = ["house"]


@pytest.fixture
def opened(house: Household, monkeypatch: pytest.MonkeyPatch) -> Household:
    def small(project: Project | None = None) -> House:
        if project is not None:
            house.project = project
        return house

    def flow(house: House, until: str) -> Outcome:
        """The last step of `run_again`: kept when nothing changed."""
        if not house.store.reusable(until, origin=origin_of(house)):
            make(house, {}, lambda _line: None)
        return Outcome(made={until})

    monkeypatch.setattr(command, "House", small)
    monkeypatch.setattr(command, "run_again", flow)
    return house


def test_the_examination_is_made_once_and_shown(
    opened: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    command.print_evaluation(0, 0, as_json=False)
    shown = capsys.readouterr().out
    assert "Stage 1: reading a weakness" in shown
    assert "rule_lookup" in shown
    assert "Retention 1.00" in shown
    assert "stage1: 4 rows of Stage 1 decide nothing" in shown
    asked = len(opened.asked)
    command.print_evaluation(0, 0, as_json=True)
    assert len(opened.asked) == asked
    told = json.loads(capsys.readouterr().out)
    assert {gate["name"] for gate in told["gates"]} >= {"stage1", "retention"}
    assert len(told["scores"]) > 50
    command.print_evaluation(0, 0, as_markdown=True)
    page = capsys.readouterr().out
    assert "## Stage 1: reading a weakness" in page and "| facet:" in page
    assert "| tool:" not in page, "the tables in short"


def test_a_smaller_examination_asks_less_and_is_not_stored(
    opened: Household, capsys: pytest.CaptureFixture[str]
) -> None:
    command.print_evaluation(1, 2, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (len(told["asked"]["stage1"]), len(told["asked"]["stage2"])) == (2, 0)
    assert len(opened.asked) == 3 * 2
    assert opened.store.manifest("evaluation") is None
    assert {score["stage"] for score in told["scores"]} == {1}
