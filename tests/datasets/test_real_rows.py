"""The findings of a real workflow run as rows of Stage 1: no check finds a fault in any of them."""

from pathlib import Path

import pytest

from secai_lib.core.generation import Chat
from secai_lib.core.settings import DatasetSettings, Quality
from secai_lib.core.training import TrainingExample
from secai_lib.datasets.finish import finish
from secai_lib.datasets.material import Material
from secai_lib.datasets.stage1 import stage1_row
from secai_lib.findings import distinct, intake
from secai_lib.parsers import parse_report
from secai_lib.quality import datasets
from tests.fakes.records import make_problem

QUALITY, SETTINGS = Quality(), DatasetSettings()


def count_tokens(chat: Chat) -> int:
    """About what the small model's tokenizer makes of English and code."""
    return sum(len(message.content) for message in chat) // 3


@pytest.fixture(scope="module")
def rows(real_scans: Path) -> list[TrainingExample]:
    paths = [path for path in sorted(real_scans.rglob("*")) if path.is_file()]
    files = [(str(path.relative_to(real_scans)), path.read_bytes()) for path in paths]
    reports, _ = intake(files, parse_report)
    found = distinct(reports, repository="a/b", run="r", commit="")
    assert len(found) == 256
    return [
        stage1_row(
            Material(problem=make_problem([finding]), finding=finding, context=None, fix=None,
                     abstention=None, licence="Apache-2.0"),
            SETTINGS.weights,
        )
        for finding in found
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(datasets.FAULTS))
def test_no_row_has_a_fault(rows: list[TrainingExample], name: str) -> None:
    verdict = datasets.fault(name, rows, QUALITY)
    assert verdict.passed, verdict.sentence


def test_the_loud_rules_are_held_down_and_nothing_leaks(rows: list[TrainingExample]) -> None:
    made = finish(rows, SETTINGS, count_tokens)[1]
    assert made.left_out["near_duplicate"] > 50
    named = [r for r in made.rows if r.metadata.rule.endswith("credential-validation-bypass")]
    loud = [r for r in named if not r.metadata.augmented]
    assert len(loud) <= 12
    assert datasets.no_leak(made.rows, SETTINGS, QUALITY).passed
    assert datasets.token_length(made.tokens, SETTINGS).passed
    assert 30 < sum(not row.metadata.augmented for row in made.rows) < 150
