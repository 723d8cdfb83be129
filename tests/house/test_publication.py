"""The gate through the real web server: what the UI starts is judged as what the shell starts."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)

from secai_assets.dataset_views import CHECKS
from tests.house.kit import BIN, MODELS, Web, free_port, started, wait_until

pytestmark = pytest.mark.slow
TARGET = "published_dataset"
OFF = "stage1_dataset"
"""The parent that the tests meddle with: its checks take seconds, and nothing is made again."""


class Dev(NamedTuple):
    """A running `dagster dev` on a home in which the whole demo ended."""

    web: Web
    home: Path


@pytest.fixture
def dev(own: Path, tmp_path: Path) -> Iterator[Dev]:
    port = free_port()
    argv = [str(BIN / "secai"), "up", "--port", str(port)]
    with started(argv, own, tmp_path / "dev.log", SECAI_MODELS_DIR=str(MODELS)):
        web = Web(port)
        wait_until("the code location", web.loaded)
        yield Dev(web, own)


def published_alone(dev: Dev) -> tuple[str | None, str]:
    """How a run of nothing but the publication ends, and why."""
    run = dev.web.launch("__ASSET_JOB", assets=[TARGET], checks=[])
    ended = wait_until("the run", lambda: dev.web.ended(run))
    return ended, str(dev.web.why(run))


def written(home: Path) -> dict[str, bytes]:
    root = home / "publications"
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.json*"))}


def made_again(dev: Dev) -> None:
    """The parent is materialized by somebody who does not run its checks."""
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(OFF))


def found_bad(dev: Dev) -> None:
    """A check of the parent fails on what is there now."""
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        (newest,) = instance.fetch_materializations(dg.AssetKey(OFF), limit=1).records
        seen = AssetCheckEvaluationTargetMaterializationData(
            storage_id=newest.storage_id, run_id=newest.run_id, timestamp=newest.timestamp
        )
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(OFF),
                check_name="no_leak",
                passed=False,
                metadata={},
                target_materialization_data=seen,
                severity=dg.AssetCheckSeverity.ERROR,
                description="planted",
            )
        )


def checked_alone(dev: Dev) -> None:
    """Run the checks of the meddled parent from the UI."""
    run = dev.web.launch("__ASSET_JOB", assets=[], checks=[(OFF, name) for name in CHECKS])
    assert wait_until("the checks", lambda: dev.web.ended(run)) == "SUCCESS", dev.web.why(run)


def test_publishing_alone_from_the_ui_passes_the_same_gate(dev: Dev) -> None:
    """Stale, failed, passed again: the same data sets, judged anew every time."""
    before = written(dev.home)
    assert before, "the demo has written a candidate or a release"
    ended, why = published_alone(dev)
    assert ended == "SUCCESS", why
    assert written(dev.home) == before, "unchanged: the same bytes"

    made_again(dev)
    ended, why = published_alone(dev)
    assert ended == "FAILURE" and "older than the newest materialization" in why

    checked_alone(dev)
    assert published_alone(dev)[0] == "SUCCESS"

    found_bad(dev)
    ended, why = published_alone(dev)
    assert ended == "FAILURE" and f"{OFF}.no_leak: planted" in why
    assert written(dev.home) == before, "nothing was written by what was refused"

    checked_alone(dev)
    assert published_alone(dev)[0] == "SUCCESS"


def test_a_parent_whose_checks_never_ran_refuses(dev: Dev) -> None:
    """As after a restored home: products are there, and Dagster knows nothing of their checks."""
    before = written(dev.home)
    with dg.DagsterInstance.from_config(str(dev.home / "dagster")) as instance:
        instance.wipe_assets([dg.AssetKey(OFF)])
    ended, why = published_alone(dev)
    assert ended == "FAILURE" and f"{OFF}." in why and "never" in why
    assert written(dev.home) == before
