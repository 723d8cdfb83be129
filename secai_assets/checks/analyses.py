"""Does every reading fit its schema and stay with the evidence?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.analyses import analyses, read_analyses
from secai_assets.assets.fixes import places
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.analysis.grounding import names_nothing_new
from secai_lib.analysis.schema import reading_fits
from secai_lib.quality.analyses import abstention, grounded, schema_valid


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "schema_valid",
            asset=analyses,
            blocking=True,
            description="Every reading fits the schema it was written to.",
        ),
        dg.AssetCheckSpec(
            "grounded",
            asset=analyses,
            blocking=True,
            description="No reading names an identifier that is not in its finding.",
        ),
        dg.AssetCheckSpec(
            "abstention",
            asset=analyses,
            description="The share of asked problems without a reading.",
        ),
    ],
    can_subset=True,
)
def analyses_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every analysis of every repository."""
    quality, tokens = house.settings.quality, house.settings.analyses.answer_tokens
    asked = [analysis for place in places(house) for analysis in read_analyses(house, place)]
    readings = {analysis.problem: analysis.reading for analysis in asked if analysis.reading}
    broken = [p for p, reading in readings.items() if not reading_fits(reading, tokens)]
    inventing = [analysis.problem for analysis in asked if not names_nothing_new(analysis)]
    verdicts = (
        schema_valid(len(readings), broken, quality),
        grounded(len(readings), inventing, quality),
        abstention(len(asked), len(readings), quality),
    )
    yield from wear(context, verdicts, asset="analyses", warnings=frozenset({"abstention"}))
