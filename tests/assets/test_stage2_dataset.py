"""The data set of Stage 2 in the store: made of forged pairs, replayed, and shown to fail."""

import json
from pathlib import Path

import pytest

from secai_assets.assets.problems import join_runs
from secai_assets.assets.stage2_dataset import (
    NAME,
    in_order,
    publish_rows,
    read_certificates,
    read_rows,
    read_windows,
)
from secai_assets.checks.stage2_dataset import replayed
from secai_assets.dataset_views import dataset_metadata, dataset_origin, dataset_verdicts
from secai_assets.resources.house import House
from secai_lib.core.generation import Chat
from secai_lib.core.manifest import Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json
from secai_lib.core.training import ForgedPair
from secai_lib.datasets.applier import apply_answer
from secai_lib.gateways.columns import FORGED_PAIRS
from secai_lib.gateways.tables import to_parquet
from tests.fakes.repairs import make_repair

ORIGIN = Origin(inputs={}, settings="", code_version="")
MODEL = Model(
    name="tiny", uri="local:tiny", revision="1", source_sha256="0" * 64, licence="Apache-2.0",
    licence_origin="a test", architecture="llama", parameters=1, size_bytes=1, folder="tiny",
    files={},
)  # fmt: skip
PAIRS = 24


def words(chat: Chat) -> int:
    return sum(len(turn.content.split()) for turn in chat)


def make_pair(number: int) -> ForgedPair:
    """A workflow of its own words, so that none is left out as a near-duplicate."""
    body = "".join(
        f"      - run: step{number}x{n} of{number * n} job{n + number}\n" for n in range(8)
    )
    weak = f"name: w{number}\non: push\njobs:\n  j{number}:\n    steps:\n{body}"
    fixed = weak.replace("jobs:", f"permissions: {{}}\nenv: e{number}\njobs:")
    path = f".github/workflows/w{number}.yml"
    repair = make_repair(
        {path: weak}, {path: fixed}, rule=f"rule-{number % 6}", kind=f"kind-{number % 6}",
        message=f"weakness {number} here", problem=f"{number:016x}", forged=True,
    )  # fmt: skip
    return ForgedPair(
        id=repair.fix.problem,
        kind=repair.fix.proposal.kind,
        origin="seed",
        licence="Apache-2.0",
        path=path,
        language="yaml",
        weak=repair.weak,
        finding=repair.finding,
        fix=repair.fix,
    )


def put_pairs(house: House, pairs: list[ForgedPair]) -> None:
    files = {"pairs.parquet": to_parquet(pairs, FORGED_PAIRS)}
    house.store.publish("forge_pairs", files, origin=ORIGIN, counts={"pairs": len(pairs)})


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("SECAI_HOME", str(tmp_path))
    house = House()
    join_runs(house)
    model = {"model.json": canonical_json(MODEL).encode()}
    house.store.publish("base_model", model, origin=ORIGIN, counts={})
    put_pairs(house, [make_pair(number) for number in range(PAIRS)])
    publish_rows(house, words, {"vocabulary": 1}, lambda _line: None)
    return house


def test_every_row_lies_there_with_what_it_takes_to_replay_it(house: House) -> None:
    rows, windows, certificates = read_rows(house), read_windows(house), read_certificates(house)
    originals = [row for row in rows if not row.metadata.augmented]
    assert len(originals) == PAIRS
    assert {row.metadata.certificate for row in rows} == set(windows) == set(certificates)
    assert {row.split.value for row in rows} == {"train", "validation", "test"}
    for pair in (make_pair(number) for number in range(PAIRS)):
        (row,) = [r for r in originals if r.metadata.problem == pair.fix.problem]
        made = apply_answer(pair.weak[pair.path], windows[pair.fix.id], row.response)
        assert "permissions: {}" in made
    assert replayed(house).passed
    assert all(verdict.passed for verdict in dataset_verdicts(house, NAME))
    assert dataset_metadata(house, NAME)["examples"]


def test_the_folder_loads_offline_whatever_lies_beside_the_rows(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets  # type: ignore[import-untyped]

    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    folder = str(house.store.path(NAME))
    loaded = datasets.load_dataset(folder, cache_dir=str(tmp_path / "cache"))
    rows = read_rows(house)
    assert {split: part.num_rows for split, part in loaded.items()} == {
        split: sum(row.split == split for row in rows) for split in ("train", "validation", "test")
    }
    first = next(row for row in rows if row.split == "test")
    assert loaded["test"][0]["response"] == first.response
    assert loaded["test"][0]["metadata"]["certificate"] == first.metadata.certificate


def test_equal_inputs_give_equal_bytes_and_are_kept(house: House) -> None:
    before = house.store.require(NAME)
    assert house.store.reusable(NAME, origin=dataset_origin(house)) == before
    assert publish_rows(house, words, {"vocabulary": 1}, lambda _line: None) == before
    put_pairs(house, [make_pair(number) for number in range(PAIRS - 1)])
    assert house.store.reusable(NAME, origin=dataset_origin(house)) is None


def test_a_weak_file_or_an_answer_that_was_changed_is_found(house: House) -> None:
    pairs = [make_pair(number) for number in range(PAIRS)]
    weak = {pairs[0].path: pairs[0].weak[pairs[0].path] + "# more\n"}
    put_pairs(house, [pairs[0].model_copy(update={"weak": weak}), *pairs[1:]])
    verdict = replayed(house)
    assert not verdict.passed
    assert "The weak files are not those" in verdict.sentence
    put_pairs(house, pairs[1:])
    assert "no longer there" in replayed(house).sentence

    put_pairs(house, pairs)
    assert replayed(house).passed
    manifest = house.store.require(NAME)
    files = {name: house.store.read(NAME, name) for name in manifest.files}
    rows = files["code_fix_dataset.jsonl"].splitlines(keepends=True)
    lie = json.loads(rows[0])
    lie["response"] = lie["response"].replace("permissions: {}", "permissions: write-all")
    files["code_fix_dataset.jsonl"] = b"".join([json.dumps(lie).encode() + b"\n", *rows[1:]])
    house.store.publish(NAME, files, origin=manifest.origin, counts=manifest.counts)
    assert "does not lead to the certified file" in replayed(house).sentence


def test_handlers_behind_urls_come_first_in_their_part(house: House) -> None:
    rows = read_rows(house)
    train = [row for row in rows if row.split == "train"]
    last = train[-1]
    mapped = last.model_copy(
        update={"metadata": last.metadata.model_copy(update={"url_mapped": True})}
    )
    ordered = in_order([*(row for row in rows if row != last), mapped])
    assert ordered[0] == mapped
    assert [row for row in ordered if row != mapped] == [row for row in rows if row != last]
