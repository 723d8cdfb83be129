"""The files load with `datasets` as people load them, offline, with every column typed."""

import json
from pathlib import Path
from typing import Literal

import pytest

from secai_lib.core.finding import Category
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.export import dataset_files, effective_shares, read_lines
from tests.fakes.training_rows import make_metadata, make_training_row


def rows(stage: Literal[1, 2]) -> list[TrainingExample]:
    """Lists are empty in the first part and filled in the last: types must not be guessed."""
    made = [
        make_training_row(stage=stage, body="a", metadata=make_metadata(cwes=())),
        make_training_row(stage=stage, body="b", metadata=make_metadata(cwes=())),
        make_training_row(stage=stage, body="c", metadata=make_metadata(cwes=("CWE-79",))),
    ]
    return [r.model_copy(update={"split": s}) for r, s in zip(made, Split, strict=True)]


@pytest.mark.parametrize("stage", [1, 2])
def test_load_dataset_finds_parts_and_columns(
    stage: Literal[1, 2], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets  # type: ignore[import-untyped]

    # not by the environment: what is first imported under it stays offline for other tests
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)

    folder = tmp_path / "current"
    folder.mkdir()
    for name, data in dataset_files(rows(stage), stage).items():
        (folder / name).write_bytes(data)
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
    assert {name: part.num_rows for name, part in loaded.items()} == {
        "train": 1, "validation": 1, "test": 1}  # fmt: skip
    expected = set(TrainingExample.model_fields) - ({"readable"} if stage == 1 else set())
    for part in loaded.values():
        assert set(part.features) == expected
        assert part.features == loaded["train"].features
    row = loaded["test"][0]
    assert row["metadata"]["cwes"] == ["CWE-79"]
    assert [message["role"] for message in row["messages"]] == ["system", "user", "assistant"]
    assert row["metadata"]["created_at"].startswith("2025-09-11")
    if stage == 2:
        assert row["readable"]["key_changes"] == ["permissions added"]


def test_bytes_are_equal_for_equal_rows_and_rows_come_back() -> None:
    files = dataset_files(rows(1), 1)
    assert files == dataset_files(rows(1), 1)
    assert read_lines(files["vulnerability_analysis_dataset.jsonl"]) == rows(1)
    assert read_lines(files["train.jsonl"]) == rows(1)[:1]
    assert "code_fix_dataset.jsonl" in dataset_files(rows(2), 2)


def test_a_part_without_rows_has_no_file() -> None:
    files = dataset_files(rows(1)[:1], 1)
    assert "test.jsonl" not in files
    assert "test.jsonl" not in files["README.md"].decode()


def test_the_facts_count_what_is_there() -> None:
    facts = json.loads(dataset_files(rows(1), 1)["dataset_info.json"])
    assert facts["rows"] == 3
    assert facts["splits"] == {"test": 1, "train": 1, "validation": 1}
    assert facts["licences"] == {"Apache-2.0": 3}


def test_a_weight_multiplies_a_categorys_share() -> None:
    web, code = (
        make_training_row(body=str(c), metadata=make_metadata(category=c, training_weight=w))
        for c, w in ((Category.WEB, 3.0), (Category.CODE, 1.0))
    )
    assert effective_shares([web, code]) == {"code": 0.25, "web": 0.75}
    assert effective_shares([]) == {}
