"""The examination in the store: real data sets, fake models, scanners whose rules are functions."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import dagster as dg
import numpy as np
import pytest

from secai_assets.assets import evaluation as step
from secai_assets.assets.evaluation import origin_of, read_evaluation, read_marked
from secai_assets.assets.problems import join_runs
from secai_assets.automation import when_new
from secai_assets.checks.evaluation import SCORE_GATES, evaluation_checks, verdicts
from secai_assets.cli.learned import learned_rows
from secai_assets.dataset_views import read_product_rows
from secai_assets.examination import read_exam
from secai_assets.resources.adapters import read_adapter
from secai_assets.resources.house import House
from secai_lib.core.adapter import Adapter, LowRank, Weights
from secai_lib.core.errors import SourceError, StorageError, TrainingError
from secai_lib.core.evaluation import Evaluation
from secai_lib.core.fix import Rescan
from secai_lib.core.generation import Chat, Decoding, Message, TextEngine
from secai_lib.core.manifest import Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.settings import InferenceSettings
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.export import dataset_files
from secai_lib.evaluation.exam import BASELINES, MAIN, MODELS, TRUTH
from secai_lib.fixes.rules import rules
from secai_lib.gateways.adapter_files import facts_of, weights_to_bytes
from secai_lib.gateways.config import Project
from tests.assets.test_stage2_dataset import ORIGIN, PAIRS, make_pair, put_pairs, words
from tests.fakes.engine import FakeEngine
from tests.fakes.records import make_model
from tests.fakes.rescanner import FakeRescanner
from tests.fakes.training_rows import make_metadata, make_training_row

MODEL = make_model()


def without_permissions(text: str) -> list[int]:
    return [] if "permissions:" in text else [1]


class Household(House):
    """A house with both data sets and two adapters, in which `answers` says what models say."""

    def __init__(self, project: Project | None = None) -> None:
        super().__init__(project)
        self.asked: list[tuple[str, str]] = []
        self.answers: Callable[[str, TrainingExample], str] = lambda _who, row: row.response
        self.rules = {f"rule-{n}": without_permissions for n in range(6)}
        self.scanner = FakeRescanner({"zizmor": self.rules})

    @contextmanager
    def open_engine(
        self,
        model: Model | None,
        inference: InferenceSettings | None = None,
        adapter: tuple[Adapter, Weights] | None = None,
    ) -> Iterator[TextEngine]:
        who = f"stage{adapter[0].stage}" if adapter else "base"
        rows = {row.instruction: row for own in read_exam(self).test.values() for row in own}

        def answer(chat: Chat, decoding: Decoding) -> str:
            row = rows[chat[-1].content]
            self.asked.append((who, row.id))
            assert chat[-1].role == "user"
            assert decoding.prefix
            return self.answers(who, row)

        yield FakeEngine(answer)

    def rescanner(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        return self.scanner(variants, tools)

    def scanner_state(self, tools: tuple[str, ...]) -> str:
        return "fake"


def put_adapter(house: House, stage: int, parent: str = "", **inputs: str) -> Adapter:
    pair = LowRank(np.full((2, 3), stage, "f4"), np.ones((4, 2), "f4"))
    weights = {"model.layers.0.self_attn.q_proj": pair}
    adapter = Adapter(
        stage=1 if stage == 1 else 2, engine="torch", base=MODEL.identity, rank=2, scale=2.0,
        dropout=0.0, modules=facts_of(weights), parent=parent,
    )  # fmt: skip
    own = f"stage{stage}_dataset"
    made_of = {own: content_hash(house.store.require(own).files)} | inputs
    files = {
        "adapter.json": canonical_json(adapter).encode(),
        "adapter.safetensors": weights_to_bytes(weights),
    }
    origin = Origin(inputs=made_of, settings="", code_version="")
    house.store.publish(f"stage{stage}_adapter", files, origin=origin, counts={})
    return adapter


def put_stage1(house: House) -> None:
    rows = []
    for number in range(12):
        labels = '{"category":"web","severity":"high"}' if number % 2 else '{"category":"code"}'
        row = make_training_row(
            body=f"Tool: zizmor\nDescription: weakness {number}",
            response=f"{labels}\nImpact: much.",
            metadata=make_metadata(rule=f"r{number % 4}", file=f"f{number}.yml"),
        )
        split = "test" if number < 4 else "train"
        rows.append(TrainingExample.model_validate(row.model_dump() | {"split": split}))
    house.store.publish("stage1_dataset", dataset_files(rows, 1), origin=ORIGIN, counts={})


@pytest.fixture
def house(home: Path, monkeypatch: pytest.MonkeyPatch) -> Household:
    from secai_assets.assets.stage2_dataset import publish_rows

    rule = replace(rules({})[0], handles={"zizmor": ("rule-*",)}, witness=None)
    monkeypatch.setattr("secai_assets.marking.rules", lambda _pins: (rule,))
    house = Household()
    join_runs(house)
    house.store.publish(
        "base_model", {"model.json": canonical_json(MODEL).encode()}, origin=ORIGIN, counts={}
    )
    put_pairs(house, [make_pair(number) for number in range(PAIRS)])
    publish_rows(house, words, {"vocabulary": 1}, lambda _line: None)
    put_stage1(house)
    first = put_adapter(house, 1)
    put_adapter(house, 2, parent=first.digest)
    return house


def make(house: House) -> Evaluation:
    step.make(house, {}, lambda _line: None)
    return read_evaluation(house)


def share(made: Evaluation, contender: str, stage: int, metric: str) -> tuple[int, int]:
    score = made.score(contender, stage, metric)
    assert score is not None
    return score.passed, score.rows


def test_right_answers_are_right_and_edits_are_proven_by_scanning(house: Household) -> None:
    def answers(who: str, row: TrainingExample) -> str:
        if who == "base":
            return "I cannot do that"
        if row.stage == 1:
            return row.response.partition("\n")[0] if who == "stage1" else '{"category":"web"}'
        old, new = row.response.split("\n===\n")
        return f"{old}\n===\n{new.replace('permissions: {}', 'permissions: write-all')}"

    house.answers = answers
    made = make(house)
    rows = len(made.asked["stage2"])
    assert rows > 1
    assert share(made, "stage1", 1, "all_fields") == (4, 4)
    assert share(made, "stage2", 1, "category") == (2, 4)
    assert share(made, "stage2", 1, "severity") == (0, 2)
    assert share(made, "base", 1, "valid") == (0, 4)
    assert share(made, "base", 2, "valid") == (0, rows)
    assert share(made, "stage2", 2, "applies") == (rows, rows)
    assert share(made, "stage2", 2, "exact") == (0, rows)
    assert made.retention is not None
    assert (made.retention.before, made.retention.after) == (4, 0)
    truth = [one for one in read_marked(house) if one.answer.contender == TRUTH]
    assert truth
    assert set(made.models) == {"base", "stage1", "stage2"}
    assert {"evaluation.html", "evaluation.md"} <= set(house.store.require("evaluation").files)
    assert [row.label for row in learned_rows(house, (), {"evaluation"})][:2] == [
        "Stage 1 model",
        "Stage 2 model",
    ]
    assert house.store.reusable("evaluation", origin=origin_of(house))


def test_models_are_asked_less_of_what_they_were_not_trained_for(house: Household) -> None:
    cap = {"evaluation": house.settings.evaluation.model_copy(update={"untrained_rows": 1})}
    capped = Household(replace(house.project, settings=house.settings.model_copy(update=cap)))
    made, most = make(capped), {1: 4, 2: len(read_exam(capped).asked[2])}
    assert most[2] > 1
    less = {("base", 1), ("base", 2), ("stage1", 2)}
    for name in (*MODELS, *BASELINES):
        for stage, rows in most.items():
            score = made.score(name, stage, MAIN[stage])
            asked = 1 if (name, stage) in less else rows
            assert score is None or score.rows == asked, (name, stage)
            shared = made.score(name, stage, MAIN[stage], "asked:everybody")
            assert shared is None or shared.rows == 1
    marked = read_marked(capped)
    assert not step.unanswered(made, marked)
    base = [one for one in marked if one.answer.contender != "base"]
    assert len(step.unanswered(made, base)) == 2


def test_scanners_decide_what_is_proven(house: Household) -> None:
    made = make(house)
    rows = len(made.asked["stage2"])
    assert share(made, "stage2", 2, "exact") == (rows, rows)
    assert share(made, "stage2", 2, "proven") == share(made, "base", 2, "proven")
    proven = share(made, "stage2", 2, "proven")[0]
    house.scanner = FakeRescanner({"zizmor": dict.fromkeys(house.rules, lambda _text: [1])})
    assert share(make(house), "stage2", 2, "proven") == (0, rows)
    assert proven == rows


def test_a_killed_examination_goes_on_and_nothing_is_asked_twice(house: Household) -> None:
    def dying(who: str, row: TrainingExample) -> str:
        if len(house.asked) == 5:
            raise StorageError("the disk is full")
        return row.response

    house.answers = dying
    with pytest.raises(StorageError):
        make(house)
    before = house.asked[:4]
    house.answers, house.asked = lambda _who, row: row.response, []
    made = make(house)
    rows = sum(map(len, made.asked.values()))
    assert len(house.asked) == 3 * rows - 4
    assert not set(before) & set(house.asked)
    assert not list(house.store.root.glob(".journal/*"))
    house.asked = []
    first = read_adapter(house, "stage1_adapter")[0]
    other = put_adapter(house, 2, parent=first.digest, note="trained again")
    assert other.digest == read_adapter(house, "stage2_adapter")[0].digest
    make(house)
    assert house.asked == []


def test_what_is_asked_in_other_words_or_by_other_code_is_asked_again(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = sum(map(len, make(house).asked.values()))
    system = Message(role="system", content="other words")
    changed = [
        row.model_copy(update={"messages": (system, *row.messages[1:])})
        for row in read_product_rows(house, "stage1_dataset")
    ]
    house.store.publish("stage1_dataset", dataset_files(changed, 1), origin=ORIGIN, counts={})
    put_adapter(house, 2, parent=put_adapter(house, 1).digest)
    house.asked = []
    make(house)
    assert len(house.asked) == 3 * 4, "the ids are the same, the questions of Stage 1 are not"
    house.asked = []
    monkeypatch.setattr("secai_assets.examination.code_version", lambda *_rooms: "another")
    make(house)
    assert len(house.asked) == 3 * rows


def test_other_commits_of_actions_are_another_examination(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(house)
    assert house.store.reusable("evaluation", origin=origin_of(house))
    monkeypatch.setattr(House, "action_pins", {"actions/checkout": {"v4": "a" * 40}})
    assert not house.store.reusable("evaluation", origin=origin_of(house))


def test_other_scanners_are_another_examination(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(house)
    monkeypatch.setattr(Household, "scanner_state", lambda _self, _tools: "newer")
    assert not house.store.reusable("evaluation", origin=origin_of(house))


def test_a_baseline_without_answers_is_missed(house: Household) -> None:
    made = make(house)
    without = made.model_copy(
        update={"scores": tuple(s for s in made.scores if s.contender != "copy")}
    )
    marked = [one for one in read_marked(house) if one.answer.contender != "copy"]
    assert not step.unanswered(made, read_marked(house))
    assert len(step.unanswered(without, marked)) == sum(map(len, made.asked.values()))


def test_an_adapter_of_other_data_or_of_another_parent_is_refused(house: Household) -> None:
    first = read_adapter(house, "stage1_adapter")[0]
    put_adapter(house, 2, parent="another")
    with pytest.raises(TrainingError, match="did not begin with"):
        make(house)
    put_adapter(house, 2, parent=first.digest, stage2_dataset="older")
    with pytest.raises(TrainingError, match="another version of stage2_dataset"):
        make(house)
    put_adapter(house, 2, parent=first.digest, stage1_dataset="older")
    with pytest.raises(TrainingError, match="another version of stage1_dataset"):
        make(house)


def test_an_adapter_that_does_not_say_its_data_or_is_of_another_base_is_refused(
    house: Household,
) -> None:
    files = {n: house.store.read("stage1_adapter", n) for n in ("adapter.json",
                                                                "adapter.safetensors")}  # fmt: skip
    house.store.publish("stage1_adapter", files, origin=ORIGIN, counts={})
    with pytest.raises(TrainingError, match="another version of stage1_dataset"):
        make(house)
    put_adapter(house, 1)
    other = MODEL.model_copy(update={"source_sha256": "f" * 64})
    house.store.publish(
        "base_model", {"model.json": canonical_json(other).encode()}, origin=ORIGIN, counts={}
    )
    with pytest.raises(TrainingError, match="belongs to another base model"):
        make(house)


def test_another_test_part_or_a_marking_that_does_not_work_is_incomplete(house: Household) -> None:
    def said() -> str:
        (verdict,) = [one for one in verdicts(house) if one.name == "complete"]
        return "" if verdict.passed else verdict.sentence

    made = make(house)
    assert not said()
    manifest = house.store.require("evaluation")
    files = {name: house.store.read("evaluation", name) for name in manifest.files}
    marked = [
        one.model_copy(update={"marks": {**one.marks, "proven": False}})
        if one.answer.contender == TRUTH and one.answer.stage == 2
        else one
        for one in read_marked(house)
    ]
    lines = "".join(canonical_json(one) + "\n" for one in marked).encode()
    house.store.publish(
        "evaluation", files | {"answers.jsonl": lines}, origin=manifest.origin, counts={}
    )
    assert f"{made.asked['stage2'][0]} is not proven" in said()
    house.store.publish("evaluation", files, origin=manifest.origin, counts={})
    rows = read_product_rows(house, "stage1_dataset")
    test = [row for row in rows if row.split is Split.TEST]
    moved = [r if r.id != test[0].id else r.model_copy(update={"split": Split.TRAIN}) for r in rows]
    house.store.publish("stage1_dataset", dataset_files(moved, 1), origin=ORIGIN, counts={})
    assert "the test part of stage1 is another one now" in said()


def test_a_weak_file_that_is_gone_is_said(house: Household) -> None:
    put_pairs(house, [make_pair(number) for number in range(2)])
    with pytest.raises(SourceError, match="no longer there"):
        make(house)


def test_the_checks_judge_what_is_stored(house: Household) -> None:
    make(house)
    found = {verdict.name: verdict for verdict in verdicts(house)}
    assert found["complete"].passed, found["complete"].sentence
    assert {*SCORE_GATES, "complete", "intervals"} == set(found)
    assert not any(found[name].passed for name in SCORE_GATES)  # four rows decide nothing
    specs = {spec.name: spec.blocking for spec in evaluation_checks.check_specs}
    assert [name for name, blocking in specs.items() if blocking] == ["complete"]

    manifest = house.store.require("evaluation")
    files = {name: house.store.read("evaluation", name) for name in manifest.files}
    lines = files["answers.jsonl"].splitlines(keepends=True)
    files["answers.jsonl"] = b"".join(lines[1:])
    house.store.publish("evaluation", files, origin=manifest.origin, counts=manifest.counts)
    gap = next(verdict for verdict in verdicts(house) if verdict.name == "complete")
    assert not gap.passed
    assert "no answer" in gap.sentence


def test_the_asset_reuses_and_its_gates_only_warn(house: Household) -> None:
    make(house)
    house.asked = []
    done = dg.materialize(
        [step.evaluation, evaluation_checks],
        selection=dg.AssetSelection.assets("evaluation"),
        resources={"house": house},
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert done.success
    assert house.asked == []
    shown = done.asset_materializations_for_node("evaluation")[0].metadata
    assert shown["reused"].value is True
    assert all(len(v.md_str) < 1000 for v in shown.values() if hasattr(v, "md_str"))
    by_name = {c.check_name: c for c in done.get_asset_check_evaluations()}
    assert by_name["complete"].passed
    assert by_name["stage1"].severity is dg.AssetCheckSeverity.WARN


def test_only_a_new_adapter_of_stage2_starts_an_examination_by_itself() -> None:
    @dg.asset
    def other() -> None: ...

    @dg.asset
    def stage2_adapter() -> None: ...

    @dg.asset(deps=[other, stage2_adapter], automation_condition=when_new("stage2_adapter"))
    def examined() -> None: ...

    assets = [other, stage2_adapter, examined]
    instance = dg.DagsterInstance.ephemeral()
    dg.materialize(assets, instance=instance)
    first = dg.evaluate_automation_conditions(assets, instance=instance)
    dg.materialize([other], instance=instance)
    after_other = dg.evaluate_automation_conditions(assets, instance, cursor=first.cursor)
    assert after_other.total_requested == 0
    dg.materialize([stage2_adapter], instance=instance)
    after_adapter = dg.evaluate_automation_conditions(assets, instance, cursor=after_other.cursor)
    assert after_adapter.total_requested == 1
