"""What the user gets: a patch, a comment, SARIF with fixes and one HTML page per branch."""

import json
from functools import reduce

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.code_contexts import read_contexts
from secai_assets.assets.findings import read_covered_run, read_findings, read_skipped
from secai_assets.assets.fixes import (
    Place,
    fixes,
    newest_commit,
    places,
    read_abstentions,
    read_fixes,
)
from secai_assets.assets.problems import accepted_runs, problems, read_problems, read_triage
from secai_assets.automation import when_parents_are_good
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.problem import ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.gateways.code_version import code_version
from secai_lib.report.build import build_report
from secai_lib.report.model import RepositoryReport
from secai_lib.report.render import render


@dg.asset(
    deps=[problems, fixes],
    group_name="corpus",
    kinds={"html", "sarif"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
)
def report(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Per repository and branch: `report.html`, `comment.md`, `fixes.patch`, `fixes.sarif`."""
    manifests, all_reused = {}, True
    for place in places(house):
        with explained():
            manifests[place.key], reused = write_report(house, place)
        all_reused = all_reused and reused
        context.log.info(f"report of {place.key}: {'kept' if reused else 'written'}")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash({k: m.files for k, m in manifests.items()})),
        metadata={
            "reused": dg.MetadataValue.bool(all_reused),
            "reports": metadata.table(
                [
                    {"place": key, "folder": f"data/report/{key}/current", **manifest.counts}
                    for key, manifest in manifests.items()
                ]
            ),
            **{
                f"comment {key}": dg.MetadataValue.md(
                    house.store.read("report", "comment.md", key).decode()[:20_000]
                )
                for key in list(manifests)[:3]
            },
        },
    )


def gather(house: House, place: Place) -> RepositoryReport:
    """Everything the pages of `place` show."""
    mine = [p for p in read_problems(house) if Place(p.repository, p.branch) == place]
    still_open = [p for p in mine if p.state is ProblemState.OPEN]
    runs = _newest_runs(house, place)
    keys = [run.key for run in runs]
    counts = [m.counts for key in keys if (m := house.store.manifest("findings", key))]
    return build_report(
        repository=place.repository,
        commit=newest_commit(still_open) or (runs[-1].request.commit if runs else ""),
        branch=place.branch,
        scans=runs,
        raw_results=sum(count["raw_results"] for count in counts),
        findings=[f for key in keys for f in read_findings(house, key)],
        skipped=[s for key in keys for s in read_skipped(house, key)],
        contexts=[c for key in keys for c in read_contexts(house, key)],
        problems=still_open,
        triage=read_triage(house),
        fixes=read_fixes(house, place),
        abstentions=read_abstentions(house, place),
        patch=house.store.read("fixes", "fixes.patch", place.key).decode(),
        left_out=json.loads(house.store.read("fixes", "left_out.json", place.key)),
    )


def write_report(house: House, place: Place) -> tuple[Manifest, bool]:
    """The manifest of the report of `place`, and whether what was there could be kept."""
    gathered = gather(house, place)
    origin = Origin(
        inputs={"report": content_hash(gathered)},
        settings=content_hash(""),
        code_version=code_version("report"),
    )
    if kept := house.store.reusable("report", place.key, origin=origin):
        return kept, True
    paths = sorted({edit.path for fix in gathered.fixes for edit in fix.proposal.edits})
    here = house.source.has(place.repository, gathered.commit)
    source = house.source.files(place.repository, gathered.commit) if here else None
    texts = {path: source.read(path) or "" for path in paths} if source else {}
    files = render(gathered, texts)
    for fix in gathered.fixes:
        files[gathered.certificate(fix)] = canonical_json(fix.certificate).encode()
    counts = {
        "problems": len(gathered.problems),
        "fixes": len(gathered.fixes),
        "largest_bytes": reduce(max, (len(data) for data in files.values()), 0),
    }
    return house.store.publish("report", files, key=place.key, counts=counts, origin=origin), False


def _newest_runs(house: House, place: Place) -> list[ScanRun]:
    """The runs that speak for `place` now: per scanner the newest in which it ran, oldest first."""
    runs = [read_covered_run(house, key) for key in accepted_runs(house)[0]]
    mine = sorted(
        (r for r in runs if Place(r.request.repository, r.request.branch) == place),
        key=lambda r: (r.request.created_at, r.key),
    )
    speaking = {tool.tool: run.key for run in mine for tool in run.tools if tool.status == "ran"}
    return [run for run in mine if run.key in speaking.values()] or mine[-1:]
