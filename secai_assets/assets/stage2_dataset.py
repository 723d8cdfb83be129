"""The data set of Stage 2: fixing a vulnerability."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import base_model, read_base_model
from secai_assets.assets.code_contexts import code_contexts
from secai_assets.assets.fixes import fixes
from secai_assets.assets.forge_pairs import forge_pairs
from secai_assets.assets.problems import problems
from secai_assets.assets.stage1_dataset import rows_of_problems, stage1_dataset
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
from secai_lib.core.fix import Certificate
from secai_lib.core.generation import Chat
from secai_lib.core.manifest import Manifest
from secai_lib.core.model import ModelFormat
from secai_lib.core.record import Record, canonical_json, content_hash
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.approaches import approach_lines, approach_sets
from secai_lib.datasets.finish import finish
from secai_lib.datasets.stage2 import stage2_rows
from secai_lib.datasets.windows import Window
from secai_lib.gateways.chat_tokens import ChatTokens

NAME = "stage2_dataset"
CERTIFICATES = "certificates/"


class Windows(Record):
    """The file `windows.json`: what an answer is applied to."""

    windows: Mapping[str, Window]
    """Fix id -> the window of its row."""


@dg.asset(
    deps=[stage1_dataset, fixes, forge_pairs, problems, code_contexts, base_model],
    group_name="datasets",
    kinds={"huggingface"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
)
def stage2_dataset(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """One row per proven fix: the finding and the lines round it, answered by the edit.

    Made of fixes of scanned repositories and of forged pairs; only of those whose certificate
    says proven (fixes have no score yet). The parts are those of Stage 1: a file or a problem that
    one stage is tested on is in no other part of the other. `code_fix_dataset.jsonl` holds all
    rows, `multi_approach_dataset.jsonl` the problems with several proven ways, `windows.json`
    what an answer is applied to. `secai verify` replays the certificates with the scanners.
    """
    with explained():
        kept = house.store.reusable(NAME, origin=dataset_origin(house))
        if not kept:
            run_child(context, house, __name__)
        manifest = house.store.require(NAME)
    rows = read_rows(house)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=kept is not None)
        | dataset_metadata(house, NAME)
        | {
            f"by_{name}": metadata.bars(
                f"Rows by {name.replace('_', ' ')}", metadata.count_by(values)
            )
            for name, values in {
                "fix": (row.metadata.fix_type for row in rows),
                "language": (row.metadata.language for row in rows),
                "config_type": (row.metadata.config_type or "code" for row in rows),
                "origin": ("forged" if row.metadata.forged else "genuine" for row in rows),
            }.items()
        }
        | {"answer": dg.MetadataValue.md(f"```\n{rows[0].response}\n```" if rows else "none")},
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
    settings, pins, origin = house.settings.datasets, house.action_pins, dataset_origin(house)
    repairs = read_repairs(house)
    made = stage2_rows(repairs, settings, pins)
    say(f"{len(made.rows)} of {len(repairs)} proven fixes fit into a window")
    of_stage1 = rows_of_problems(house, repairs)
    finished = finish([*of_stage1, *made.rows], settings, count_tokens)[2]
    say(f"{len(finished.rows)} rows are in the data set")
    rows = in_order(finished.rows)
    left_out = Counter(made.left_out) + Counter(finished.left_out)
    finished = finished.model_copy(update={"rows": tuple(rows), "left_out": left_out})
    sets = approach_sets(repairs, rows, settings, pins)
    taken = {row.metadata.certificate for row in rows}
    windows = Windows(windows={key: w for key, w in sorted(made.windows.items()) if key in taken})
    files = published_files(finished, 2, template)
    files["multi_approach_dataset.jsonl"] = approach_lines(sets)
    files["windows.json"] = canonical_json(windows).encode()
    for repair in repairs:
        if repair.fix.id in taken:
            name = f"{CERTIFICATES}{repair.fix.id}.json"
            files[name] = canonical_json(repair.fix.certificate).encode()
    counts = {"fixes": len(repairs), "rows": len(rows), "multi_approach": len(sets)}
    counts |= Counter(row.split.value for row in rows)
    counts["forged"] = sum(row.metadata.forged for row in rows)
    return house.store.publish(NAME, files, counts=counts, origin=origin)


def in_order(rows: Sequence[TrainingExample]) -> list[TrainingExample]:
    """`rows` by part, handlers behind mapped URLs first in each, else as they come."""
    parts = list(Split)
    return sorted(rows, key=lambda r: (parts.index(r.split), not r.metadata.url_mapped))


def read_rows(house: House) -> list[TrainingExample]:
    """The rows in the order to train in."""
    return read_product_rows(house, NAME)


def read_windows(house: House) -> Mapping[str, Window]:
    """Fix id -> the window that the answer of its row is applied to."""
    return Windows.model_validate_json(house.store.read(NAME, "windows.json")).windows


def read_certificates(house: House) -> dict[str, Certificate]:
    """Fix id -> the certificate that lies beside the rows."""
    manifest = house.store.require(NAME)
    names = [name for name in manifest.files if name.startswith(CERTIFICATES)]
    found = [Certificate.model_validate_json(house.store.read(NAME, name)) for name in names]
    return {certificate.fix: certificate for certificate in found}
