"""Nothing leaves past the gate or the guard: in a run of everything and when published alone."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.in_force import OURS, VERSION
from secai_assets.publications import FOLDER, machine_of, read_receipt, verdicts
from secai_assets.resources.house import House
from secai_lib.core.record import content_hash
from secai_lib.core.settings import PublicationSettings
from secai_lib.publishing.front_matter import read_head
from secai_lib.publishing.guard import inspect
from tests.fakes.finished_house import (
    MODEL,
    PUBLISHED,
    UPSTREAM,
    Corridor,
    finished_house,
    rows,
)
from tests.fakes.hub_writes import TOKEN, WritableHub

STAGE2 = "published_stage2_model"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def corridor(home: Path, monkeypatch: pytest.MonkeyPatch) -> Corridor:
    return walked(finished_house(home), monkeypatch)


def walked(house: House, monkeypatch: pytest.MonkeyPatch, *failing: str) -> Corridor:
    made = Corridor(house, failing)
    monkeypatch.setattr("secai_assets.definitions.build", made.build)
    return made


def written(house: House) -> list[str]:
    root = house.project.home / FOLDER
    return sorted(p.relative_to(root).as_posix() for p in root.glob("[!.]*/*/*/*"))


def why(result: dg.ExecuteInProcessResult) -> str:
    assert not result.success
    events = [e for e in result.all_events if e.is_step_failure]
    failures = [e.step_failure_data.user_failure_data for e in events]
    return " ".join(f.description or "" for f in failures if f)


def test_what_passed_is_ready_and_reads_back(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    result = corridor.run(instance)
    assert result.success
    assert written(corridor.house) == [
        "ready/datasets/local/secai-dataset",
        "ready/models/local/secai-stage1-model",
        "ready/models/local/secai-stage2-model",
    ]
    checked = [e for e in result.get_asset_check_evaluations() if e.asset_key.path[0] in PUBLISHED]
    assert {(e.asset_key.path[0], e.check_name) for e in checked} == {
        (name, check) for name in PUBLISHED for check in ("guard", "round_trip")
    }
    assert all(e.passed for e in checked)
    receipt = read_receipt(corridor.house, STAGE2)
    assert receipt.state == "ready" and not receipt.commit and len(receipt.gates) == 5
    second = corridor.run(instance)
    own = [second.asset_materializations_for_node(name) for name in PUBLISHED]
    reused = [made.metadata["reused"].value for (made,) in own]
    assert reused == [True] * 3 and read_receipt(corridor.house, STAGE2) == receipt


def test_a_failed_score_gate_makes_a_candidate_which_a_better_score_replaces(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    corridor.failing = {"evaluation.stage2", "evaluation.beats_base"}
    assert corridor.run(instance).success
    assert {one.split("/")[0] for one in written(corridor.house)} == {"candidate"}
    folder = corridor.house.project.home / read_receipt(corridor.house, STAGE2).folder
    verdict = json.loads((folder / "verdict.json").read_text())
    assert [(gate["name"], gate["value"], gate["threshold"], gate["sentence"])
            for gate in verdict["failed"]] == [
        ("stage2", 0.25, 0.75, "stage2 is bad"), ("beats_base", 0.25, 0.75, "beats_base is bad"),
    ]  # fmt: skip
    assert "stage2: not reached" in (folder / "README.md").read_text()
    corridor.failing = set()
    assert corridor.run(instance).success
    assert {one.split("/")[0] for one in written(corridor.house)} == {"ready"}
    folder = corridor.house.project.home / read_receipt(corridor.house, STAGE2).folder
    assert not (folder / "verdict.json").exists()


def test_a_failed_integrity_check_stops_the_whole_run_and_publishing_alone(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    corridor.failing = {"stage2_peft.leak"}
    assert not corridor.run(instance).success
    said = why(corridor.run(instance, STAGE2))
    assert "stage2_peft.leak: leak is bad" in said and "nothing was written" in said
    assert f"models/{STAGE2}" not in written(corridor.house)
    assert not [one for one in written(corridor.house) if "stage2" in one]
    corridor.failing = set()
    assert corridor.run_check(instance, "stage2_peft").success
    assert corridor.run(instance, "evaluation").success
    assert corridor.run(instance, STAGE2).success


def test_on_an_empty_instance_publishing_alone_is_refused(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    said = why(corridor.run(instance, "published_dataset"))
    assert "stage1_dataset.leak: the asset was never materialized" in said
    assert not written(corridor.house)


@pytest.mark.parametrize("name", ["stage1_dataset", "evaluation"])
def test_a_check_that_never_ran_refuses(
    corridor: Corridor, instance: dg.DagsterInstance, name: str
) -> None:
    others = [one for one in UPSTREAM if one != name]
    corridor.settle(instance, *others)
    corridor.settle(instance, name, checks=False)
    said = why(corridor.run(instance, "published_dataset"))
    assert f"{name}.leak: the check never finished" in said
    if name == "evaluation":
        assert "evaluation.retention: the check never finished" in said
    assert not written(corridor.house)


@pytest.mark.parametrize("name", ["base_model", "stage2_adapter", "evaluation"])
def test_a_stale_check_refuses_until_it_ran_again(
    corridor: Corridor, instance: dg.DagsterInstance, name: str
) -> None:
    corridor.settle(instance)
    corridor.settle(instance, name, checks=False)
    said = why(corridor.run(instance, STAGE2))
    assert f"{name}.leak: the check is older than the newest materialization" in said
    assert not written(corridor.house)
    corridor.check(instance, name)
    assert corridor.run(instance, STAGE2).success


def test_a_check_of_an_earlier_run_that_does_not_say_what_it_saw_refuses(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    """In a run with a partition Dagster does not record what a check looked at."""
    corridor.settle(instance)
    blind = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey("stage2_peft"), check_name="leak", passed=True, metadata={}
    )
    instance.report_runless_asset_event(blind)
    assert corridor.run(instance, "stage2_peft", checks=False).success
    said = why(corridor.run(instance, STAGE2))
    assert "stage2_peft.leak: the check is older than the newest materialization" in said


def test_what_a_killed_run_stored_is_not_what_was_checked(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    """The child has published, and its run was killed before it could say so."""
    corridor.settle(instance)
    manifest = corridor.house.store.require("stage2_peft")
    tags = {VERSION: content_hash(manifest.files), OURS: "true"}
    instance.report_runless_asset_event(dg.AssetMaterialization("stage2_peft", tags=tags))
    corridor.check(instance, "stage2_peft")
    assert corridor.run(instance, STAGE2).success
    files = {name: corridor.house.store.read("stage2_peft", name) for name in manifest.files}
    corridor.house.store.publish(
        "stage2_peft", {**files, "LICENSE": b"of whom?"}, origin=manifest.origin, counts={}
    )
    said = why(corridor.run(instance, STAGE2))
    assert "stage2_peft: what is stored is not what was checked" in said


@pytest.mark.parametrize(
    ("product", "published", "reason"),
    [
        ("stage1_dataset", STAGE2, "stage2_adapter): it was made of another stage1_dataset"),
        ("stage2_dataset", STAGE2, "evaluation): it was made of another stage2_dataset"),
        ("stage1_adapter", STAGE2, "stage2_adapter): it was made of another stage1_adapter"),
        ("stage2_adapter", STAGE2, "fused_model): it was made of another stage2_adapter"),
        ("stage1_dataset", PUBLISHED[0], "its test part is not the one that was examined"),
    ],
)
def test_products_that_are_not_made_of_each_other_do_not_leave_together(
    corridor: Corridor, instance: dg.DagsterInstance, product: str, published: str, reason: str
) -> None:
    """Every check passed on what is there now, but only a part of the flow was made again."""
    corridor.settle(instance)
    store = corridor.house.store
    manifest = store.require(product)
    files = {name: store.read(product, name) for name in manifest.files}
    store.publish(product, {**files, "new.txt": b""}, origin=manifest.origin, counts={})
    said = why(corridor.run(instance, published))
    assert "the guard refuses" in said and reason in said


def test_an_ancestor_without_any_check_refuses(
    corridor: Corridor, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    corridor.settle(instance)
    full = corridor.build()
    kept = [
        c for c in full.asset_checks or () if "fused_model" not in str(next(iter(c.check_keys)))
    ]
    bare = dg.Definitions(assets=full.assets, asset_checks=kept, resources=full.resources)
    monkeypatch.setattr("secai_assets.definitions.build", lambda _house: bare)
    assert "fused_model: nothing checks this asset" in why(corridor.run(instance, STAGE2))


def refused(
    house: House, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance, asset: str
) -> str:
    made = walked(house, monkeypatch)
    made.settle(instance)
    said = why(made.run(instance, asset))
    assert not written(house) and "the guard refuses" in said
    return said


def test_a_planted_secret_stops_the_data_set(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    planted = rows(2)
    secret = "ghp_" + "a1B2" * 9
    planted[3] = planted[3].model_copy(update={"response": f"token: {secret}"})
    said = refused(finished_house(home, stage2=planted), monkeypatch, instance, PUBLISHED[0])
    assert "stage2/train.jsonl (row 4, response): text of the shape of a secret" in said
    assert secret not in said


def test_a_planted_path_of_this_machine_stops_the_adapter(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    config = {"base_model_name_or_path": str(home / "models" / "tiny")}
    said = refused(finished_house(home, config=config), monkeypatch, instance, STAGE2)
    assert "adapter_config.json (base_model_name_or_path): a path of this machine" in said
    assert str(home) not in said


def test_a_path_that_a_link_of_ours_leads_to_is_one_of_this_machine(
    home: Path, tmp_path: Path
) -> None:
    (tmp_path / "disk" / "homes").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "disk")
    house = finished_house(home)
    house = House(replace(house.project, root=tmp_path / "link" / "homes"))
    machine = machine_of(house)
    for seen in (tmp_path / "link" / "homes", tmp_path / "disk" / "homes"):
        (leak,) = inspect({"a.jsonl": f'{{"response": "{seen}/x"}}'.encode()}, machine)
        assert leak.what == "a path of this machine"


def test_an_unknown_licence_stops_rows_and_models(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    planted = rows(2)
    unknown = planted[0].metadata.model_copy(update={"licence": "unknown"})
    planted[0] = planted[0].model_copy(update={"metadata": unknown})
    said = refused(finished_house(home, stage2=planted), monkeypatch, instance, PUBLISHED[0])
    assert "stage2/train.jsonl (row 1): the licence 'unknown' does not let it leave" in said
    other = finished_house(home, model=MODEL.model_copy(update={"licence": "GPL-3.0"}))
    said = refused(other, monkeypatch, instance, "published_stage1_model")
    assert "README.md (base model): the licence 'GPL-3.0' does not let it leave" in said


def test_an_adapter_that_was_not_the_one_examined_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    house = finished_house(home)
    data = house.store.read("stage2_adapter", "adapter.json").replace(b"222222", b"333333")
    house.store.publish(
        "stage2_adapter",
        {"adapter.json": data, "training.json": b"{}"},
        origin=house.store.require("stage2_adapter").origin,
        counts={},
    )
    said = refused(house, monkeypatch, instance, STAGE2)
    assert "evaluation.json: it is about another adapter" in said and "parity.json" in said


def test_the_checks_see_what_was_changed_in_the_folder(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    corridor.settle(instance)
    corridor.run(instance, *PUBLISHED)
    folder = corridor.house.project.home / read_receipt(corridor.house, STAGE2).folder
    (folder / "notes.md").write_text("mail me: somebody@corp.example, /home/somebody/x")
    (folder / "parity.json").unlink()
    (folder / "link.md").symlink_to("/etc/passwd")
    guard, trip = verdicts(corridor.house, STAGE2)
    assert not guard.passed and "notes.md" in guard.sentence
    assert not trip.passed and trip.value == 3 and "link.md in the folder" in trip.sentence
    assert not corridor.run_check(instance, STAGE2).success


def push_house(home: Path, hub: WritableHub) -> House:
    return finished_house(home, publication=PublicationSettings(
        push=True, endpoint=hub.url, dataset="acme/data", stage1_model="acme/reader",
        stage2_model="acme/fixer"))  # fmt: skip


@pytest.fixture
def pushing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)


@pytest.mark.usefixtures("pushing")
def test_a_push_is_read_back_and_the_second_one_commits_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    with WritableHub() as hub:
        made = walked(push_house(home, hub), monkeypatch)
        made.settle(instance)
        assert made.run(instance, *PUBLISHED).success
        names = ["datasets/acme/data", "models/acme/reader", "models/acme/fixer"]
        assert sorted(hub.repositories) == sorted(names)
        assert made.run(instance, *PUBLISHED).success
        assert all(len(hub.commits(name)) == 2 and hub.private[name] for name in names)
        receipt = read_receipt(made.house, STAGE2)
        assert hub.tags["models/acme/fixer"] == {receipt.tag: receipt.commit}
        assert re.fullmatch(r"\d{4}-\d\d-\d\d-[0-9a-f]{16}", receipt.tag)
        hub.repositories[names[2]][receipt.commit]["parity.json"] = b"{}"
        _, trip = verdicts(made.house, STAGE2)
        assert not trip.passed and "parity.json on the Hub" in trip.sentence


@pytest.mark.usefixtures("pushing")
def test_score_gates_and_the_guard_stop_a_push_before_anything_is_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    with WritableHub() as hub:
        made = walked(push_house(home, hub), monkeypatch, "evaluation.retention")
        made.settle(instance)
        said = why(made.run(instance, *PUBLISHED))
        assert "score gates stop the push" in said and "retention is bad" in said
        assert not hub.seen
        assert {one.split("/")[0] for one in written(made.house)} == {"candidate"}


@pytest.mark.usefixtures("pushing")
def test_a_push_without_a_repository_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance
) -> None:
    house = finished_house(home, publication=PublicationSettings(push=True))
    made = walked(house, monkeypatch)
    made.settle(instance)
    assert "publication.dataset: OWNER/NAME" in why(made.run(instance, *PUBLISHED))


def test_cards_hold_what_was_measured_and_what_loads_them(
    corridor: Corridor, instance: dg.DagsterInstance
) -> None:
    corridor.settle(instance)
    corridor.run(instance, *PUBLISHED)
    home = corridor.house.project.home
    model = (home / read_receipt(corridor.house, STAGE2).folder / "README.md").read_bytes()
    head, text = read_head(model), model.decode()
    assert head["library_name"] == "peft" and head["license"] == "apache-2.0"
    assert head["base_model"] == "tiny" and head["datasets"] == ["local/secai-dataset"]
    metrics = [r["metrics"][0] for r in head["model-index"][0]["results"]]
    assert {(m["type"], m["value"], m["verified"]) for m in metrics} == {
        ("all_fields", 0.6, False), ("proven", 0.55, False),
    }  # fmt: skip
    assert "| Stage 2 | all | Stage 2 adapter | proven | 0.550 |" in text
    assert "0.9987" in text and "1.7e-06" in text and "learning_rate | 0.0005" in text
    data = (home / read_receipt(corridor.house, PUBLISHED[0]).folder / "README.md").read_bytes()
    assert [one["config_name"] for one in read_head(data)["configs"]] == ["stage1", "stage2"]
