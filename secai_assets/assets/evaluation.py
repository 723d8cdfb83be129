"""How good base model, Stage 1 and Stage 2 are on the frozen test parts, beside the baselines."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import base_model, read_base_model
from secai_assets.assets.stage1_adapter import stage1_adapter
from secai_assets.assets.stage1_dataset import stage1_dataset
from secai_assets.assets.stage2_adapter import stage2_adapter
from secai_assets.assets.stage2_dataset import stage2_dataset
from secai_assets.automation import when_new
from secai_assets.children import run_child
from secai_assets.examination import (
    ADAPTERS,
    Contender,
    ask,
    contenders,
    inference_of,
    read_exam,
    unlearned,
)
from secai_assets.failures import explained
from secai_assets.marking import mark
from secai_assets.resources.house import House
from secai_lib.core.evaluation import Evaluation
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.training import Split
from secai_lib.evaluation.exam import (
    BASELINES,
    MAIN,
    MODELS,
    TRAINED,
    TRUTH,
    Answer,
    Marked,
    frozen,
)
from secai_lib.evaluation.page import (
    cell,
    contenders_of,
    examples,
    groups_of,
    render_markdown,
    render_page,
)
from secai_lib.evaluation.scores import SHARED, count, files_of, retained
from secai_lib.evaluation.scores import groups_of as groups_of_row
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.journal import Journal
from secai_lib.gateways.llm import choose_engine
from secai_lib.quality.evaluation import score_gates

NAME = "evaluation"
Say = Callable[[str], None]


class Examined(NamedTuple):
    """What an examination brought to light."""

    evaluation: Evaluation
    marked: list[Marked]
    page: str
    markdown: str


@dg.asset(
    deps=[
        base_model,
        stage1_adapter,
        stage2_adapter,
        stage1_dataset,
        stage2_dataset,
    ],
    group_name="training",
    kinds={"pytorch", "json"},
    owners=["team:secai"],
    automation_condition=when_new("stage2_adapter"),
)
def evaluation(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Base model, Stage 1, Stage 2 and four baselines on both frozen test parts, with intervals.

    Labels are compared; edits are applied and proven by scanning again, as `secai verify` does.
    Every answer is kept (`answers.jsonl`), so that each number can be counted again;
    `evaluation.html` shows answers before and after training side by side.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=origin_of(house))
        if not kept:
            run_child(context, house, __name__)
        manifest = house.store.require(NAME)
    made = read_evaluation(house)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=kept is not None) | _shown(made),
    )


def origin_of(house: House) -> Origin:
    """What the scores rest on."""
    products = (*ADAPTERS.values(), "stage1_dataset", "stage2_dataset")
    inputs = {name: content_hash(house.store.require(name).files) for name in products}
    inputs |= {
        "base_model": read_base_model(house).identity,
        "engine": choose_engine(inference_of(house)),
        "scanners": house.scanner_state(house.settings.scanners.enabled),
        "action_pins": content_hash(house.action_pins),
    }
    return Origin(
        inputs=inputs,
        settings=content_hash(house.settings.evaluation, house.settings.quality),
        code_version=code_version(
            *("evaluation", "datasets", "fixes", "parsers", "gateways/rescan"),
            *("gateways/llm", "gateways/merging", "quality/evaluation"),
        ),
    )


def make(house: House, options: Mapping[str, object], say: Say) -> None:
    """Examine and store; a killed run goes on where it was."""
    origin = origin_of(house)
    journal = journal_of(house)
    publish(house, examine(house, contenders(house), (1, 2), journal, say), origin)
    journal.remove()


def journal_of(house: House) -> Journal:
    """The answers of an examination that did not end."""
    return Journal(house.store.root / ".journal" / "evaluation.jsonl")


def examine(
    house: House, who: Sequence[Contender], stages: Sequence[int], journal: Journal, say: Say
) -> Examined:
    """What `who` and the baselines answer to the test parts of `stages`, marked and counted.

    Answers of an examination that did not end, and those in the store, are not asked for again.
    """
    exam = read_exam(house, stages)
    known = {answer.key: answer for answer in (*stored_answers(house), *journal.read(Answer))}
    answers = [answer for one in who for answer in ask(house, exam, one, known, journal, say)]
    marked = mark(house, exam, [*answers, *unlearned(exam)], say)
    rows = {row.id: row for stage in (1, 2) for row in exam.asked[stage]}
    trained = files_of(row for own in exam.rows.values() for row in own if row.split is Split.TRAIN)
    shared = {row.id for stage in (1, 2) for row in exam.untrained[stage]}
    groups = {
        row.id: (*groups_of_row(row, trained), *((SHARED,) if row.id in shared else ()))
        for row in rows.values()
    }
    confidence = house.settings.evaluation.confidence
    made = Evaluation(
        scores=count(marked, groups, confidence),
        test_sets={f"stage{stage}": frozen(exam.test[stage]) for stage in (1, 2)},
        asked={f"stage{stage}": tuple(row.id for row in exam.asked[stage]) for stage in (1, 2)},
        asked_untrained={
            f"stage{stage}": tuple(row.id for row in exam.untrained[stage]) for stage in (1, 2)
        },
        models={one.name: one.identity for one in who},
        confidence=confidence,
        retention=retained(marked, confidence),
    )
    verdicts = list(score_gates(made, house.settings.quality))
    shown = [example for stage in stages for example in examples(rows, marked, stage)]
    return Examined(
        made, marked, render_page(made, verdicts, shown), render_markdown(made, verdicts)
    )


def publish(house: House, examined: Examined, origin: Origin) -> Manifest:
    """The manifest of the stored examination."""
    made, marked, page, markdown = examined
    counts = {"answers": len(marked)}
    for stage in (1, 2):
        counts[f"rows_stage{stage}"] = len(made.asked[f"stage{stage}"])
        for name in MODELS:
            score = made.score(name, stage, MAIN[stage])
            counts[f"{name}_right_stage{stage}"] = score.passed if score else 0
    files = {
        "evaluation.json": canonical_json(made).encode(),
        "answers.jsonl": "".join(canonical_json(one) + "\n" for one in marked).encode(),
        "evaluation.html": page.encode(),
        "evaluation.md": markdown.encode(),
    }
    return house.store.publish(NAME, files, counts=counts, origin=origin)


def read_evaluation(house: House) -> Evaluation:
    """The scores in force."""
    return Evaluation.model_validate_json(house.store.read(NAME, "evaluation.json"))


def read_marked(house: House) -> list[Marked]:
    """Every answer in force, with what holds for it."""
    lines = house.store.read(NAME, "answers.jsonl").splitlines()
    return [Marked.model_validate_json(line) for line in lines]


def stored_answers(house: House) -> list[Answer]:
    """The models' answers in the store; none before the first examination."""
    if house.store.manifest(NAME) is None:
        return []
    return [one.answer for one in read_marked(house) if one.answer.key]


