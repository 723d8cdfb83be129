"""Readers that are killed, that run at once or ask again; damaged products; other models."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from secai_assets.assets.analyses import read_analyses
from secai_assets.assets.base_model import read_base_model
from secai_assets.assets.fixes import Place
from secai_assets.run import NEED_MODELS, ORDER
from tests.fakes.tiny_olmo import write_tiny_olmo
from tests.house.kit import (
    BIN,
    MODELS,
    ROOT,
    children,
    house,
    is_alive,
    leftovers,
    newest,
    product_files,
    reused,
    secai,
    sentence,
    sql,
    started,
    wait_until,
)

pytestmark = pytest.mark.slow
NESTBOX = Place("secai-demo/nestbox", "main")
SHELF = {"SECAI_MODELS_DIR": str(MODELS)}
ANALYSES = [str(BIN / "secai"), "demo", "--until", "analyses"]
ANSWERS = re.compile(r"the model gave (\d+) answer")


def forget(home: Path, *products: str) -> None:
    for product in products:
        shutil.rmtree(home / "data" / product)


def answers(words: str) -> int:
    """How many answers of a model a run has told of."""
    return sum(map(int, ANSWERS.findall(words)))


def journal(home: Path) -> list[str]:
    """The whole lines of answers that are not published yet."""
    found = list((home / "data" / ".journal").glob("analyses-*.jsonl"))
    lines = [line for path in found for line in path.read_text("utf-8").splitlines()]
    return [line for line in lines if line]


def test_a_killed_reader_goes_on_where_it_was(own: Path, tmp_path: Path) -> None:
    forget(own, "analyses")
    few = {
        "SECAI_ANALYSES__MAX_PROBLEMS": "8",
        "SECAI_INFERENCE__BATCH_SIZE": "2",
        # without it prompts are equal, whichever knowledge base is there
        "SECAI_ANALYSES__RETRIEVAL": "false",
        **SHELF,
    }
    with started(ANALYSES, own, tmp_path / "killed.log", **few) as program:
        wait_until("an answer", lambda: program.process.poll() is not None or journal(own))
        (child,) = [p for p, words in children(program.process.pid).items() if "child" in words]
        program.kill()
        wait_until("the end of the child", lambda: not is_alive(child), 10)
    kept = journal(own)
    assert 1 <= len(kept) < 8
    assert not (own / "data" / "analyses").exists(), "nothing half published"

    done = secai(own, "demo", "--until", "analyses", **few)
    assert done.returncode == 0, sentence(done)
    made = read_analyses(house(own), NESTBOX)
    assert len(made) == 8
    assert len(kept) + answers(done.stderr) == sum(a.tries for a in made), "none is asked twice"
    assert not journal(own)
    assert not leftovers(own)


def test_two_demos_at_once_ask_the_model_once(own: Path, tmp_path: Path) -> None:
    forget(own, "analyses")
    few = {"SECAI_ANALYSES__MAX_PROBLEMS": "2", **SHELF}
    with (
        started(ANALYSES, own, tmp_path / "one.log", **few) as one,
        started(ANALYSES, own, tmp_path / "two.log", **few) as two,
    ):
        for program in (one, two):
            assert program.end() == 0, program.words
            assert "Traceback" not in program.words and "locked" not in program.words
    made = read_analyses(house(own), NESTBOX)
    assert len(made) == 2
    told = answers(one.words), answers(two.words)
    assert sorted(told) == [0, sum(a.tries for a in made)], "the second waited and kept"
    assert not journal(own) and not leftovers(own)


def test_asked_again_the_model_says_the_same_and_uses_the_knowledge_base(own: Path) -> None:
    cap = {"SECAI_ANALYSES__MAX_PROBLEMS": "4", **SHELF}
    before = read_analyses(house(own), NESTBOX)[:4]
    assert not any(a.knowledge or a.passages for a in before), "there was none yet"
    made = []
    for _ in range(2):
        done = secai(own, "demo", "--until", "analyses", "--refresh", **cap)
        assert done.returncode == 0, sentence(done)
        assert not newest(own, "analyses")["reused"].value
        made.append(product_files(own, "analyses"))
    assert made[0] == made[1], "greedy, so equal to the byte"

    again = read_analyses(house(own), NESTBOX)
    assert [a.problem for a in again] == [a.problem for a in before]
    assert [a.key for a in again] == [a.key for a in before], "knowledge is recorded, not keyed"
    assert len({a.knowledge for a in again} - {""}) == 1
    documents = dict(sql(own, "select id, problem from documents"))
    assert any(a.passages for a in again)
    for analysis in again:
        assert analysis.problem not in [documents[p] for p in analysis.passages], "never its own"
        assert analysis.prompt_tokens <= 350 and analysis.answer_tokens <= 96
    assert [a.prompt_tokens for a in again] != [a.prompt_tokens for a in before]


def test_damaged_products_are_said_to_be_and_made_again(own: Path) -> None:
    before = product_files(own, *ORDER)
    index = own / "data" / "knowledge_base" / "current" / "vulnerability_index.faiss"
    data = index.read_bytes()
    index.write_bytes(data[: len(data) // 2])
    stage2 = own / "data" / "stage2_dataset" / "current"
    certificate = next((stage2 / "certificates").iterdir())
    certificate.write_bytes(certificate.read_bytes().replace(b"proven", b"broken", 1))
    done = secai(own, "similar", "sql injection", **SHELF)
    assert done.returncode == 5, sentence(done)
    assert "vulnerability_index.faiss is damaged; materialize knowledge_base again" in done.stderr

    done = secai(own, "demo", **SHELF)
    assert done.returncode == 0, sentence(done)
    anew = [name for name, kept in reused(own, ORDER).items() if not kept]
    assert anew == ["knowledge_base", "stage2_dataset"]
    assert product_files(own, *ORDER) == before
    done = secai(own, "similar", "sql injection", **SHELF)
    assert done.returncode == 0 and "Score" in done.stdout, sentence(done)


BLOCKED = """
import sys
from importlib.machinery import PathFinder

