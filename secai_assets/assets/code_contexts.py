"""The code round every finding, at the scanned commit."""

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.findings import findings, read_findings
from secai_assets.assets.raw_scans import read_run
from secai_assets.assets.route_tables import read_routes, route_tables
from secai_assets.partitions import each_partition, scan_run
from secai_assets.resources.house import House
from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import Finding, UrlLocation
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import content_hash
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import CONTEXTS
from secai_lib.gateways.tables import from_parquet, to_parquet
from secai_lib.route_mapping import RouteTable, match_url


@dg.asset(
    deps=[findings, route_tables],
    partitions_def=scan_run,
    group_name="ingest",
    kinds={"treesitter", "parquet"},
    owners=["team:secai"],
    backfill_policy=dg.BackfillPolicy.single_run(),
    metadata={"dagster/column_schema": metadata.column_schema(CONTEXTS, CodeContext)},
)
def code_contexts(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The code round every finding: its whole range, function, class, imports, or its handler.

    Read through git at the scanned commit, never from a working tree. Where the source is not
    here the context says so.
    """

    def make(key: str) -> dict[str, dg.MetadataValue]:
        manifest, reused = find_code(house, key)
        found = read_contexts(house, key)
        return metadata.of_manifest(manifest, reused=reused) | {
            "dagster/partition_row_count": dg.MetadataValue.int(len(found)),
            "by_status": metadata.bars(
                "Contexts by status", metadata.count_by(c.status.value for c in found)
            ),
            "examples": metadata.table(
                [
                    {
                        "path": c.path,
                        "lines": f"{c.start_line}-{c.end_line}",
                        "function": c.function.name if c.function else "",
                        "status": c.status.value,
                        "reason": c.reason,
                    }
                    for c in found
                    if c.path
                ]
            ),
            "urls": metadata.table(
                [
                    {
                        "url": c.route.mapped_from,
                        "route": f"{c.route.method} {c.route.pattern}",
                        "file": f"{c.route.path}:{c.route.line}" if c.route.path else "",
                        "reason": c.route.reason,
                    }
                    for c in found
                    if c.route
                ]
            ),
        }

    return each_partition(context, make)


def find_code(house: House, key: str) -> tuple[Manifest, bool]:
    """The manifest of the contexts of `key`, and whether what was there could be kept."""
    request = read_run(house, key).request
    here = house.source.has(request.repository, request.commit)
    found, routes = read_findings(house, key), read_routes(house, key)
    origin = Origin(
        inputs={
            "findings": content_hash(found),
            "route_tables": content_hash(routes),
            "source": "here" if here else "absent",
        },
        settings=content_hash(house.settings.contexts, house.settings.limits.source_file_bytes),
        code_version=code_version(
            "code_context", "route_mapping", "gateways/source", "gateways/commit_files"
        ),
    )
    if kept := house.store.reusable("code_contexts", key, origin=origin):
        return kept, True
    files = house.source.files(request.repository, request.commit) if here else None
    wanted = house.settings.contexts
    made = contexts(found, files, context_lines=wanted.lines, max_lines=wanted.max_lines)
    made = [_with_route(c, f, routes, here=here) for c, f in zip(made, found, strict=True)]
    paths = set(files.paths()) if files else set()
    counts = {status.value: sum(c.status is status for c in made) for status in ContextStatus}
    counts |= {
        "contexts": len(made),
        "in_function": sum(c.function is not None for c in made),
        "outside": sum(bool(c.snippet) and c.path not in paths for c in made),
        "urls_mapped": sum(c.route is not None and not c.route.reason for c in made),
    }
    data = {"contexts.parquet": to_parquet(made, CONTEXTS, run=key)}
    return house.store.publish("code_contexts", data, key=key, counts=counts, origin=origin), False


def read_contexts(house: House, key: str) -> list[CodeContext]:
    """The contexts of the scan run `key`, in the order of its findings."""
    return from_parquet(house.store.read("code_contexts", "contexts.parquet", key), CodeContext)


def read_all_contexts(house: House) -> dict[tuple[str, str], CodeContext]:
    """Scan run and fingerprint -> the code of the finding, of all scan runs."""
    return {
        (key, context.fingerprint): context
        for key in house.store.keys("code_contexts")
        for context in read_contexts(house, key)
    }


def _with_route(
    context: CodeContext, finding: Finding, routes: RouteTable, *, here: bool
) -> CodeContext:
    """`context` with the handler of the first of the finding's URLs that has one."""
    places = [place for place in finding.result.locations if isinstance(place, UrlLocation)]
    if not places or not here:
        return context
    matches = [match_url(routes, place.url, place.method) for place in places]
    return context.model_copy(
        update={"route": next((m for m in matches if not m.reason), matches[0])}
    )
