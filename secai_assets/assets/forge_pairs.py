"""Weaknesses put into clean files, with the fix that is known to be true."""

from collections.abc import Callable
from typing import NamedTuple

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.fixes import (
    Place,
    fixes,
    newest_commit,
    open_findings,
    places,
    read_fixes,
)
from secai_assets.assets.problems import problems, read_problems
from secai_assets.assets.raw_scans import DOORS
from secai_assets.automation import when_parents_are_good
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.code_context import Secrets
from secai_lib.core.finding import Finding, Result
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.training import ForgedPair
from secai_lib.findings.categories import category_of
from secai_lib.findings.fingerprints import fingerprints
from secai_lib.fixes.clean import SEED, CleanFile, clean_files
from secai_lib.fixes.forge import Forged, forge
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import FORGED_PAIRS
from secai_lib.gateways.seeds import LICENCE, read_seeds
from secai_lib.gateways.tables import from_parquet, to_parquet

Say = Callable[[str], None]
RUN = "forge"
"""What the findings of forged files name instead of a scan run."""


class Source(NamedTuple):
    """A repository whose files may be used, at the newest commit that is here."""

    place: Place
    commit: str
    fixes: str
    """Content hash of its fixes."""


@dg.asset(
    deps=[problems, fixes],
    group_name="datasets",
    kinds={"python", "parquet"},
    owners=["team:secai"],
    automation_condition=when_parents_are_good(),
    metadata={"dagster/column_schema": metadata.column_schema(FORGED_PAIRS, ForgedPair)},
)
def forge_pairs(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """Pairs of a weak file and the edit that mends it, each proven by the scanners.

    The inverse of a fix rule puts a weakness into a clean file: one of our own seed files, or a
    file of a scanned repository after its fixes. A scanner has to report the weakness there and
    not in the clean file, and the way back has to pass every check of a real fix.
    """
    with explained():
        manifest, reused = make_pairs(house, context.log.info)
        pairs = read_pairs(house)
    rows = [
        {
            "kind": pair.kind,
            "origin": pair.origin,
            "path": pair.path,
            "rule": f"{pair.finding.result.tool}:{pair.finding.result.rule_id}",
            "fix": pair.fix.proposal.title,
            "licence": pair.licence,
        }
        for pair in pairs
    ]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=reused)
        | {
            "dagster/row_count": dg.MetadataValue.int(len(pairs)),
            "by_kind": metadata.bars(
                "Forged pairs by kind", metadata.count_by(pair.kind for pair in pairs)
            ),
            "by_language": metadata.bars(
                "Forged pairs by language", metadata.count_by(pair.language for pair in pairs)
            ),
            "by_origin": metadata.bars(
                "Forged pairs by origin", metadata.count_by(pair.origin for pair in pairs)
            ),
            "dropped": metadata.bars("Variants without a proof, by reason", read_dropped(house)),
            "pairs": metadata.table(rows),
            "example": dg.MetadataValue.md(_example(pairs)),
        },
    )


def make_pairs(house: House, say: Say) -> tuple[Manifest, bool]:
    """The manifest of the pairs in force, and whether those that were there could be kept."""
    settings, seeds = house.settings.forge, read_seeds()
    sources = _sources(house)
    origin = Origin(
        inputs={
            "seeds": content_hash(seeds),
            "fixes": content_hash(sources),
            "scanners": house.scanner_state(house.settings.scanners.enabled),
        },
        settings=content_hash(settings, house.settings.limits.source_file_bytes),
        code_version=code_version(
            "fixes", "parsers", "findings", "code_context", "gateways/rescan", *DOORS
        ),
    )
    if kept := house.store.reusable("forge_pairs", origin=origin):
        return kept, True
    clean = [
        CleanFile(origin=SEED, licence=LICENCE, path=path, text=text)
        for path, text in seeds.items()
    ]
    clean += [file for source in sources for file in _files(house, source)]
    say(f"{len(clean)} clean files, {len(seeds)} of them our own")
    made = forge(
        clean,
        house.rescanner,
        _identified,
        settings,
        on_progress=lambda what, done, total: say(f"{what} ({done} of {total})"),
    )
    return house.store.publish(
        "forge_pairs",
        {
            "pairs.parquet": to_parquet(list(made.pairs), FORGED_PAIRS),
            "dropped.json": canonical_json(Forged(pairs=(), dropped=made.dropped)).encode(),
        },
        counts={
            "pairs": len(made.pairs),
            "kinds": len({pair.kind for pair in made.pairs}),
            "clean_files": len(clean),
            "dropped": sum(made.dropped.values()),
            "unknown_licence": sum(pair.licence == "unknown" for pair in made.pairs),
        },
        origin=origin,
    ), False


def read_pairs(house: House) -> list[ForgedPair]:
    """The proven pairs, sorted by kind and id."""
    return from_parquet(house.store.read("forge_pairs", "pairs.parquet"), ForgedPair)


def read_dropped(house: House) -> dict[str, int]:
    """Reason -> how many variants became no pair."""
    data = house.store.read("forge_pairs", "dropped.json")
    return dict(Forged.model_validate_json(data).dropped)


def _sources(house: House) -> list[Source]:
    """Every branch whose newest commit is on this machine; the same commit only once."""
    found: dict[tuple[str, str], Source] = {}
    for place in places(house):
        commit = newest_commit(_still_open(house, place))
        if commit and house.source.has(place.repository, commit):
            version = content_hash(house.store.require("fixes", place.key).files)
            found.setdefault((place.repository, commit), Source(place, commit, version))
    return list(found.values())


def _files(house: House, source: Source) -> list[CleanFile]:
    tree = house.source.files(source.place.repository, source.commit, exact=True)
    secrets = Secrets(open_findings(house, _still_open(house, source.place)), tree)
    return clean_files(source.place.repository, tree, read_fixes(house, source.place), secrets)


def _still_open(house: House, place: Place) -> list[Problem]:
    return [
        problem
        for problem in read_problems(house)
        if (problem.repository, problem.branch) == place and problem.state is ProblemState.OPEN
    ]


def _identified(origin: str, result: Result) -> Finding:
    (fingerprint,) = fingerprints([result])
    return Finding(
        fingerprint=fingerprint,
        repository=origin,
        run=RUN,
        commit="",
        category=category_of(result),
        result=result,
        evidence=(result.evidence,),
    )


def _example(pairs: list[ForgedPair]) -> str:
    """One of our own: a repository's text could end the fence and go on as Markdown."""
    ours = next((pair for pair in pairs if pair.origin == SEED), None)
    return f"```diff\n{ours.fix.diff}\n```" if ours else "none"
