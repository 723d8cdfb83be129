"""Proposals, proofs and patches, one set per repository and branch."""

from collections.abc import Callable
from typing import NamedTuple

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.code_contexts import code_contexts
from secai_assets.assets.findings import read_findings
from secai_assets.assets.problems import problems, read_places, read_problems
from secai_assets.assets.raw_scans import DOORS
from secai_assets.automation import when_parents_are_good
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.code_context import Secrets
from secai_lib.core.finding import Finding
from secai_lib.core.fix import Abstention, Certificate, Fix, Proposal
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan_keys import place_key
from secai_lib.fixes.prove import FixOutcome, make_fixes
from secai_lib.fixes.rules import rules
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import ABSTENTIONS, FIXES
from secai_lib.gateways.tables import from_parquet, to_parquet

Say = Callable[[str], None]


class Place(NamedTuple):
    """One branch of one repository."""

    repository: str
    branch: str

    @property
    def key(self) -> str:
        """Its folder name."""
        return place_key(self.repository, self.branch)


@dg.asset(
    deps=[problems, code_contexts],
    group_name="corpus",
    kinds={"python", "parquet"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
    metadata={"dagster/column_schema": metadata.column_schema(FIXES, Fix, Proposal, Certificate)},
)
def fixes(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Fixes with a certificate for open problems, and a reason for every problem without one.

    Each fix is proven: the scanner that found the problem runs again on the fixed file and no
    longer does, in the same run in which it still finds it in the unfixed one, and no scanner
    reports anything new. `secai verify` replays a certificate.
    """
    manifests, all_reused = {}, True
    for place in places(house):
        with explained():
            manifests[place.key], reused = fix_place(house, place, context.log.info)
        all_reused = all_reused and reused
    offered = [fix for place in places(house) for fix in read_fixes(house, place)]
    silent = [a for place in places(house) for a in read_abstentions(house, place)]
    total = {
        name: sum(manifest.counts[name] for manifest in manifests.values())
        for name in ("open", "fixed", "offered", "in_patch", "abstained")
    }
    rows = [
        {
            "kind": fix.proposal.kind,
            "title": fix.proposal.title,
            "proof": fix.certificate.method.value,
            "scanner": fix.certificate.finding.tool,
            "files": tuple(sorted({edit.path for edit in fix.proposal.edits})),
            "in_patch": fix.in_patch,
        }
        for fix in offered
    ]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash({k: m.files for k, m in manifests.items()})),
        metadata={name: dg.MetadataValue.int(value) for name, value in total.items()}
        | {
            "reused": dg.MetadataValue.bool(all_reused),
            "dagster/row_count": dg.MetadataValue.int(len(offered)),
            "by_kind": metadata.bars(
                "Proven fixes by kind", metadata.count_by(f.proposal.kind for f in offered)
            ),
            "by_proof": metadata.bars(
                "Proven fixes by proof",
                metadata.count_by(f.certificate.method.value for f in offered),
            ),
            "why_not": metadata.bars(
                "Problems without a fix, by reason",
                metadata.count_by(a.reason_code for a in silent),
            ),
            "fixes": metadata.table(rows),
            "example": dg.MetadataValue.md(
                f"```diff\n{offered[0].diff}\n```" if offered else "none"
            ),
        },
    )


def places(house: House) -> list[Place]:
    """Every branch of every repository that was scanned, sorted; one without a problem too."""
    return [Place(*place) for place in read_places(house)]


def fix_place(house: House, place: Place, say: Say) -> tuple[Manifest, bool]:
    """The manifest of the fixes of `place`, and whether what was there could be kept."""
    mine = [p for p in read_problems(house) if Place(p.repository, p.branch) == place]
    still_open = [p for p in mine if p.state is ProblemState.OPEN]
    commit = newest_commit(still_open)
    here = bool(commit) and house.source.has(place.repository, commit)
    pins = house.action_pins
    origin = Origin(
        inputs={
            "problems": content_hash(still_open),
            "commit": commit,
            "source": "here" if here else "absent",
            "scanners": house.scanner_state(house.settings.scanners.enabled),
        },
        settings=content_hash(house.settings.limits.source_file_bytes, pins),
        code_version=code_version("fixes", "parsers", "code_context", "gateways/rescan", *DOORS),
    )
    if kept := house.store.reusable("fixes", place.key, origin=origin):
        return kept, True
    current = [p for p in still_open if p.commit == commit]
    silent = [_stale(p) for p in still_open if p.commit != commit]
    found = open_findings(house, still_open)
    if here:
        files = house.source.files(place.repository, commit, exact=True)
        outcome = make_fixes(
            current,
            found,
            files,
            house.rescanner,
            repository=place.repository,
            commit=commit,
            rules=rules(pins),
            secrets=Secrets(found, files),
            on_progress=lambda what, done, total: _say(say, what, done, total),
        )
    else:
        outcome = nothing_tried([_no_source(problem) for problem in current])
    return house.store.publish(
        "fixes",
        _files(outcome, [*outcome.abstentions, *silent]),
        key=place.key,
        counts={
            "open": len(still_open),
            "fixed": len({fix.problem for fix in outcome.fixes}),
            "offered": len(outcome.fixes),
            "in_patch": sum(fix.in_patch for fix in outcome.fixes),
            "abstained": len(outcome.abstentions) + len(silent),
        },
        origin=origin,
    ), False


def read_fixes(house: House, place: Place) -> list[Fix]:
    """The offered fixes of `place`."""
    return from_parquet(house.store.read("fixes", "fixes.parquet", place.key), Fix)


def read_abstentions(house: House, place: Place) -> list[Abstention]:
    """Why the other problems of `place` have none."""
    return from_parquet(house.store.read("fixes", "abstentions.parquet", place.key), Abstention)


def open_findings(house: House, still_open: list[Problem]) -> list[Finding]:
    """The findings of `still_open`, each from the newest run that shows it."""
    wanted = {fingerprint for problem in still_open for fingerprint in problem.fingerprints}
    runs = sorted({problem.run for problem in still_open})
    found: dict[str, Finding] = {}
    for key in house.store.keys("findings"):
        newest = key in runs
        for finding in read_findings(house, key):
            if finding.fingerprint in wanted and (newest or finding.fingerprint not in found):
                found[finding.fingerprint] = finding
    return [found[fingerprint] for fingerprint in sorted(found)]


def newest_commit(still_open: list[Problem]) -> str:
    """The commit of the newest run that shows an open problem; empty when there is none."""
    newest = max(still_open, key=lambda p: (p.last_seen, p.run), default=None)
    return newest.commit if newest else ""


def nothing_tried(abstentions: list[Abstention]) -> FixOutcome:
    """The outcome where no fix could even be proposed."""
    return FixOutcome(
        fixes=(),
        abstentions=tuple(abstentions),
        attempts=(),
        combined={},
        patch="",
        left_out={},
        scanners=(),
    )


def _say(say: Say, what: str, done: int, total: int) -> None:
    """A line at the start of each stage; single proposals would only flood the log."""
    if done == 0:
        say(f"{what} ({total})")


def _files(outcome: FixOutcome, silent: list[Abstention]) -> dict[str, bytes]:
    files = {
        "fixes.parquet": to_parquet(list(outcome.fixes), FIXES),
        "abstentions.parquet": to_parquet(silent, ABSTENTIONS),
        "attempts.parquet": to_parquet(list(outcome.attempts), FIXES),
        "fixes.patch": outcome.patch.encode(),
        "left_out.json": canonical_json(outcome.left_out).encode(),
    }
    for fix in outcome.fixes:
        files[f"certificates/{fix.id}.json"] = canonical_json(fix.certificate).encode()
    return files


def _stale(problem: Problem) -> Abstention:
    return Abstention(
        problem=problem.id,
        reason_code="older_commit",
        reason="Its scanner last ran at an older commit: scan the newest one with it again.",
    )


def _no_source(problem: Problem) -> Abstention:
    return Abstention(
        problem=problem.id,
        reason_code="no_source",
        reason="The scanned commit is not on this machine: run `secai scan` on a checkout of it.",
    )
