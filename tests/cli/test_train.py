"""`secai train`: what it asks the flow for, and what it says of what was trained."""

import json
from typing import Any

import pytest
import typer

from secai_assets.cli.train import train_adapters
from secai_assets.resources.house import House
from secai_assets.resources.training import read_training
from secai_assets.run import Outcome
from secai_lib.core.errors import UsageError
from tests.assets.test_adapters import ORIGIN, house, made  # noqa: F401 - a fixture


@pytest.fixture
def flow(house: House, monkeypatch: pytest.MonkeyPatch) -> list[str]:  # noqa: F811
    """A flow that trains with the small engine; what it was asked for."""
    asked = []

    def run_again(_house: House, until: str) -> Outcome:
        asked.append(until)
        made(house, 1, lambda _line: None)
        if until == "stage2_adapter":
            made(house, 2, lambda _line: None)
        return Outcome(made={"stage1_adapter", until})

    monkeypatch.setattr("secai_assets.cli.train.run_again", run_again)
    return asked


def test_both_stages_are_made_and_told_of(
    flow: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    train_adapters("all", as_json=False)
    assert flow == ["stage2_adapter"]
    one, two = capsys.readouterr().out.splitlines()
    assert one.startswith("Stage 1: 18 steps, loss of the probe rows")
    assert two.startswith("Stage 2: 24 steps from Stage 1's adapter")
    assert "25% replayed" in two


def test_markdown_draws_a_point_for_each_validation(
    flow: list[Any],
    house: House,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    train_adapters("all", as_json=False, as_markdown=True)
    charts = capsys.readouterr().out.strip().split("\n\n")
    assert [chart.count("```") for chart in charts] == [2, 2]
    for stage, chart in zip((1, 2), charts, strict=True):
        training = read_training(house, 1 if stage == 1 else 2)
        assert f'title "Stage {stage}: ' in chart
        steps, own, looked = (
            json.loads("[" + line.partition("[")[2])
            for line in chart.splitlines() if "[" in line
        )  # fmt: skip
        assert steps == [look.step for look in training.validations]
        assert looked == [round(look.own, 3) for look in training.validations]
        assert len(own) == len(steps) > 2
        since = [s.loss for s in training.steps[steps[-2] :] if not s.replayed]
        assert own[-1] == pytest.approx(sum(since) / len(since), abs=1e-3)


def test_json_holds_the_measured_numbers(
    flow: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    train_adapters("1", as_json=True)
    said = json.loads(capsys.readouterr().out)
    (adapter,) = said["adapters"]
    before, after = adapter["probe_loss"]
    assert after < before
    assert adapter["steps"] == 18
    assert adapter["tokens_per_second"] > 0


def test_a_failed_step_is_the_exit_code(
    flow: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = Outcome(failed_steps={"stage1_adapter": "step 3 of Stage 1 failed"}, exit_code=1)
    monkeypatch.setattr("secai_assets.cli.train.run_again", lambda *_args, **_more: bad)
    with pytest.raises(typer.Exit) as ended:
        train_adapters("1", as_json=True)
    assert ended.value.exit_code == 1
    assert json.loads(capsys.readouterr().out)["adapters"] == []


def test_wrong_usage_is_said(house: House) -> None:  # noqa: F811
    with pytest.raises(UsageError, match="3 is no stage"):
        train_adapters("3", as_json=False)
    with pytest.raises(UsageError, match="nothing was scanned yet"):
        train_adapters("all", as_json=False)
