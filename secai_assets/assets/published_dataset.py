"""Both data sets, as the Hub would hold them."""

import json
from typing import Any

import dagster as dg

from secai_assets.assets.base_model import read_base_model
from secai_assets.in_force import outdated
from secai_assets.publications import Content, inputs_of, publish
from secai_assets.resources.house import House
from secai_lib.core.record import sha256_hex
from secai_lib.publishing.croissant import croissant
from secai_lib.publishing.dataset_card import SPLITS, DatasetFacts, dataset_card
from secai_lib.publishing.front_matter import read_head
from secai_lib.publishing.guard import Leak
from secai_lib.publishing.release import Gate, make_release

NAME = "published_dataset"
STAGES = (1, 2)
CERTIFICATES = "stage2/certificates.jsonl"


@dg.asset(
    deps=["stage1_dataset", "stage2_dataset", "evaluation"],
    group_name="publications",
    kinds={"huggingface"},
    owners=["team:secai"],
)
def published_dataset(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Both data sets in one repository: rows, proofs, card, Croissant; a dry run by default.

    Every blocking check of what it is made of must have passed on what is there now, and the guard
    must find nothing: otherwise nothing is written. When a score gate failed, it is written as a
    candidate and not pushed.
    """
    return publish(context, house, NAME, "dataset", gather)


def gather(house: House, repository: str, gates: tuple[Gate, ...]) -> Content:
    """The files of the repository; the score gates judge the models, and the card is silent."""
    inputs = inputs_of(house, "stage1_dataset", "stage2_dataset")
    rows: dict[str, bytes] = {}
    files: dict[str, bytes] = {}
    for stage in STAGES:
        product = f"stage{stage}_dataset"
        for split in _splits(house, product):
            rows[f"stage{stage}/{split}.jsonl"] = house.store.read(product, f"{split}.jsonl")
        files[f"stage{stage}/dataset_info.json"] = house.store.read(product, "dataset_info.json")
    files["stage2/multi_approach_dataset.jsonl"] = house.store.read(
        "stage2_dataset", "multi_approach_dataset.jsonl"
    )
    proofs = _certificates(house)
    files[CERTIFICATES] = b"".join(proof + b"\n" for proof in proofs)
    facts = [_facts(house, stage, inputs[f"stage{stage}_dataset"]) for stage in STAGES]
    digest = make_release("dataset", rows, inputs).digest
    licences = sorted({name for fact in facts for name in fact.info["licences"]})
    listed = {name: (len(data), sha256_hex(data)) for name, data in rows.items()}
    files["croissant.json"] = croissant(repository, listed, licences, digest)
    files["README.md"] = dataset_card(repository, facts, read_base_model(house).name, len(proofs))
    doubts = tuple(
        Leak(file="README.md", place=name, what="its test part is not the one that was examined: "
             "materialize evaluation again")
        for name in outdated(house, "evaluation", {name: name for name in inputs})
    )  # fmt: skip
    return Content(files={**rows, **files}, doubts=doubts, inputs=inputs)


def _splits(house: House, product: str) -> list[str]:
    there = house.store.require(product).files
    return [split for split in SPLITS if f"{split}.jsonl" in there]


def _certificates(house: House) -> list[bytes]:
    """One line each, in the order of the fixes' ids."""
    names = sorted(house.store.require("stage2_dataset").files)
    proofs = [name for name in names if name.startswith("certificates/")]
    return [house.store.read("stage2_dataset", name) for name in proofs]


def _facts(house: House, stage: int, content: str) -> DatasetFacts:
    product = f"stage{stage}_dataset"

    def read(name: str) -> Any:
        return json.loads(house.store.read(product, name))

    head = read_head(house.store.read(product, "README.md"))
    return DatasetFacts(
        stage=stage,
        info=read("dataset_info.json"),
        features=head["dataset_info"]["features"],
        splits=_splits(house, product),
        content=content,
        left_out=read("making.json")["left_out"],
    )
