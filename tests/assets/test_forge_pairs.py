"""The asset of the forge: what is stored, kept, made anew and judged; with a scanner of ours."""

from pathlib import Path

import dagster as dg
import pytest

from secai_assets.assets.forge_pairs import forge_pairs, make_pairs, read_dropped, read_pairs
from secai_assets.checks.forge_pairs import forge_pairs_checks
from secai_assets.resources.house import House
from secai_lib.core.manifest import Origin
from secai_lib.gateways.columns import PROBLEMS
from secai_lib.gateways.config import Project, load_project
from secai_lib.gateways.tables import to_parquet
from tests.fakes.rescanner import FakeRescanner, lines_with

CHECKOV = {
    "CKV_DOCKER_4": lines_with("ADD "),
    "CKV_DOCKER_1": lines_with("EXPOSE 22"),
    "CKV_K8S_17": lines_with("hostPID: true"),
}
NOWHERE = Origin(inputs={}, settings="", code_version="")


def furnished(limit: int) -> House:
    """A house without a scanned repository, whose checkov is three functions."""
    project = load_project()
    forge = project.settings.forge.model_copy(update={"max_pairs": limit})
    settings = project.settings.model_copy(update={"forge": forge})
    house = House(Project(root=project.root, settings=settings))
    house.rescanner = FakeRescanner({"checkov": CHECKOV})  # type: ignore[method-assign]
    empty = {"problems.parquet": to_parquet([], PROBLEMS), "places.json": b"[]"}
    house.store.publish("problems", empty, counts={}, origin=NOWHERE)
    return house


@pytest.mark.usefixtures("home")
def test_what_was_made_is_kept_until_the_settings_change() -> None:
    house, said = furnished(120), list[str]()
    manifest, reused = make_pairs(house, said.append)
    pairs = read_pairs(house)
    assert not reused and said
    assert manifest.counts["pairs"] == len(pairs) > 0
    assert {pair.origin for pair in pairs} == {"seed"}
    assert manifest.counts["dropped"] == sum(read_dropped(house).values()) > 0
    assert make_pairs(furnished(120), said.append) == (manifest, True)
    fewer, reused = make_pairs(furnished(60), said.append)
    assert not reused and fewer.counts["pairs"] < len(pairs)


def test_the_ui_shows_kinds_reasons_and_an_example_and_the_checks_judge(home: Path) -> None:
    house = furnished(120)
    result = dg.materialize(
        [forge_pairs, forge_pairs_checks], resources={"house": house}, raise_on_error=False
    )
    assert result.success
    (made,) = result.get_asset_materialization_events()
    shown = made.materialization.metadata
    for name in ("by_kind", "by_language", "dropped"):
        assert str(shown[name].value).startswith("**")
    assert str(shown["example"].value).startswith("```diff\n")
    assert str(home) not in repr(shown)
    checks = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert checks["proven"].passed and checks["licence"].passed
    assert not checks["kinds"].passed, "three kinds are fewer than the eight asked for"
    assert checks["kinds"].severity is dg.AssetCheckSeverity.WARN
