"""Which handler answers which URL, per scanned commit."""

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.raw_scans import raw_scans, read_run
from secai_assets.partitions import each_partition, scan_run
from secai_assets.resources.house import House
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.gateways.code_version import code_version
from secai_lib.route_mapping import RouteTable, route_table


@dg.asset(
    deps=[raw_scans],
    partitions_def=scan_run,
    group_name="ingest",
    kinds={"treesitter", "json"},
    owners=["team:secai"],
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def route_tables(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The HTTP routes of the scanned commit by service, read from its syntax trees."""

    def make(key: str) -> dict[str, dg.MetadataValue]:
        manifest, reused = map_routes(house, key)
        routes = read_routes(house, key).routes
        return metadata.of_manifest(manifest, reused=reused) | {
            "routes_table": metadata.table(
                [
                    {
                        "service": r.service,
                        "method": r.method,
                        "pattern": r.pattern,
                        "file": r.path,
                        "line": r.line,
                    }
                    for r in routes
                ]
            )
        }

    return each_partition(context, make)


def map_routes(house: House, key: str) -> tuple[Manifest, bool]:
    """The manifest of the route table of `key`, and whether what was there could be kept."""
    request = read_run(house, key).request
    here = house.source.has(request.repository, request.commit)
    origin = Origin(
        inputs={"commit": request.commit, "source": "here" if here else "absent"},
        settings=content_hash(house.settings.limits.source_file_bytes),
        code_version=code_version("route_mapping", "gateways/source", "gateways/commit_files"),
    )
    if kept := house.store.reusable("route_tables", key, origin=origin):
        return kept, True
    routes = (
        route_table(house.source.files(request.repository, request.commit))
        if here
        else RouteTable()
    )
    counts = {"services": len(routes.services), "routes": len(routes.routes)}
    data = {"routes.json": canonical_json(routes).encode()}
    return house.store.publish("route_tables", data, key=key, counts=counts, origin=origin), False


def read_routes(house: House, key: str) -> RouteTable:
    """The route table of the scan run `key`."""
    return RouteTable.model_validate_json(house.store.read("route_tables", "routes.json", key))
