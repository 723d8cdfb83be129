"""Can the report be used?"""

import json
from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.fixes import places
from secai_assets.assets.report import report
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.quality.report import sarif_valid, size
from secai_lib.report.sarif_check import sarif_problems


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "sarif_valid",
            asset=report,
            blocking=True,
            description="The SARIF files obey the specification where consumers rely on it.",
        ),
        dg.AssetCheckSpec(
            "size", asset=report, description="No file of the report is too large to open."
        ),
    ],
    can_subset=True,
)
def report_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the files of every repository."""
    keys = [place.key for place in places(house)]
    broken = [
        f"{key}: {problem}"
        for key in keys
        for problem in sarif_problems(json.loads(house.store.read("report", "fixes.sarif", key)))
    ]
    largest = max(
        (house.store.require("report", key).counts["largest_bytes"] for key in keys), default=0
    )
    verdicts = (sarif_valid(broken), size(largest, house.settings.quality))
    yield from wear(context, verdicts, asset="report", warnings=frozenset({"size"}))
