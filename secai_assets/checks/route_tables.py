"""Does every route belong to a service and to a file of the commit?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.raw_scans import read_run
from secai_assets.assets.route_tables import read_routes, route_tables
from secai_assets.checks.wear import wear, worst_of
from secai_assets.partitions import scan_run
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.quality.contexts import routes_inside


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "routes_inside",
            asset=route_tables,
            blocking=True,
            partitions_def=scan_run,
            description="Every route is declared in a file of the scanned commit.",
        )
    ],
    can_subset=True,
)
def route_tables_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge every partition of the step."""

    def judge(key: str) -> list[Verdict]:
        request = read_run(house, key).request
        here = house.source.has(request.repository, request.commit)
        files = house.source.files(request.repository, request.commit).paths() if here else ()
        declared = {route.path for route in read_routes(house, key).routes}
        return [routes_inside(declared - set(files), house.settings.quality)]

    verdicts = worst_of(context.partition_keys, judge)
    yield from wear(context, verdicts, asset="route_tables")
