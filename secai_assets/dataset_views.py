"""What both data sets share in the corridor: their files in the store, their face in the UI."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.base_model import read_base_model
from secai_assets.resources.house import House
from secai_lib.core.manifest import Origin
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.training import Split, TrainingExample
from secai_lib.core.verdict import Verdict
from secai_lib.datasets.export import NAMES, dataset_files, effective_shares, read_lines
from secai_lib.datasets.finish import Finished
from secai_lib.gateways.code_version import code_version
from secai_lib.quality import datasets as quality

STAGES: Mapping[str, Literal[1, 2]] = {"stage1_dataset": 1, "stage2_dataset": 2}
WARNINGS = frozenset({"weights", "diversity", "token_length"})
"""Checks that warn; the others stop what comes after."""
CHECKS: Mapping[str, str] = {
    "min_rows": "The training part has enough rows.",
    "no_leak": "No group and no near-duplicate is in two parts; every pair of rows is compared.",
    "placeholder": "No answer holds a placeholder.",
    "answer_in_prompt": "No prompt states what its row is scored on.",
    "contradiction": "Prompt, answer and evidence name the same severity, CWE, file and tool.",
    "secret": "No row holds text of the shape of a secret.",
    "invented_id": "No answer names a CVE, GHSA or CWE that the evidence does not have.",
    "weights": "Every row carries its category's weight; shares of the loss.",
    "diversity": "Within each type of weakness enough answers are different ones.",
    "token_length": "No row is longer than what is trained on.",
}
"""Name of a check of a data set -> what it means."""
STEP = 64
"""Tokens of a bar of the histogram."""


def dataset_origin(house: House) -> Origin:
    """What both data sets are made of: they are split together, so neither is made alone."""
    inputs = {
        product: content_hash(
            {key: house.store.require(product, key).files for key in house.store.keys(product)}
        )
        for product in ("code_contexts", "findings", "fixes")
    }
    for product in ("forge_pairs", "problems"):
        inputs[product] = content_hash(house.store.require(product).files)
    return Origin(
        inputs=inputs | {"base_model": read_base_model(house).identity},
        settings=content_hash(house.settings.datasets, house.settings.contexts, house.action_pins),
        code_version=code_version(
            *("datasets", "code_context", "gateways/chat_tokens", "gateways/trainer/encode"),
            *("gateways/llm/prompt", "gateways/llm/control_text"),
        ),
    )


def published_files(
    finished: Finished, stage: Literal[1, 2], template: Mapping[str, object]
) -> dict[str, bytes]:
    """The files of a data set, and beside them its making: lengths, what was left out, template."""
    making = {
        "left_out": finished.left_out,
        "max_similarity": round(finished.max_similarity, 4),
        "template": template,
        "tokens": finished.tokens,
    }
    return dataset_files(finished.rows, stage) | {"making.json": canonical_json(making).encode()}


def read_product_rows(house: House, product: str) -> list[TrainingExample]:
    """The rows of the data set `product` in the order to train in."""
    return read_lines(house.store.read(product, f"{NAMES[STAGES[product]]}.jsonl"))


def read_tokens(house: House, product: str) -> dict[str, int]:
    """Row id -> tokens of the whole chat."""
    return {key: int(value) for key, value in _making(house, product)["tokens"].items()}


def dataset_metadata(house: House, product: str) -> dict[str, dg.MetadataValue]:
    """Examples, lengths, splits, kinds, and what was left out and why."""
    rows, making = read_product_rows(house, product), _making(house, product)
    lengths = sorted(making["tokens"].values())
    histogram = metadata.count_by(f"{n // STEP * STEP:4d}-{n // STEP * STEP + STEP - 1}"
                                  for n in lengths)  # fmt: skip
    test = [row for row in rows if row.split is Split.TEST]
    return {
        "dagster/row_count": dg.MetadataValue.int(len(rows)),
        "examples": metadata.table([_shown(row) for row in rows]),
        "lengths": metadata.bars("Rows by tokens", dict(sorted(histogram.items()))),
        "by_split": metadata.bars("Rows by part", metadata.count_by(r.split.value for r in rows)),
        "by_category": metadata.bars(
            "Rows by category", metadata.count_by(r.metadata.category.value for r in rows)
        ),
        "by_type": metadata.bars(
            "Rows by type", metadata.count_by(r.metadata.vulnerability_type.value for r in rows)
        ),
        "test_facets": metadata.bars(
            "Test rows by facet", metadata.count_by(r.facet.value for r in test)
        ),
        "left_out": metadata.bars("Rows left out", making["left_out"]),
        "effective_shares": dg.MetadataValue.json(effective_shares(rows)),
        "max_similarity": dg.MetadataValue.float(making["max_similarity"]),
        "template": dg.MetadataValue.json(making["template"]),
    }


def dataset_check_specs(asset: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks that both data sets have."""
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=name not in WARNINGS, description=said)
        for name, said in CHECKS.items()
    ]


def dataset_verdicts(house: House, product: str) -> Iterator[Verdict]:
    """What is to be said of the data set `product`, judged from its rows."""
    rows, limits = read_product_rows(house, product), house.settings.quality
    settings = house.settings.datasets
    yield quality.min_rows(rows, limits)
    yield quality.no_leak(rows, settings, limits)
    for name in quality.FAULTS:
        yield quality.fault(name, rows, limits)
    yield quality.weights(rows, settings)
    yield quality.diversity(rows, settings)
    yield quality.token_length(read_tokens(house, product), settings)


def _making(house: House, product: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(house.store.read(product, "making.json"))
    return made


def _shown(row: TrainingExample) -> dict[str, object]:
    return {
        "part": row.split.value,
        "facet": row.facet.value if row.split is Split.TEST else "",
        "tool": row.metadata.tool,
        "rule": row.metadata.rule,
        "type": row.metadata.vulnerability_type.value,
        "severity": row.metadata.severity.value,
        "verdict": row.metadata.verdict,
        "instruction": row.instruction,
        "response": row.response,
    }
