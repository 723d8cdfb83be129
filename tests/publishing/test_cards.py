"""Cards say what was measured, and what they tell people to type works."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from secai_assets.assets import published_dataset, published_stage2_model
from secai_lib.publishing.croissant import FIELDS
from secai_lib.publishing.front_matter import read_head
from secai_lib.publishing.release import Gate
from secai_lib.publishing.tables import markdown_table
from tests.fakes.finished_house import finished_house, rows
from tests.fakes.tiny_olmo import write_tiny_olmo

GATES = (Gate(name="stage2", passed=True, value=0.9, threshold=0.7, sentence="fine"),)


def code_of(card: bytes) -> str:
    (code,) = re.findall(r"```python\n(.*?)```", card.decode(), re.DOTALL)
    return str(code)


def typed(code: str, home: Path) -> str:
    """What `code` prints in a fresh process that no network and no cache helps."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


@pytest.mark.slow
def test_the_data_sets_load_as_their_card_says(home: Path, tmp_path: Path) -> None:
    content = published_dataset.gather(finished_house(home), "octo/data", ())
    write(tmp_path / "data", dict(content.files))
    code = code_of(content.files["README.md"])
    printed = typed(code.replace("octo/data", str(tmp_path / "data")), tmp_path)
    first = rows(2)[0]
    assert printed.startswith("8 ") and first.instruction in printed and first.response in printed


@pytest.mark.slow
def test_the_adapter_loads_and_answers_as_its_card_says(home: Path, tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base, adapter = tmp_path / "base", tmp_path / "adapter"
    write_tiny_olmo(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(model, lora).save_pretrained(str(adapter))
    content = published_stage2_model.gather(finished_house(home), "octo/fixer", GATES)
    code = code_of(content.files["README.md"])
    code = code.replace('base = "tiny"', f"base = {str(base)!r}").replace(
        "octo/fixer", str(adapter)
    )
    assert typed(code, tmp_path).startswith("<<<\n")


def test_croissant_names_every_row_file_with_its_hash_and_columns(home: Path) -> None:
    files = published_dataset.gather(finished_house(home), "octo/data", ()).files
    said = json.loads(files["croissant.json"])
    hashes = {one["@id"]: one["sha256"] for one in said["distribution"]}
    from secai_lib.core.record import sha256_hex

    assert set(hashes) == {f"stage{n}/{split}.jsonl" for n in (1, 2)
                           for split in ("train", "validation", "test")}  # fmt: skip
    assert all(sha256_hex(files[name]) == digest for name, digest in hashes.items())
    first = json.loads(files["stage1/train.jsonl"].splitlines()[0])
    assert set(FIELDS) <= set(first)
    assert {r["field"][0]["source"]["fileObject"]["@id"] for r in said["recordSet"]} == set(hashes)
    assert said["license"] == ["https://spdx.org/licenses/Apache-2.0"]


def test_the_data_sets_head_is_what_the_hub_reads(home: Path) -> None:
    head = read_head(
        published_dataset.gather(finished_house(home), "octo/data", ()).files["README.md"]
    )
    assert head["license"] == "apache-2.0"
    assert head["configs"][1]["data_files"][0] == {"split": "train", "path": "stage2/train.jsonl"}
    columns = [feature["name"] for feature in head["dataset_info"][1]["features"]]
    assert "readable" in columns and "response" in columns


def test_equal_products_give_equal_repositories(home: Path) -> None:
    house = finished_house(home)
    first, second = (published_stage2_model.gather(house, "a/b", GATES).files for _ in range(2))
    assert first == second


def test_the_example_of_a_card_is_one_that_may_stand_there(home: Path) -> None:
    test = rows(2)[-1]
    short = test.model_copy(update={"id": "0" * 16, "instruction": "WORKDIR /app"})
    house = finished_house(home, stage2=[*rows(2), short])
    card = published_stage2_model.gather(house, "a/b", GATES).files["README.md"].decode()
    assert "/app" not in card and "Line: 9" in card


def test_hostile_cells_do_not_break_a_table() -> None:
    assert markdown_table(("a", "b"), [("x|y\n# z", 1)]).splitlines()[2] == "| x\\|y # z | 1 |"
