"""What the terminal shows of models, readings, data sets, adapters and publications."""

from collections.abc import Callable, Collection, Iterator, Mapping

from secai_assets.assets.analyses import LIFT, read_analyses
from secai_assets.assets.base_model import read_base_model
from secai_assets.assets.embedding_model import read_embedding_model
from secai_assets.assets.evaluation import read_evaluation
from secai_assets.assets.fixes import Place
from secai_assets.assets.fused_model import read_facts as read_fused
from secai_assets.metadata import count_by
from secai_assets.publications import PUBLISHED, read_receipt
from secai_assets.resources.exports import read_parity
from secai_assets.resources.house import House
from secai_assets.resources.training import read_training
from secai_lib.core.adapter import Stage
from secai_lib.core.text import listed, plural
from secai_lib.core.training import Split
from secai_lib.evaluation.exam import MAIN
from secai_lib.report.summary import SummaryRow

EXPORTS = ("stage1_peft", "stage2_peft")
PARTS = {Split.TRAIN: "to train", Split.VALIDATION: "to validate", Split.TEST: "to test"}


def learned_rows(
    house: House, places: Collection[Place], made: Collection[str]
) -> tuple[SummaryRow, ...]:
    """A line for each of the assets `made`; data sets and knowledge base are of all places."""
    return tuple(row for name, rows in _ROWS.items() if name in made for row in rows(house, places))


def learned_files(house: House, places: Collection[Place], made: Collection[str]) -> Iterator[str]:
    """Folders a person would open, as absolute paths."""
    if "analyses" in made:
        for place in places:
            yield str(house.store.path("analyses", place.key) / "narratives")
    for name in ("knowledge_base", "stage1_dataset", "stage2_dataset", *EXPORTS, "fused_model"):
        if name in made:
            yield str(house.store.path(name))
    if "evaluation" in made:
        yield str(house.store.path("evaluation") / "evaluation.html")
    for name in PUBLISHED:
        if name in made:
            yield str(house.project.home / read_receipt(house, name).folder)


def _model(house: House, _: Collection[Place]) -> Iterator[SummaryRow]:
    model = read_base_model(house)
    detail = f"million weights: {model.name}, {model.licence}, from {model.uri}"
    yield SummaryRow(label="Base model", value=round(model.parameters / 1e6), detail=detail)


def _embedding(house: House, _: Collection[Place]) -> Iterator[SummaryRow]:
    model = read_embedding_model(house)
    detail = f"million weights: {model.name}, {model.licence}, from {model.uri}"
    yield SummaryRow(label="Embedding model", value=round(model.parameters / 1e6), detail=detail)


def _analyses(house: House, places: Collection[Place]) -> Iterator[SummaryRow]:
    counts = [house.store.require("analyses", place.key).counts for place in places]
    read, silent, left = (sum(c[name] for c in counts) for name in ("read", "abstained", "left"))
    detail = f"worst first; {left:,} left ({LIFT} lifts the cap)" if left else "all there are"
    yield SummaryRow(label="Problems read", value=read, detail=detail)
    if silent:
        done = [analysis for place in places for analysis in read_analyses(house, place)]
        why = count_by(a.reason_code for a in done if a.reading is None)
        yield SummaryRow(label="Without a reading", value=silent, detail=_numbers(why))


def _knowledge(house: House, _: Collection[Place]) -> Iterator[SummaryRow]:
    counts = house.store.require("knowledge_base").counts
    detail = "documents to ask: secai similar QUERY"
    yield SummaryRow(label="Knowledge base", value=counts["documents"], detail=detail)


def _forge(house: House, _: Collection[Place]) -> Iterator[SummaryRow]:
    counts = house.store.require("forge_pairs").counts
    detail = f"of {plural(counts['kinds'], 'kind')}, each proven by the scanners"
    yield SummaryRow(label="Forged pairs", value=counts["pairs"], detail=detail)


