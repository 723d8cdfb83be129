"""The checks of Stage 2 pass on real rows and fail on what is planted in one."""

import pytest

from secai_lib.core.settings import DatasetSettings, Quality
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.stage2 import stage2_rows
from secai_lib.quality.datasets import FAULTS, fault
from secai_lib.quality.stage2_dataset import certificates, no_leak_across
from tests.fakes.repairs import make_repair
from tests.fakes.training_rows import make_metadata, make_training_row

QUALITY = Quality()
TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


def row_of(message: str = "no permissions block", explanation: str = "Fine.") -> TrainingExample:
    repair = make_repair(message=message, explanation=explanation)
    (row,) = stage2_rows([repair], DatasetSettings(), {}).rows
    return row


def faults_of(row: TrainingExample) -> set[str]:
    return {name for name in FAULTS if not fault(name, [row], QUALITY).passed}


def test_a_real_row_has_no_fault() -> None:
    assert faults_of(row_of()) == set()


def test_prose_may_quote_a_pattern_and_lists_no_advisory_that_the_prompt_does_not_name() -> None:
    explanation = "GitHub replaces `${{ ... }}` (CVE-2024-11111, CVE-2024-22222) (sometimes)."
    row = row_of(explanation=explanation)
    assert faults_of(row) == set()
    assert row.readable is not None
    assert row.readable.security_improvements == ("GitHub replaces `${{ ... }}` (sometimes).",)


@pytest.mark.parametrize(
    ("message", "explanation", "name"),
    [
        ("no block: put permissions:\n  contents: read there", "Fine.", ""),  # on one line
        ("no permissions block", "And so on ... until TODO is done.", "placeholder"),
        ("no permissions block", "As CVE-2024-11111 says.", "invented_id"),
        (f"no permissions block {TOKEN}", "Fine.", "secret"),
    ],
)
def test_what_is_planted_is_found(message: str, explanation: str, name: str) -> None:
    assert faults_of(row_of(message, explanation)) == ({name} if name else set())


def test_the_replacement_may_stand_in_the_weak_file_but_not_in_what_is_told() -> None:
    (row,) = stage2_rows(
        [make_repair("a: 1\nb: 2\nc: 1\n", "a: 1\nb: 1\nc: 1\n", line=2)], DatasetSettings(), {}
    ).rows
    elsewhere = row.instruction.replace("c: 1", "xb: 1")
    assert faults_of(row.model_copy(update={"instruction": elsewhere})) == set()
    told = row.instruction.replace("Finding: ", "Finding: write b: 1 ")
    assert faults_of(row.model_copy(update={"instruction": told})) == {"answer_in_prompt"}


def test_a_row_that_does_not_follow_from_its_proof_is_named() -> None:
    assert certificates({"a": "", "b": ""}, QUALITY).passed
    assert certificates({}, QUALITY).passed
    verdict = certificates({"a": "", "b": "Its answer is another."}, QUALITY)
    assert not verdict.passed
    assert verdict.value == 1
    assert "row b: Its answer is another." in verdict.sentence


def test_a_row_of_one_stage_in_another_part_of_the_other_is_a_leak() -> None:
    settings, row = DatasetSettings(), row_of()
    test = row.model_copy(update={"split": Split.TEST})
    here = make_training_row(metadata=make_metadata(problem=row.metadata.problem, file="a.yml"))
    assert not no_leak_across([here], [test], settings, QUALITY).passed
    assert no_leak_across([here], [row], settings, QUALITY).passed
    apart = make_training_row(metadata=make_metadata(problem="apart", file="a.yml"))
    assert no_leak_across([apart], [test], settings, QUALITY).passed
    same_file = make_training_row(metadata=make_metadata(problem="apart", file=row.metadata.file))
    owner = same_file.metadata.model_copy(update={"repository": row.metadata.repository})
    leak = same_file.model_copy(update={"metadata": owner})
    assert not no_leak_across([leak], [test], settings, QUALITY).passed
