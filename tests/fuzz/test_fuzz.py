"""The fuzzer's own parts: what it keeps, what it counts, and that chance is an argument."""

from pathlib import Path
from random import Random

import pytest

from secai_lib.parsers.registry import PARSERS
from tests.fuzz.coverage import minimise, share_of_lines
from tests.fuzz.report import Campaign, table
from tests.fuzz.targets import Target, targets

TARGETS = targets()
SOURCE = """
def check(data):
    if data.startswith(b"a"):
        return 1
    if data.startswith(b"b"):
        raise ValueError("b")
    return 2
"""


def test_the_smallest_inputs_that_take_all_branches_are_kept(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(SOURCE)
    names: dict[str, object] = {}
    exec(compile(SOURCE, str(module), "exec"), names)
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for text in ("a", "aa", "aaa", "bb", "bbb"):
        (corpus / text).write_text(text)
    check = names["check"]
    assert callable(check)
    kept, arcs = minimise(check, corpus.iterdir(), frozenset({str(module)}))
    assert [path.name for path in kept] == ["a", "bb"]
    assert share_of_lines([module], arcs) == pytest.approx(4 / 5)


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
def test_the_same_seed_makes_the_same_input_and_others_make_others(target: Target) -> None:
    for seed in target.seeds:
        assert target.mutate(seed, Random(7)) == target.mutate(seed, Random(7))
    assert len({target.mutate(target.seeds[0], Random(n)) for n in range(20)}) > 5


def test_every_parser_of_the_registry_is_a_target() -> None:
    assert set(TARGETS) == {"archive", *(parser.name for parser in PARSERS)}


def test_the_table_sums_what_can_be_summed() -> None:
    one = Campaign("a", 60.0, 1000, 0.5, 2**20, {"X at y.py:1": "crash-1"}, 0, 3, 5, 0.5)
    two = Campaign("b", 120.0, 500, 0.1, 2**21, {}, 1)
    *_, first, second, total = table([one, two]).splitlines()
    assert first == "| a | 1.0 | 1,000 | 3 | 5 | 50% | 1 | 0 | 500 ms | 1 MiB |"
    assert second == "| b | 2.0 | 500 | 0 |  |  | 0 | 1 | 100 ms | 2 MiB |"
    assert total == "| all | 3.0 | 1,500 | 3 |  |  | 1 | 1 | 500 ms | 2 MiB |"
