"""`secai context` on the bundled sample, as a person types it."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import secai
from tests.demo.sample_facts import REPOSITORY

REPORTS = REPOSITORY.parent / "reports"


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """Every command has a data home of its own."""


def test_each_finding_gets_the_lines_of_the_commit() -> None:
    done = secai("context", "demo", "--findings", REPORTS, "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows, done.stderr
    assert len({row["fingerprint"] for row in rows}) == len(rows)
    exact = [row for row in rows if row["status"] == "exact"]
    assert exact
    for row in exact:
        lines = (REPOSITORY / row["path"]).read_text("utf-8").splitlines()
        assert 1 <= row["start_line"] <= row["end_line"] <= len(lines)
    uses = [row["use"] for row in rows if row["use"]]
    assert any(use["scope"] != "unknown" and use["configurations"] for use in uses)


@pytest.mark.parametrize(
    ("commit", "words"),
    [
        ("HEAD~1", "7 to 40 of its hex digits"),
        ("0" * 40, "no single commit"),
        ("../../x", "7 to 40 of its hex digits"),
    ],
)
def test_a_commit_that_is_not_there_is_an_error(commit: str, words: str) -> None:
    done = secai("context", "demo", "--findings", REPORTS, "--commit", commit)
    assert done.returncode == 3 and words in done.stderr and not done.stdout


def test_reports_must_be_named() -> None:
    done = secai("context", "demo")
    assert done.returncode == 2 and "--findings" in done.stderr
