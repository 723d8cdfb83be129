"""All scan runs together: what is wrong with a repository, each thing once."""

import json

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.code_contexts import code_contexts
from secai_assets.assets.findings import findings, read_covered_run, read_findings
from secai_assets.automation import when_parents_are_good
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.core.finding import Finding
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import PROBLEMS
from secai_lib.gateways.tables import from_parquet, to_parquet
from secai_lib.gateways.warehouse import build_warehouse
from secai_lib.problems import build_problems
from secai_lib.quality.problems import acceptable


@dg.asset(
    deps=[findings, code_contexts],
    group_name="corpus",
    kinds={"duckdb", "parquet"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
    metadata={"dagster/column_schema": metadata.column_schema(PROBLEMS, Problem)},
)
def problems(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Every problem of every repository and branch: findings joined across runs and scanners.

    Also builds `warehouse.duckdb`, all tables for SQL. Scan runs whose own blocking checks fail
    are left out and named.
    """
    with explained():
        manifest, reused = join_runs(house)
    found = read_problems(house)
    still_open = [p for p in found if p.state is ProblemState.OPEN]
    rows = [
        {
            "severity": p.severity.value,
            "title": p.title,
            "tools": p.tools,
            "category": p.category.value,
            "repository": p.repository,
            "since": p.first_seen.date().isoformat(),
        }
        for p in sorted(still_open, key=lambda p: (p.severity.rank, p.id))
    ]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=reused)
        | {
            "dagster/row_count": dg.MetadataValue.int(len(found)),
            "by_category": metadata.bars(
                "Open problems by category", metadata.count_by(p.category.value for p in still_open)
            ),
            "by_severity": metadata.bars(
                "Open problems by severity", metadata.count_by(p.severity.value for p in still_open)
            ),
            "worst": metadata.table(rows),
            "quarantined_runs": dg.MetadataValue.json(accepted_runs(house)[1]),
        },
    )


def accepted_runs(house: House) -> tuple[list[str], list[str]]:
    """Keys of the scan runs in the corpus, and of those left out, both sorted."""
    quality = house.settings.quality
    good: list[str] = []
    bad: list[str] = []
    for key in house.store.keys("findings"):
        manifest = house.store.manifest("findings", key)
        accepted = manifest is not None and acceptable(manifest.counts, quality)
        (good if accepted else bad).append(key)
    return good, bad


def join_runs(house: House) -> tuple[Manifest, bool]:
    """The manifest of the problems, and whether what was there could be kept."""
    good, bad = accepted_runs(house)
    parts = {
        f"{product}/{key}": content_hash(manifest.files)
        for key in good
        for product in ("findings", "code_contexts")
        if (manifest := house.store.manifest(product, key))
    }
    origin = Origin(
        inputs={"runs": content_hash(parts), "quarantined": content_hash(bad)},
        settings=content_hash(house.settings.quality),
        code_version=code_version("problems", "gateways/warehouse", "gateways/columns"),
    )
    kept = house.store.reusable("problems", origin=origin)
    if kept and house.store.has_warehouse():
        return kept, True
    runs = [read_covered_run(house, key) for key in good]
    found = [finding for key in good for finding in read_findings(house, key)]
    joined = build_problems(runs, found)
    matched = {fingerprint for problem in joined for fingerprint in problem.fingerprints}
    counts = {
        "runs": len(runs),
        "quarantined": len(bad),
        "findings": len(found),
        "problems": len(joined),
        "open": sum(p.state is ProblemState.OPEN for p in joined),
        "unmatched": _unmatched(runs, found, matched),
        "joined_across_tools": sum(len(p.tools) > 1 for p in joined),
    }
    table = to_parquet(joined, PROBLEMS)
    build_warehouse(house.store, runs, table)
    places = sorted({(run.request.repository, run.request.branch) for run in runs})
    files = {"problems.parquet": table, "places.json": canonical_json(places).encode()}
    return house.store.publish("problems", files, counts=counts, origin=origin), False


def read_problems(house: House) -> list[Problem]:
    """Every problem, sorted by repository, branch and id."""
    return from_parquet(house.store.read("problems", "problems.parquet"), Problem)


def read_places(house: House) -> list[tuple[str, str]]:
    """Repository and branch of every accepted scan run, also of those without a problem."""
    return [tuple(place) for place in json.loads(house.store.read("problems", "places.json"))]


def _unmatched(runs: list[ScanRun], found: list[Finding], matched: set[str]) -> int:
    """Findings of each place's newest run that are in no problem."""
    newest = {
        (run.request.repository, run.request.branch): run.key
        for run in sorted(runs, key=lambda r: (r.request.created_at, r.key))
    }
    return sum(f.fingerprint not in matched for f in found if f.run in newest.values())
