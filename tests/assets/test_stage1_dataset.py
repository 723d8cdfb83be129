"""The data set of Stage 1 in the store: made of the products before it, judged from its rows."""

from pathlib import Path

import pytest

from secai_assets.assets.stage1_dataset import (
    NAME,
    publish_rows,
    read_material,
    read_rows,
    rows_of_problems,
)
from secai_assets.dataset_views import (
    CHECKS,
    dataset_metadata,
    dataset_origin,
    dataset_verdicts,
    read_tokens,
)
from secai_assets.repairs import read_repairs
from secai_assets.resources.house import House
from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.generation import Chat
from secai_lib.core.manifest import Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json
from secai_lib.core.settings import ContextSettings, DatasetSettings, Settings
from secai_lib.core.training import ForgedPair, Split
from secai_lib.datasets.rows import file_group
from secai_lib.gateways.columns import (
    ABSTENTIONS,
    CONTEXTS,
    FINDINGS,
    FIXES,
    FORGED_PAIRS,
    PROBLEMS,
)
from secai_lib.gateways.config import Project
from secai_lib.gateways.tables import to_parquet
from tests.fakes.records import (
    BRANCH,
    REPOSITORY,
    RUN,
    make_abstention,
    make_context,
    make_finding,
    make_fix,
    make_problem,
    make_result,
)
from tests.fakes.repairs import make_repair

TEMPLATE = {"chat_template_sha256": "0" * 64}


DOCKERFILE = "d/Dockerfile"


def count_tokens(chat: Chat) -> int:
    return sum(len(message.content.split()) for message in chat)


def finding(number: int) -> Finding:
    words = " ".join(f"The w{number}x{at} is w{number}y{at} here." for at in range(9))
    place = SourceLocation(path=f"src/file{number}.yml", start_line=number + 1)
    return make_finding(
        result=make_result(rule_id=f"rule-{number % 8}", message=words, locations=(place,))
    )


def forged_pair() -> ForgedPair:
    """A Dockerfile with a weakness that its scanner reports at line 2."""
    weak, clean = {DOCKERFILE: "FROM a:1\nADD x /x\n"}, {DOCKERFILE: "FROM a:1\nCOPY x /x\n"}
    repair = make_repair(weak, clean, line=2, rule="CKV_DOCKER_4", tool="checkov",
                         kind="dockerfile-add-to-copy", problem="f" * 16, forged=True)  # fmt: skip
    return ForgedPair(id="f" * 16, kind="dockerfile-add-to-copy", origin="seed",
                      licence="Apache-2.0", path=DOCKERFILE, language="dockerfile",
                      weak=weak, finding=repair.finding, fix=repair.fix)  # fmt: skip


def publish(house: House, product: str, files: dict[str, bytes], key: str = "") -> None:
    origin = Origin(inputs={}, settings="", code_version="")
    house.store.publish(product, files, key=key, origin=origin, counts={})


@pytest.fixture
def house(home: Path) -> House:
    """A house in which forty problems were found, one of them fixed."""
    made = House(Project(root=home, settings=Settings()))
    findings = [finding(number) for number in range(40)]
    problems = [make_problem([f]) for f in findings]
    contexts = [make_context(fingerprint=f.fingerprint, path=f.result.path or "") for f in findings]
    fix = make_fix().model_copy(update={"problem": problems[0].id})
    silent = [make_abstention(p) for p in problems[1:]]
    places = canonical_json([[REPOSITORY, BRANCH]]).encode()
    model = Model(name="m", uri="local:m", revision="1", source_sha256="0" * 64, licence="MIT",
                  licence_origin="x", architecture="llama", parameters=1, size_bytes=1, folder="m",
                  files={})  # fmt: skip
    publish(made, "findings", {"findings.parquet": to_parquet(findings, FINDINGS)}, RUN)
    publish(made, "code_contexts", {"contexts.parquet": to_parquet(contexts, CONTEXTS)}, RUN)
    publish(made, "base_model", {"model.json": canonical_json(model).encode()})
    publish(
        made,
        "problems",
        {"problems.parquet": to_parquet(problems, PROBLEMS), "places.json": places},
    )
    publish(made, "forge_pairs", {"pairs.parquet": to_parquet([forged_pair()], FORGED_PAIRS)})
    publish(
        made,
        "fixes",
        {
            "fixes.parquet": to_parquet([fix], FIXES),
            "abstentions.parquet": to_parquet(silent, ABSTENTIONS),
        },
        "acme~shop@main",
    )
    return made


def test_every_problem_is_material_with_all_its_evidence(house: House) -> None:
    material = read_material(house)
    assert len(material) == 40
    assert all(m.context and m.licence == "unknown" for m in material)
    assert sum(m.fix is not None for m in material) == 1
    assert sum(m.abstention is not None for m in material) == 39


def test_a_forged_weakness_is_a_problem_of_its_weak_file(house: House) -> None:
    (row,) = [r for r in rows_of_problems(house, read_repairs(house)) if r.metadata.forged]
    assert "Code:\nFROM a:1\nADD x /x" in row.instruction
    assert row.metadata.file == DOCKERFILE
    assert row.metadata.problem == "f" * 16
    assert row.group == file_group(REPOSITORY, DOCKERFILE)
    assert '"type":"supply_chain"' in row.response


def test_the_product_is_read_back_judged_and_shown(house: House) -> None:
    said: list[str] = []
    manifest = publish_rows(house, count_tokens, TEMPLATE, said.append)
    rows = read_rows(house)
    assert manifest.counts["problems"] == 41
    assert manifest.counts["forged"] == sum(row.metadata.forged for row in rows) > 0
    assert manifest.counts["rows"] == len(rows) == len(read_tokens(house, NAME))
    assert manifest.counts["loss_percent_infrastructure"] == 100
    assert {row.split for row in rows} == set(Split)
    assert said
    verdicts = {verdict.name: verdict for verdict in dataset_verdicts(house, NAME)}
    assert set(verdicts) == set(CHECKS)
    assert [v.sentence for v in verdicts.values() if not v.passed] == []
    shown = dataset_metadata(house, NAME)
    assert shown["dagster/row_count"].value == len(rows)
    assert shown["template"].value == TEMPLATE


def test_what_is_unchanged_is_not_made_again(house: House) -> None:
    first = publish_rows(house, count_tokens, TEMPLATE, lambda _text: None)
    assert house.store.reusable(NAME, origin=dataset_origin(house)) == first
    assert publish_rows(house, count_tokens, TEMPLATE, lambda _text: None) == first
    other = Settings(datasets=DatasetSettings(seed=18))
    changed = House(Project(root=house.project.root, settings=other))
    assert changed.store.reusable(NAME, origin=dataset_origin(changed)) is None
    # a forged row shows as many lines as the settings of contexts say
    shorter = Settings(contexts=ContextSettings(lines=ContextSettings().lines + 1))
    changed = House(Project(root=house.project.root, settings=shorter))
    assert changed.store.reusable(NAME, origin=dataset_origin(changed)) is None