def _rows(label: str, product: str, house: House) -> Iterator[SummaryRow]:
    counts = house.store.require(product).counts
    parts = listed(f"{counts.get(split.value, 0):,} {words}" for split, words in PARTS.items())
    yield SummaryRow(label=label, value=counts["rows"], detail=parts)


def _adapter(stage: Stage, house: House) -> Iterator[SummaryRow]:
    training = read_training(house, stage)
    detail = (
        f"steps on {plural(training.own_rows, 'row')}; loss of the probe rows "
        f"{training.probe_before:.2f} before, {training.probe_after:.2f} after"
    )
    if training.resumed:
        detail += f"; began from Stage 1's {plural(training.resumed.modules, 'module')}"
    yield SummaryRow(label=f"Stage {stage} training", value=len(training.steps), detail=detail)


def _scores(house: House, _: Collection[Place]) -> Iterator[SummaryRow]:
    made = read_evaluation(house)
    for stage in (1, 2):
        own = made.score(f"stage{stage}", stage, MAIN[stage])
        base = made.score("base", stage, MAIN[stage])
        if own and base:
            detail = (
                f"of {own.rows} test rows right ({MAIN[stage].replace('_', ' ')}, "
                f"{own.low:.2f} to {own.high:.2f}); the base model {base.passed}"
            )
            yield SummaryRow(label=f"Stage {stage} model", value=own.passed, detail=detail)
    if kept := made.retention:
        detail = f"of {kept.before} Stage 1 rows still right after Stage 2"
        yield SummaryRow(label="Retained", value=kept.both, detail=detail)


def _export(product: str, house: House) -> Iterator[SummaryRow]:
    parity = read_parity(house, product)
    detail = f"modules, as PEFT and MLX load them; logits differ by {parity.peft_change:.1e}"
    label = f"Stage {EXPORTS.index(product) + 1} export"
    yield SummaryRow(label=label, value=parity.modules, detail=detail)


def _fused(house: House) -> Iterator[SummaryRow]:
    counts, facts = house.store.require("fused_model").counts, read_fused(house)
    kept = facts.shipped.overall
    detail = f"megabytes in {facts.precision}; {kept:.1%} of the adapter's direction is left in it"
    yield SummaryRow(label="Fused model", value=round(counts["size_bytes"] / 1e6), detail=detail)


def _published(product: str, house: House) -> Iterator[SummaryRow]:
    receipt = read_receipt(house, product)
    failed = [gate.name for gate in receipt.gates if not gate.passed]
    detail = "files, ready to push" if not failed else f"files; no push: {listed(failed)} failed"
    if receipt.commit:
        detail = f"files, pushed to {receipt.repository} as {receipt.tag}"
    label = {"dataset": "Data set", "stage1_model": "Stage 1", "stage2_model": "Stage 2"}
    name = label[product.removeprefix("published_")]
    yield SummaryRow(label=f"{name} to publish", value=len(receipt.files), detail=detail)


_ROWS: Mapping[str, Callable[[House, Collection[Place]], Iterator[SummaryRow]]] = {
    "base_model": _model,
    "embedding_model": _embedding,
    "analyses": _analyses,
    "knowledge_base": _knowledge,
    "forge_pairs": _forge,
    "stage1_dataset": lambda house, _: _rows("Stage 1 rows", "stage1_dataset", house),
    "stage2_dataset": lambda house, _: _rows("Stage 2 rows", "stage2_dataset", house),
    "stage1_adapter": lambda house, _: _adapter(1, house),
    "stage2_adapter": lambda house, _: _adapter(2, house),
    "evaluation": _scores,
    "stage1_peft": lambda house, _: _export("stage1_peft", house),
    "stage2_peft": lambda house, _: _export("stage2_peft", house),
    "fused_model": lambda house, _: _fused(house),
    "published_dataset": lambda house, _: _published("published_dataset", house),
    "published_stage1_model": lambda house, _: _published("published_stage1_model", house),
    "published_stage2_model": lambda house, _: _published("published_stage2_model", house),
}


def _numbers(counts: Mapping[str, int]) -> str:
    return listed(f"{number} {word.replace('_', ' ')}" for word, number in counts.items())
