"""May the data set of Stage 2 be trained on, and does every row follow from a proof?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.stage1_dataset import read_rows as read_rows_of_stage1
from secai_assets.assets.stage2_dataset import (
    NAME,
    read_certificates,
    read_rows,
    read_windows,
    stage2_dataset,
)
from secai_assets.checks.wear import wear
from secai_assets.dataset_views import WARNINGS, dataset_check_specs, dataset_verdicts
from secai_assets.repairs import read_repairs
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.datasets.repair import doubt
from secai_lib.quality.stage2_dataset import certificates, no_leak_across

REPLAY = dg.AssetCheckSpec(
    "certificates",
    asset=stage2_dataset,
    blocking=True,
    description="Every answer leads to the file that a certificate proves: the hashes, edits and "
    "checks are compared and the answer is applied. `secai verify` runs the scanners again.",
)


ACROSS = dg.AssetCheckSpec(
    "no_leak_across",
    asset=stage2_dataset,
    blocking=True,
    description="No file, problem or near-duplicate of a part of Stage 1 is in another part of "
    "Stage 2.",
)


@dg.multi_asset_check(specs=[REPLAY, ACROSS, *dataset_check_specs(stage2_dataset)], can_subset=True)
def stage2_dataset_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every row, every pair of rows of different parts, and every proof."""
    verdicts = [replayed(house), across(house), *dataset_verdicts(house, NAME)]
    yield from wear(context, verdicts, asset=NAME, warnings=WARNINGS)


def across(house: House) -> Verdict:
    """The rows of both stages against each other."""
    settings, limits = house.settings.datasets, house.settings.quality
    return no_leak_across(read_rows_of_stage1(house), read_rows(house), settings, limits)


def replayed(house: House) -> Verdict:
    """Every stored row against its certificate, its weak file and its window."""
    stored = read_certificates(house)
    windows = read_windows(house)
    repairs = {
        repair.fix.id: repair
        for repair in read_repairs(house)
        if stored.get(repair.fix.id) == repair.fix.certificate
    }
    doubts = {}
    for row in read_rows(house):
        key = row.metadata.certificate
        doubts[row.id] = doubt(row, windows.get(key), repairs.get(key))
    return certificates(doubts, house.settings.quality)
