"""What both adapters' publications share: their files, their facts, and doubts about them."""

import json
from collections.abc import Mapping
from typing import Any

from secai_assets.assets.base_model import read_base_model
from secai_assets.dataset_views import read_product_rows
from secai_assets.in_force import outdated
from secai_assets.publications import Content, inputs_of, machine_of, repository_of
from secai_assets.resources.house import House
from secai_lib.core.adapter import Adapter, Stage
from secai_lib.core.evaluation import Evaluation
from secai_lib.core.generation import Chat
from secai_lib.core.training import ANSWER_PREFIX, Split
from secai_lib.publishing.guard import Leak, inspect, unlicensed
from secai_lib.publishing.model_card import AdapterFacts, model_card
from secai_lib.publishing.release import Gate

CARD = "README.md"
EXAMINED = ("stage1_adapter", "stage2_adapter", "stage1_dataset", "stage2_dataset")
"""Products that the examination is about."""


def gather_adapter(house: House, stage: Stage, repository: str, gates: tuple[Gate, ...]) -> Content:
    """The files of the adapter's repository: PEFT at the top, MLX beside, card, what was measured.

    The doubts are licences of the base model and the rows, and an examination of something else.
    """
    names = (f"stage{stage}_peft", f"stage{stage}_adapter", "evaluation", f"stage{stage}_dataset")
    inputs = inputs_of(house, *names, *(("fused_model",) if stage == 2 else ()))
    export = house.store.require(f"stage{stage}_peft")
    files = {
        name: house.store.read(f"stage{stage}_peft", name) for name in export.files if name != CARD
    }
    for product, name in ((names[1], "adapter.json"), (names[1], "training.json"),
                          ("evaluation", "evaluation.json")):  # fmt: skip
        files[name] = house.store.read(product, name)
    facts = _facts(house, stage, gates, inputs)
    files[CARD] = model_card(repository, facts)
    return Content(files=files, doubts=_doubts(house, facts), inputs=inputs)


def _facts(
    house: House, stage: Stage, gates: tuple[Gate, ...], inputs: Mapping[str, str]
) -> AdapterFacts:
    def read(product: str, name: str) -> Any:
        return json.loads(house.store.read(product, name))

    adapter = house.store.read(f"stage{stage}_adapter", "adapter.json")
    return AdapterFacts(
        adapter=Adapter.model_validate_json(adapter),
        training=read(f"stage{stage}_adapter", "training.json"),
        base=read_base_model(house),
        evaluation=Evaluation.model_validate_json(
            house.store.read("evaluation", "evaluation.json")
        ),
        gates=gates,
        dataset=repository_of(house, "published_dataset"),
        rows=read(f"stage{stage}_dataset", "dataset_info.json"),
        inputs=inputs,
        parity=read(f"stage{stage}_peft", "parity.json"),
        fused=_fused(house) if stage == 2 else {},
        example=_example(house, stage),
        prefix=ANSWER_PREFIX[stage],
    )


def _fused(house: House) -> dict[str, float]:
    """What is left of the adapter in the fused model, by precision, and how its logits changed."""
    read = json.loads(house.store.read("fused_model", "fused.json"))
    kept = {
        f"fused model, cosine of the change kept in {one['precision']}": float(one["overall"])
        for one in read["survival"]
    }
    return kept | {"fused model, largest difference of a logit": float(read["logit_change"])}


def _example(house: House, stage: Stage) -> Chat:
    """The shortest question of the test part that may stand in a card, without its answer.

    A card is held to more than training texts: code with a container's path is no example.
    """
    rows = read_product_rows(house, f"stage{stage}_dataset")
    test = [row for row in rows if row.split is Split.TEST] or rows
    by_length = sorted(test, key=lambda row: (len(row.instruction), row.id))
    machine = machine_of(house)
    fit = (row for row in by_length if not inspect({CARD: row.instruction.encode()}, machine))
    shortest = next(fit, by_length[0])
    return tuple(message for message in shortest.messages if message.role != "assistant")


def _doubts(house: House, facts: AdapterFacts) -> tuple[Leak, ...]:
    more = house.settings.publication.licences
    stage, base = facts.adapter.stage, facts.base
    licences = {"base model": base.licence}
    licences |= {f"rows of stage{stage}_dataset under {n!a}": n for n in facts.rows["licences"]}
    doubts = unlicensed(CARD, licences, more)
    if facts.adapter.base != base.identity:
        doubts.append(Leak(file="adapter.json", place="base", what="it belongs to another base "
                           f"model: train stage{stage}_adapter again"))  # fmt: skip
    digest = facts.adapter.digest
    examined = {
        "evaluation.json": facts.evaluation.models.get(f"stage{stage}", ""),
        "parity.json": str(facts.parity.get("adapter", "")),
    }
    doubts += [
        Leak(file=name, place="", what="it is about another adapter: materialize it again")
        for name, of in examined.items()
        if digest not in of
    ]
    return (*doubts, *_outdated(house, stage))


def _outdated(house: House, stage: Stage) -> list[Leak]:
    """Products that the card would tell together, though they are not made of each other."""
    own = [f"stage{number}_dataset" for number in range(1, stage + 1)]
    made_of: dict[str, dict[str, str]] = {
        f"stage{stage}_adapter": {name: name for name in own},
        "evaluation": {name: name for name in EXAMINED},
    }
    if stage == 2:
        made_of["stage2_adapter"]["stage1_adapter"] = "stage1_adapter"
        made_of["fused_model"] = {"adapter": "stage2_adapter"}
    return [
        Leak(file=CARD, place=product, what=f"it was made of another {name} than the one here: "
             "make it again")
        for product, inputs in made_of.items()
        for name in outdated(house, product, inputs)
    ]  # fmt: skip