NAMES = ("torch", "transformers", "sentence_transformers", "faiss", "llguidance", "mlx", "mlx_lm",
         "bm25s", "datasets", "datasketch", "tokenizers")

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            return None
        return PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
"""


def test_without_the_model_packages_everything_else_is_made(own: Path, tmp_path: Path) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / "sitecustomize.py").write_text(BLOCKED)
    path = f"{tmp_path / 'without'}{os.pathsep}{ROOT}"
    few = {"PYTHONPATH": path, "SECAI_FORGE__MAX_PAIRS": "12", **SHELF}
    before = product_files(own, *NEED_MODELS)
    done = secai(own, "demo", **few)
    assert done.returncode == 0, sentence(done)
    assert "the model packages are not installed: run `make setup` to add them" in done.stderr
    assert "Proven fixes by kind" in done.stdout
    assert re.search(r"^Forged pairs +12 ", done.stdout, re.MULTILINE)
    assert "Stage 2 rows" not in done.stdout
    assert not newest(own, "forge_pairs")["reused"].value
    assert product_files(own, *NEED_MODELS) == before
    for command in (("run", "demo", "--until", "analyses"), ("similar", "sql injection")):
        done = secai(own, *command, **few)
        assert done.returncode == 4, sentence(done)
        assert "make setup" in sentence(done)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A random OLMo-2 in a folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny-olmo"
    write_tiny_olmo(folder)
    yield folder


def test_a_tiny_olmo_goes_through_the_whole_flow(own: Path, tiny: Path, tmp_path: Path) -> None:
    settings = {
        "SECAI_MODELS__BASE__URI": str(tiny),
        "SECAI_MODELS__BASE__SHA256": "",
        "SECAI_MODELS__BASE__LICENCE": "Apache-2.0",
        "SECAI_MODELS_DIR": str(tmp_path / "shelf"),
        # its tokenizer knows 400 words, so everything is longer
        "SECAI_ANALYSES__PROMPT_TOKENS": "1200",
        "SECAI_DATASETS__MAX_TOKENS": "2048",
        **{f"SECAI_STAGE{stage}__MAX_TOKENS": "2048" for stage in (1, 2)},
        **{f"SECAI_STAGE{stage}__LORA__LAYERS": "2" for stage in (1, 2)},
        **{f"SECAI_STAGE{stage}__ITERATIONS": "8" for stage in (1, 2)},
        "SECAI_EVALUATION__MAX_ROWS": "8",
        "SECAI_EVALUATION__ANSWER_TOKENS": "24",
    }
    for product in MODELS.glob("gt-all-*"):
        shutil.copytree(product, tmp_path / "shelf" / product.name)
    few = {"SECAI_ANALYSES__MAX_PROBLEMS": "4"}
    done = secai(own, "run", "demo", "--until", "all", **settings, **few)
    assert done.returncode == 0, sentence(done)
    doors = house(own)
    model = read_base_model(doors)
    assert (model.architecture, model.uri) == ("olmo2", "local:tiny-olmo")
    made = read_analyses(doors, NESTBOX)
    assert len(made) == 4
    assert {a.model for a in made} == {model.identity}
    assert all("torch" in a.engine and (a.reading or a.reason_code) for a in made)
    for stage in ("stage1_dataset", "stage2_dataset"):
        assert doors.store.require(stage).counts["rows"] > 100
        assert not newest(own, stage)["reused"].value

    few = {"SECAI_ANALYSES__MAX_PROBLEMS": "2", "SECAI_INFERENCE__ENGINE": "mlx"}
    command = ("run", "demo", "--until", "analyses", "--refresh")
    done = secai(own, *command, **settings, **few)
    assert done.returncode == 0, sentence(done)
    made = read_analyses(doors, NESTBOX)
    assert len(made) == 2
    assert all("mlx" in a.engine and (a.reading or a.reason_code) for a in made)
    assert not leftovers(own)
