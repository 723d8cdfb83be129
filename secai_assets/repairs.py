"""Proven fixes with their texts: genuine ones from git, forged ones from the forge's product."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from secai_assets.assets.code_contexts import read_all_contexts
from secai_assets.assets.fixes import Place, open_findings, places, read_fixes
from secai_assets.assets.forge_pairs import read_pairs
from secai_assets.assets.problems import read_problems
from secai_assets.resources.house import House
from secai_lib.code_context import Secrets
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding
from secai_lib.core.fix import Fix, SourceFiles
from secai_lib.core.licences import licence_of
from secai_lib.core.problem import Problem
from secai_lib.core.syntax import language_of
from secai_lib.core.training import ForgedPair
from secai_lib.datasets.repair import Repair
from secai_lib.fixes.edits import apply_edits, by_path


def read_repairs(house: House) -> list[Repair]:
    """Every offered fix whose commit is on this machine, and every forged pair."""
    found = {problem.id: problem for problem in read_problems(house)}
    contexts = read_all_contexts(house)
    genuine = [
        repair for place in places(house) for repair in _genuine(house, place, found, contexts)
    ]
    times = {p.repository: p.last_seen for p in sorted(found.values(), key=lambda p: p.last_seen)}
    newest = max(times.values(), default=datetime.fromtimestamp(0, tz=UTC))
    # A forged weakness was never scanned at a time of its own: its repository's newest scan counts.
    return genuine + [_forged(p, times.get(p.origin, newest)) for p in read_pairs(house)]


def _genuine(
    house: House,
    place: Place,
    problems: Mapping[str, Problem],
    contexts: Mapping[tuple[str, str], CodeContext],
) -> Iterator[Repair]:
    mine = [p for p in problems.values() if Place(p.repository, p.branch) == place]
    findings = {finding.fingerprint: finding for finding in open_findings(house, mine)}
    offered = read_fixes(house, place)
    for commit in sorted({fix.certificate.commit for fix in offered}):
        if not house.source.has(place.repository, commit):
            continue
        files = house.source.files(place.repository, commit, exact=True)
        secrets = Secrets(list(findings.values()), files)
        licence = licence_of(files)
        for fix in offered:
            finding, problem = findings.get(fix.fingerprint), problems.get(fix.problem)
            if fix.certificate.commit == commit and finding and problem:
                weak = _texts(fix, files)
                yield Repair(
                    fix=fix,
                    finding=finding,
                    weak=weak,
                    fixed=_fixed(fix, weak),
                    licence=licence,
                    created_at=problem.last_seen,
                    language=language_of(finding.result.path or min(weak)),
                    context=_context(problem, finding, contexts),
                    hidden={path: secrets.lines(path) for path in weak},
                )


def _forged(pair: ForgedPair, created_at: datetime) -> Repair:
    return Repair(
        fix=pair.fix,
        finding=pair.finding,
        weak=pair.weak,
        fixed=_fixed(pair.fix, pair.weak),
        licence=pair.licence,
        created_at=created_at,
        language=pair.language,
        forged=True,
    )


def _context(
    problem: Problem, finding: Finding, contexts: Mapping[tuple[str, str], CodeContext]
) -> CodeContext | None:
    """The code of the finding, with the handler that a URL of the same problem leads to."""
    own = contexts.get((finding.run, finding.fingerprint))
    all_of_it = [contexts.get((problem.run, f)) for f in problem.fingerprints]
    route = next((c.route for c in all_of_it if c and c.route and not c.route.reason), None)
    return own.model_copy(update={"route": route}) if own and route else own


def _texts(fix: Fix, files: SourceFiles) -> dict[str, str]:
    return {path: files.read(path) or "" for path in by_path(fix.certificate.edits)}


def _fixed(fix: Fix, weak: Mapping[str, str]) -> dict[str, str]:
    groups = by_path(fix.certificate.edits)
    return {path: apply_edits(text, groups.get(path, ())) for path, text in weak.items()}
