"""What a small local model reads in the worst open problems, one set per repository and branch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import base_model, read_base_model
from secai_assets.assets.code_contexts import code_contexts, read_contexts
from secai_assets.assets.fixes import Place, open_findings, places
from secai_assets.assets.problems import problems, read_problems
from secai_assets.automation import when_parents_are_good
from secai_assets.children import run_child
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib import analysis as room
from secai_lib.core.analysis import Analysis, AnalysisStatus, Facts, Reading
from secai_lib.core.context import CodeContext
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import Model
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import content_hash
from secai_lib.core.text import plural
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import ANALYSES
from secai_lib.gateways.journal import Journal
from secai_lib.gateways.tables import from_parquet, to_parquet

Say = Callable[[str], None]
SAY_EVERY = 8
"""Answers between two lines of progress."""
LIFT = "SECAI_ANALYSES__MAX_PROBLEMS=0, or analyses.max_problems in config/models.yaml"
"""How the cap is lifted."""


class Refresh(dg.Config):
    """What a run may ask for."""

    refresh: bool = False
    """Ask the model about everything again, also where its answer is remembered."""


@dg.asset(
    deps=[problems, code_contexts, base_model],
    group_name="corpus",
    kinds={"python", "parquet"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
    metadata={"dagster/column_schema": metadata.column_schema(ANALYSES, Analysis, Facts, Reading)},
)
def analyses(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House], config: Refresh
) -> dg.MaterializeResult[None]:
    """A structured reading of the worst open problems by the local model, or why there is none.

    Facts come from the scanners, never from the model. Answers are held to a schema token by
    token, remembered by finding, context, prompt version, decoding and base model, and told in
    one Markdown narrative per problem.
    """
    with explained():
        reused = not config.refresh and all(_kept(house, place) for place in places(house))
        if not reused:
            run_child(context, house, __name__, {"refresh": config.refresh})
        manifests = {p.key: house.store.require("analyses", p.key) for p in places(house)}
        read = [a for place in places(house) for a in read_analyses(house, place)]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash({k: m.files for k, m in manifests.items()})),
        metadata=_shown(list(manifests.values()), read) | {"reused": dg.MetadataValue.bool(reused)},
    )


def make(house: House, options: Mapping[str, object], say: Say) -> None:
    """Read the problems of every place whose analyses are not up to date."""
    refresh = bool(options.get("refresh"))
    for place in places(house):
        if refresh or not _kept(house, place):
            read_place(house, place, say, refresh=refresh)


def read_place(house: House, place: Place, say: Say, *, refresh: bool = False) -> Manifest:
    """The manifest of the analyses of `place`, published; only what is new is asked.

    Every answer is journalled as it comes, so that a killed run goes on where it was.
    """
    settings, model = house.settings.analyses, _model_of(house)[0]
    mine, contexts = _open_problems(house, place), _contexts(house, place)
    found = {finding.fingerprint: finding for finding in open_findings(house, mine)}
    questions, left = room.questions_about(mine, found, contexts, settings, model)
    journal = Journal(house.store.root / ".journal" / f"analyses-{content_hash(place.key)}.jsonl")
    known: dict[str, Analysis] = {}
    if refresh:
        journal.remove()
    elif house.store.manifest("analyses", place.key):
        known = {analysis.key: analysis for analysis in read_analyses(house, place)}
    fresh = [question for question in questions if question.key not in known]
    say(
        f"{place.repository}: {plural(len(fresh), 'problem')} to read, "
        f"{len(questions) - len(fresh)} remembered, {left} beyond the cap"
    )
    made = known | {a.key: a for a in _read(house, fresh, journal, say)}
    done = [made[question.key] for question in questions]
    manifest = house.store.publish(
        "analyses",
        {"analyses.parquet": to_parquet(done, ANALYSES)}
        | {f"narratives/{a.problem}.md": room.narrative(a).encode() for a in done},
        key=place.key,
        counts=_counts(done, reused=len(questions) - len(fresh), left=left),
        origin=_origin(house, place),
    )
    journal.remove()
    return manifest


def read_analyses(house: House, place: Place) -> list[Analysis]:
    """The analyses of `place`, worst problem first."""
    return from_parquet(house.store.read("analyses", "analyses.parquet", place.key), Analysis)


def _read(
    house: House, questions: Sequence[room.Question], journal: Journal, say: Say
) -> list[Analysis]:
    if not questions:
        return []
    identity, model = _model_of(house)
    count = 0

    def keep(answer: room.Answer) -> None:
        nonlocal count
        journal.append(answer)
        count += 1
        if count % SAY_EVERY == 0:
            say(f"{count} answers to {len(questions)} questions")

    kept = journal.read(room.Answer)
    if kept:
        say(f"{plural(len(kept), 'answer')} of a run that did not end, not asked for again")
    with ExitStack() as doors:
        engine = doors.enter_context(house.open_engine(model))
        retriever = house.open_knowledge(say)
        made = room.read_problems(
            questions,
            engine,
            house.settings.analyses,
            model=identity,
            retriever=retriever,
            answers=kept,
            keep=keep,
        )
    say(f"the model gave {plural(count, 'answer')} to {plural(len(questions), 'question')}")
    return made


def _model_of(house: House) -> tuple[str, Model | None]:
    """Identity of the model that answers, and the model; None where a server has its own."""
    inference = house.settings.inference
    if inference.engine == "server":
        # a hash, because the address of a machine belongs in no artifact
        where = content_hash(inference.server_url)[:8]
        return f"server:{inference.server_model or 'its only model'}@{where}", None
    model = read_base_model(house)
    return model.identity, model


def _kept(house: House, place: Place) -> Manifest | None:
    return house.store.reusable("analyses", place.key, origin=_origin(house, place))


def _origin(house: House, place: Place) -> Origin:
    """What analyses rest on; the knowledge base and the engine are recorded, not keyed."""
    mine = _open_problems(house, place)
    return Origin(
        inputs={
            "problems": content_hash(mine),
            "findings": content_hash(open_findings(house, mine)),
            "contexts": content_hash(_contexts(house, place)),
            "model": _model_of(house)[0],
        },
        settings=content_hash(house.settings.analyses),
        code_version=code_version("analysis"),
    )


def _open_problems(house: House, place: Place) -> list[Problem]:
    return [
        problem
        for problem in read_problems(house)
        if Place(problem.repository, problem.branch) == place and problem.state is ProblemState.OPEN
    ]


def _contexts(house: House, place: Place) -> dict[str, CodeContext]:
    """The context of every finding of an open problem, from the newest run that has one."""
    mine = _open_problems(house, place)
    wanted = {fingerprint for problem in mine for fingerprint in problem.fingerprints}
    newest = {problem.run for problem in mine}
    found = {}
    for key in sorted(house.store.keys("code_contexts"), key=lambda key: (key in newest, key)):
        for context in read_contexts(house, key):
            if context.fingerprint in wanted:
                found[context.fingerprint] = context
    return found


def _counts(done: Sequence[Analysis], *, reused: int, left: int) -> dict[str, int]:
    read = sum(analysis.status is AnalysisStatus.READ for analysis in done)
    return {
        "asked": len(done),
        "read": read,
        "abstained": len(done) - read,
        "reused_answers": reused,
        "left": left,
        "prompt_tokens": sum(analysis.prompt_tokens for analysis in done),
        "answer_tokens": sum(analysis.answer_tokens for analysis in done),
    }


def _shown(manifests: Sequence[Manifest], done: Sequence[Analysis]) -> dict[str, dg.MetadataValue]:
    """Numbers, plots and examples for the UI."""
    total = {
        name: sum(manifest.counts[name] for manifest in manifests)
        for name in _counts([], reused=0, left=0)
    }
    read = [(a, a.reading) for a in done if a.reading]
    rows = [
        {
            "problem": a.facts.title,
            "evidence": a.facts.severity.value,
            "model": reading.severity.value,
            "type": reading.classification.value,
            "impact": reading.impact,
            "remedy": reading.remediation,
        }
        for a, reading in read
    ]
    agreement = (
        "same severity as the evidence"
        if r.severity is a.facts.severity
        else "milder"
        if r.severity.rank > a.facts.severity.rank
        else "worse"
        for a, r in read
    )
    lengths = metadata.count_by(f"{a.answer_tokens // 16 * 16:>4} and more" for a in done)
    left = f"{total['left']} problems were left; {LIFT} lifts the cap" if total["left"] else "none"
    first = next((room.narrative(a) for a, _ in read), "no reading")
    return {name: dg.MetadataValue.int(value) for name, value in total.items()} | {
        "dagster/row_count": dg.MetadataValue.int(len(done)),
        "left_out": dg.MetadataValue.text(left),
        "readings": metadata.table(rows),
        "by_type": metadata.bars(
            "Readings by the model's classification",
            metadata.count_by(r.classification.value for _, r in read),
        ),
        "by_agreement": metadata.bars(
            "The model's severity beside the evidence's", metadata.count_by(agreement)
        ),
        "why_not": metadata.bars(
            "Problems without a reading, by reason",
            metadata.count_by(a.reason_code for a in done if not a.reading),
        ),
        "answer_length": metadata.bars("Answers by tokens", dict(sorted(lengths.items()))),
        "narrative": dg.MetadataValue.md(first),
    }