def unanswered(made: Evaluation, marked: Sequence[Marked]) -> list[str]:
    """Contender and row of every answer that an examination lacks."""
    given = {(one.answer.contender, one.answer.row) for one in marked}
    return [
        f"{name} on row {row}"
        for stage in (1, 2)
        for name in (*MODELS, *BASELINES, TRUTH)
        for row in (
            made.asked_untrained if name in MODELS and name not in TRAINED[stage] else made.asked
        )[f"stage{stage}"]
        if (name, row) not in given
    ]


def _shown(made: Evaluation) -> dict[str, dg.MetadataValue]:
    """Tables of everybody's score, and bars of the models'."""
    shown: dict[str, dg.MetadataValue] = {}
    for stage in (1, 2):
        names, metric = contenders_of(made, stage), MAIN[stage]
        groups = ["all", *groups_of(made, stage)]
        shown[f"stage{stage}"] = metadata.table(
            [
                {"rows": group}
                | {name: cell(made.score(name, stage, metric, group)) for name in names}
                for group in groups
            ]
        )
        shown[f"stage{stage}_right"] = metadata.bars(
            f"Stage {stage}: rows right ({metric})",
            {name: s.passed for name in names if (s := made.score(name, stage, metric))},
        )
        for name in MODELS:
            if score := made.score(name, stage, metric):
                shown[f"{name}_{metric}"] = dg.MetadataValue.float(score.value)
    if made.retention:
        shown["retention"] = dg.MetadataValue.float(made.retention.value)
    return shown
