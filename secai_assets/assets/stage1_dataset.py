"""The data set of Stage 1: reading a vulnerability."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import base_model, read_base_model
from secai_assets.assets.code_contexts import code_contexts, read_all_contexts
from secai_assets.assets.fixes import (
    fixes,
    open_findings,
    places,
    read_abstentions,
    read_fixes,
)
from secai_assets.assets.forge_pairs import forge_pairs
from secai_assets.assets.problems import problems, read_problems
from secai_assets.automation import when_parents_are_good
from secai_assets.children import run_child
from secai_assets.dataset_views import (
    dataset_metadata,
    dataset_origin,
    published_files,
    read_product_rows,
)
from secai_assets.failures import explained
from secai_assets.repairs import read_repairs
from secai_assets.resources.house import House
from secai_lib.code_context import contexts
from secai_lib.core.generation import Chat
from secai_lib.core.licences import UNKNOWN, licence_of
from secai_lib.core.manifest import Manifest
from secai_lib.core.model import ModelFormat
from secai_lib.core.problem import Problem
from secai_lib.core.record import content_hash
from secai_lib.core.training import TrainingExample
from secai_lib.datasets.export import effective_shares
from secai_lib.datasets.finish import finish
from secai_lib.datasets.material import Material, forged_material, most_telling
from secai_lib.datasets.repair import Repair
from secai_lib.datasets.stage1 import stage1_row
from secai_lib.datasets.stage2 import stage2_rows
from secai_lib.fixes.edits import Texts
from secai_lib.gateways.chat_tokens import ChatTokens

NAME = "stage1_dataset"


@dg.asset(
    deps=[problems, code_contexts, fixes, forge_pairs, base_model],
    group_name="datasets",
    kinds={"huggingface"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
)
def stage1_dataset(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """One row per problem: what kind of weakness it is, how bad, and what it means.

    The problems are those of the scanned repositories, and the weaknesses that the forge put into
    clean files and a scanner then reported. No file is in one part here and in another of Stage 2.
    Labels come from scanners and advisories, prose from advisories, CWE entries and fix rules;
    no text is a model's, and no prompt states what its row is scored on.
    `datasets.load_dataset(FOLDER)` reads it.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=dataset_origin(house))
        if not kept:
            run_child(context, house, __name__)
        manifest = house.store.require(NAME)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=kept is not None)
        | dataset_metadata(house, NAME),
    )


def make(house: House, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    """Store the data set; done in a child, because the tokenizer's library is heavy."""
    tokens = ChatTokens(house.shelf.folder(read_base_model(house), ModelFormat.SAFETENSORS))
    publish_rows(house, tokens.count, tokens.facts(), say)


def publish_rows(
    house: House,
    count_tokens: Callable[[Chat], int],
    template: Mapping[str, object],
    say: Callable[[str], None],
) -> Manifest:
    """The manifest of the new data set, its lengths counted by `count_tokens`."""
    settings, origin = house.settings.datasets, dataset_origin(house)  # before anything is read
    repairs = read_repairs(house)
    rows = rows_of_problems(house, repairs)
    say(f"{len(rows)} problems are rows now; leaving out repeats and splitting by group")
    of_stage2 = stage2_rows(repairs, settings, house.action_pins).rows
    finished = finish([*rows, *of_stage2], settings, count_tokens)[1]
    say(f"{len(finished.rows)} rows are in the data set")
    counts = {"problems": len(rows), "rows": len(finished.rows)}
    counts["forged"] = sum(row.metadata.forged for row in finished.rows)
    counts |= Counter(row.split.value for row in finished.rows)
    shares = effective_shares(finished.rows)
    counts |= {f"loss_percent_{name}": round(100 * share) for name, share in shares.items()}
    return house.store.publish(
        NAME,
        published_files(finished, 1, template),
        counts=counts,
        origin=origin,
    )


def read_rows(house: House, product: str = NAME) -> list[TrainingExample]:
    """The rows of a data set in the order to train in."""
    return read_product_rows(house, product)


def rows_of_problems(house: House, repairs: Sequence[Repair]) -> list[TrainingExample]:
    """A row for every problem, and for every forged one of `repairs`."""
    forged = [_forged(house, repair) for repair in repairs if repair.forged]
    weights = house.settings.datasets.weights
    return [stage1_row(material, weights) for material in (*read_material(house), *forged)]


def _forged(house: House, repair: Repair) -> Material:
    wanted = house.settings.contexts
    (context,) = contexts([repair.finding], Texts(repair.weak), context_lines=wanted.lines,
                          max_lines=wanted.max_lines)  # fmt: skip
    return forged_material(repair, context)


def read_material(house: House) -> list[Material]:
    """The evidence about every problem of the repositories, in the order of the problems."""
    all_problems = read_problems(house)
    findings = {f.fingerprint: f for f in open_findings(house, all_problems)}
    contexts = read_all_contexts(house)
    fix_of = {f.problem: f for place in places(house) for f in reversed(read_fixes(house, place))}
    silent = {a.problem: a for place in places(house) for a in read_abstentions(house, place)}
    licences = _licences(house, all_problems)
    made = []
    for problem in all_problems:
        own = [findings[f] for f in problem.fingerprints if f in findings]
        if own:
            finding = most_telling(own)
            made.append(
                Material(
                    problem=problem,
                    finding=finding,
                    context=contexts.get((finding.run, finding.fingerprint)),
                    fix=fix_of.get(problem.id),
                    abstention=silent.get(problem.id),
                    licence=licences[problem.repository],
                )
            )
    return made


def _licences(house: House, all_problems: list[Problem]) -> dict[str, str]:
    """Repository -> its licence, as the newest commit of it that is here says."""
    seen = sorted({(p.last_seen, p.repository, p.commit) for p in all_problems if p.commit})
    newest = {repo: commit for _, repo, commit in seen if house.source.has(repo, commit)}
    known = {repo: licence_of(house.source.files(repo, commit)) for repo, commit in newest.items()}
    return {problem.repository: UNKNOWN for problem in all_problems} | known
