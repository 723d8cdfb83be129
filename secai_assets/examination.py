"""The examination wired: what is asked, of whom, and what they answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

from secai_assets.assets.base_model import read_base_model
from secai_assets.assets.stage1_dataset import read_rows as read_stage1
from secai_assets.assets.stage2_dataset import read_certificates, read_windows
from secai_assets.assets.stage2_dataset import read_rows as read_stage2
from secai_assets.repairs import read_repairs
from secai_assets.resources.adapters import read_adapter
from secai_assets.resources.house import House
from secai_lib.core.errors import SourceError, TrainingError
from secai_lib.core.fix import Certificate, SourceFiles
from secai_lib.core.generation import Decoding, Generation
from secai_lib.core.record import content_hash
from secai_lib.core.settings import InferenceSettings
from secai_lib.core.training import ANSWER_END, ANSWER_PREFIX, TrainingExample
from secai_lib.datasets.repair import Repair
from secai_lib.datasets.windows import Window
from secai_lib.evaluation.baselines import Lookup, edit_answers, label_answers, training_part
from secai_lib.evaluation.exam import TRAINED, TRUTH, Answer, chosen, held_back
from secai_lib.fixes.edits import Texts
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.journal import Journal
from secai_lib.gateways.llm import choose_engine

Say = Callable[[str], None]
ADAPTERS: Mapping[str, str] = {"stage1": "stage1_adapter", "stage2": "stage2_adapter"}
"""Contender -> the product its adapter is."""


class Contender(NamedTuple):
    """A model that is examined."""

    name: str
    """`base`, `stage1` or `stage2`."""
    identity: str
    """Base model, and the adapter's digest."""


@dataclass(frozen=True)
class Weakness:
    """What the answers to one row of Stage 2 are applied to."""

    window: Window
    repair: Repair
    certificate: Certificate
    files: SourceFiles

    @property
    def before(self) -> str:
        """The weak file."""
        return self.repair.weak[self.window.path]

    @property
    def lines(self) -> tuple[int, int] | None:
        """First and last line that the finding names in the weak file, from 1."""
        found = self.certificate.finding
        if found.line is None or found.path != self.window.path:
            return None
        last = getattr(found.location, "end_line", None)
        return found.line, max(found.line, last or found.line)

    @property
    def true(self) -> str:
        """The file after the true fix."""
        return self.repair.fixed[self.window.path]


@dataclass(frozen=True)
class Exam:
    """Both test parts, and what is asked of them."""

    rows: Mapping[int, Sequence[TrainingExample]]
    """Stage -> all rows of its data set."""
    test: Mapping[int, Sequence[TrainingExample]]
    """Stage -> the whole test part."""
    asked: Mapping[int, Sequence[TrainingExample]]
    """Stage -> the rows that are asked."""
    untrained: Mapping[int, Sequence[TrainingExample]]
    """Stage -> those of them that models are asked which were not trained for it."""
    weaknesses: Mapping[str, Weakness]
    """Row id of Stage 2 -> what its answers are applied to."""

    def asked_of(self, name: str, stage: int) -> Sequence[TrainingExample]:
        """The rows of `stage` that the model `name` is asked."""
        return (self.asked if name in TRAINED[stage] else self.untrained)[stage]


def read_exam(house: House, stages: Sequence[int] = (1, 2)) -> Exam:
    """The examination that the settings ask for.

    Raises:
        SourceError: a weak file of Stage 2 is no longer there.
    """
    settings = house.settings.evaluation
    rows = {1: read_stage1(house), 2: read_stage2(house)}
    test = {stage: held_back(own) for stage, own in rows.items()}
    asked = {
        stage: chosen(own, settings.max_rows, settings.seed) if stage in stages else []
        for stage, own in test.items()
    }
    untrained = {
        stage: chosen(own, settings.untrained_rows, settings.seed) for stage, own in asked.items()
    }
    return Exam(rows, test, asked, untrained, _weaknesses(house, asked[2]))


def contenders(house: House) -> list[Contender]:
    """Base, Stage 1 and Stage 2.

    Raises:
        TrainingError: an adapter is of another base model, was trained on another version of a
            data set than the one that is examined, or Stage 2 did not begin with this Stage 1.
    """
    base = read_base_model(house).identity
    found = [Contender("base", base)]
    digests: dict[str, str] = {}
    for name, product in ADAPTERS.items():
        adapter, _ = read_adapter(house, product)
        if adapter.base != base:
            raise TrainingError(f"{product} belongs to another base model: train again")
        _require_same_data(house, product)
        digests[name] = adapter.digest
        if name == "stage2" and adapter.parent != digests["stage1"]:
            raise TrainingError("stage2_adapter did not begin with this stage1_adapter: train it")
        found.append(Contender(name, f"{base}+{adapter.digest}"))
    return found


def ask(
    house: House,
    exam: Exam,
    who: Contender,
    known: Mapping[str, Answer],
    journal: Journal,
    say: Say,
) -> list[Answer]:
    """The answers of `who` to the rows it is asked; those in `known` (by key) are not asked again.

    Every answer is journalled as it comes.
    """
    inference = inference_of(house)
    engine_name, code = choose_engine(inference), code_version("gateways/llm")
    made: dict[str, Answer] = {}
    missing: dict[int, list[Answer]] = {1: [], 2: []}
    texts = {row.id: row for own in exam.asked.values() for row in own}
    for stage, decoding in ((1, decoding_of(house, 1)), (2, decoding_of(house, 2))):
        for row in exam.asked_of(who.name, stage):
            asked = row.messages[:-1]
            key = content_hash(who.identity, engine_name, code, decoding, row.id, asked)
            blank = Answer(contender=who.name, stage=stage, row=row.id, text="", key=key)
            if key in known:
                made[key] = known[key].model_copy(update={"contender": who.name})
            else:
                missing[stage].append(blank)
    count = sum(map(len, missing.values()))
    say(f"{who.name}: {count} rows to answer, {len(made)} answers remembered")
    if count:
        adapter = read_adapter(house, ADAPTERS[who.name]) if who.name in ADAPTERS else None
        with house.open_engine(read_base_model(house), inference, adapter) as engine:
            for stage, blanks in missing.items():

                def keep(blanks: list[Answer], index: int, generation: Generation) -> None:
                    answer = blanks[index].model_copy(update={"text": generation.text})
                    journal.append(answer)
                    made[answer.key] = answer

                if blanks:
                    chats = [texts[blank.row].messages[:-1] for blank in blanks]
                    decoding = decoding_of(house, 1 if stage == 1 else 2)
                    engine.generate(chats, decoding, partial(keep, blanks))
                    say(f"{who.name}: {len(blanks)} rows of Stage {stage} answered")
    return sorted(made.values(), key=lambda answer: (answer.stage, answer.row))


def unlearned(exam: Exam) -> list[Answer]:
    """The answers of the baselines, and the data set's own, to all asked rows."""
    made = []
    for stage, asked in exam.asked.items():
        if not asked:
            continue
        known = Lookup(training_part(exam.rows[stage]))
        for row in asked:
            if stage == 1:
                answers = label_answers(known, row)
            else:
                answers = edit_answers(known, row, exam.weaknesses[row.id].window.lines)
            for name, text in (answers | {TRUTH: row.response}).items():
                made.append(Answer(contender=name, stage=stage, row=row.id, text=text))
    return made


def decoding_of(house: House, stage: Literal[1, 2]) -> Decoding:
    """How answers of `stage` are made."""
    return Decoding(
        max_tokens=house.settings.evaluation.answer_tokens,
        prefix=ANSWER_PREFIX[stage],
        stop=(ANSWER_END[stage],),
    )


def inference_of(house: House) -> InferenceSettings:
    """The settings of a local engine: a server has no adapter of ours."""
    asked = house.settings.inference
    return asked.model_copy(
        update={
            "batch_size": house.settings.evaluation.batch_size,
            "engine": "auto" if asked.engine == "server" else asked.engine,
        }
    )


def _require_same_data(house: House, product: str) -> None:
    inputs = house.store.require(product).origin.inputs
    own = product.replace("_adapter", "_dataset")
    for name in ("stage1_dataset", "stage2_dataset"):
        here = content_hash(house.store.require(name).files)
        if (name in inputs or name == own) and inputs.get(name) != here:
            raise TrainingError(
                f"{product} was trained on another version of {name} than the one here: its test "
                f"rows may be among what it learnt; run `secai train` again"
            )


def _weaknesses(house: House, asked: Sequence[TrainingExample]) -> dict[str, Weakness]:
    if not asked:
        return {}
    windows, certificates = read_windows(house), read_certificates(house)
    repairs = {repair.fix.id: repair for repair in read_repairs(house)}
    found = {}
    for row in asked:
        key = row.metadata.certificate
        repair = repairs.get(key)
        if repair is None or certificates[key] != repair.fix.certificate:
            raise SourceError(
                f"the weak file of test row {row.id} is no longer there: run `secai run --until "
                "stage2_dataset`, so that the data set and the fixes it is made of fit again"
            )
        proof = repair.fix.certificate
        files = (
            Texts(repair.weak)
            if repair.forged
            else house.source.files(proof.repository, proof.commit, exact=True)
        )
        found[row.id] = Weakness(windows[key], repair, proof, files)
    return found
