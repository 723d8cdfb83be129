"""All scan runs together: what is wrong with a repository, each thing once."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence

import dagster as dg

from secai_assets import metadata
from secai_assets.assets.code_contexts import code_contexts
from secai_assets.assets.findings import findings, read_covered_run, read_findings
from secai_assets.automation import when_parents_are_good
from secai_assets.failures import explained
from secai_assets.resources.house import House
from secai_lib.core.finding import Finding
from secai_lib.core.fix import SourceFiles
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.problem import Problem, ProblemEvent, ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan import ScanRun
from secai_lib.core.triage import Decision, Policy, Triage
from secai_lib.findings import fingerprints
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.columns import ALIASES, HISTORY, PROBLEMS, RENAMES, TRIAGE
from secai_lib.gateways.tables import from_parquet, to_parquet
from secai_lib.gateways.warehouse import ask, build_warehouse
from secai_lib.problems import POLICY_FILE, Corpus, build_problems, read_policy, triage
from secai_lib.quality.problems import acceptable

MAKERS = ("problems", "findings/fingerprints", "gateways/columns", "gateways/schema",
          "gateways/source", "gateways/warehouse")  # fmt: skip
"""What decides how problems come out."""
GIT_RENAMES = "git_renames.json"
"""What git said of two commits, so that it is asked once."""


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
            **_decisions(house, still_open),
            **_charts(house),
            "quarantined_runs": dg.MetadataValue.json(accepted_runs(house)[1]),
        },
    )


def _charts(house: House) -> dict[str, dg.MetadataValue]:
    """How it went over the runs, and which rules say most, as the warehouse has it."""
    trend = ask(house.store, "select * from trend").to_pylist()
    noise = ask(house.store, "select * from noise_by_rule limit 20").to_pylist()
    tools = ask(house.store, "select tool, sum(problems)::int as n from open_by_tool group by tool"
                             " order by n desc, tool").to_pylist()  # fmt: skip
    newest = max(trend, key=lambda row: row["time"], default=None)
    here = [row for row in trend if newest and _place(row) == _place(newest)]
    return {
        "trend": metadata.table(trend[::-1]),
        "open_over_runs": metadata.curves(
            "Open problems after each run",
            {
                name: [row["open"] for row in trend if _place(row) == name]
                for name in dict.fromkeys(map(_place, trend))
            },
        ),
        "severity_over_runs": metadata.curves(
            f"Open problems of {_place(newest)} by severity" if newest else "Open problems",
            {name: [row[name] for row in here] for name in ("critical", "high", "medium", "low")},
        ),
        "by_tool": metadata.bars("Open problems by tool", {row["tool"]: row["n"] for row in tools}),
        "noise": metadata.table(noise),
        "noise_by_rule": metadata.bars(
            "Findings by rule", {f"{r['tool']} {r['rule_id']}": r["findings"] for r in noise}
        ),
    }


def _decisions(house: House, still_open: Sequence[Problem]) -> dict[str, dg.MetadataValue]:
    """What the open problems are worth, by which rules, and what people accept."""
    told = read_triage(house)
    mine = [(p, told[p.id]) for p in still_open]
    silent = [(p, t) for p, t in mine if t.decision is not Decision.ACTIONABLE]
    rows = [
        {
            "decision": t.decision.value,
            "rule": t.rule,
            "severity": p.severity.value,
            "title": p.title,
            "reason": t.reason,
            "evidence": "; ".join(t.evidence),
        }
        for p, t in sorted(silent, key=lambda pair: (pair[0].severity.rank, pair[0].id))
    ]
    policies = [
        {
            "repository": policy.repository,
            "branch": policy.branch,
            "accepted": len(policy.acceptances),
            "faults": "; ".join(policy.faults),
            "expired": ", ".join(f"line {line}" for line in policy.expired),
            "unmatched": ", ".join(f"line {line}" for line in policy.unmatched),
        }
        for policy in read_policies(house)
    ]
    return {
        "by_decision": metadata.bars(
            "Open problems by decision", metadata.count_by(t.decision.value for _, t in mine)
        ),
        "by_triage_rule": metadata.bars(
            "Open problems by the rule that decided", metadata.count_by(t.rule for _, t in mine)
        ),
        "not_actionable": metadata.table(rows),
        "policies": metadata.table(policies),
    }


def _place(row: Mapping[str, str]) -> str:
    return f"{row['repository']}@{row['branch']}"


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
    runs = [read_covered_run(house, key) for key in good]
    origin = Origin(
        inputs={
            "runs": content_hash(parts),
            "quarantined": content_hash(bad),
            "source": content_hash([_has_source(house, run) for run in runs]),
        },
        settings=content_hash(house.settings.quality, house.settings.triage),
        code_version=code_version(*MAKERS),
    )
    kept = house.store.reusable("problems", origin=origin)
    if kept and house.store.has_warehouse():
        return kept, True
    found = [finding for key in good for finding in read_findings(house, key)]
    renames = _git_renames(house)
    corpus = build_problems(runs, found, renamed=renames, fingerprints=fingerprints)
    told, policies = _triage(house, corpus, runs, found)
    files = _files(corpus) | {"triage.parquet": to_parquet(told, TRIAGE)}
    build_warehouse(house.store, runs, _tables(files))
    places = sorted({(run.request.repository, run.request.branch) for run in runs})
    files |= {
        "places.json": canonical_json(places).encode(),
        GIT_RENAMES: canonical_json(renames.known).encode(),
        "policies.json": canonical_json(policies).encode(),
    }
    counts = _counts(corpus, runs, found, bad) | _triage_counts(corpus, told, policies)
    return house.store.publish("problems", files, counts=counts, origin=origin), False


def _files(corpus: Corpus) -> dict[str, bytes]:
    return {
        "problems.parquet": to_parquet(corpus.problems, PROBLEMS),
        "history.parquet": to_parquet(corpus.history, HISTORY),
        "aliases.parquet": to_parquet(corpus.aliases, ALIASES),
        "renames.parquet": to_parquet(corpus.renames, RENAMES),
    }


def _tables(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The Parquet files by the name of their table."""
    return {name.removesuffix(".parquet"): data for name, data in files.items()}


def _counts(
    corpus: Corpus, runs: Sequence[ScanRun], found: Sequence[Finding], bad: Sequence[str]
) -> dict[str, int]:
    matched = {fingerprint for problem in corpus.problems for fingerprint in problem.fingerprints}
    return {
        "runs": len(runs),
        "quarantined": len(bad),
        "findings": len(found),
        "problems": len(corpus.problems),
        "open": sum(p.state is ProblemState.OPEN for p in corpus.problems),
        "fixed": sum(p.state is ProblemState.FIXED for p in corpus.problems),
        "reopened": sum(p.reopened > 0 for p in corpus.problems),
        "renamed": len(corpus.renames),
        "unmatched": _unmatched(runs, found, matched),
        "joined_across_tools": sum(len(p.tools) > 1 for p in corpus.problems),
    }


def _triage(
    house: House, corpus: Corpus, runs: Sequence[ScanRun], found: Sequence[Finding]
) -> tuple[list[Triage], list[Policy]]:
    """What each problem is worth, and what people accept."""
    order = {r.key: n for n, r in enumerate(sorted(runs, key=_order))}
    newest = {f.fingerprint: f for f in sorted(found, key=lambda f: order[f.run])}

    def files(repository: str, commit: str) -> SourceFiles | None:
        here = house.source.has(repository, commit)
        return house.source.files(repository, commit) if here else None

    policies = []
    for run in _newest_runs(runs):
        request = run.request
        source = files(request.repository, request.commit)
        text = source.read(POLICY_FILE) if source else None
        if text is None and not (source and POLICY_FILE in source.paths()):
            continue
        policies.append(
            read_policy(
                text,
                repository=request.repository,
                branch=request.branch,
                commit=request.commit,
                judged=request.created_at.date(),
                max_days=house.settings.triage.accepted_max_days,
            )
        )
    return triage(
        corpus.problems, newest, files=files, policies=policies, settings=house.settings.triage
    )


def _triage_counts(
    corpus: Corpus, told: Sequence[Triage], policies: Sequence[Policy]
) -> dict[str, int]:
    still_open = {p.id for p in corpus.problems if p.state is ProblemState.OPEN}
    decided = Counter(t.decision for t in told if t.problem in still_open)
    ids = Counter(t.problem for t in told)
    return {
        "untriaged": sum(ids[p.id] != 1 for p in corpus.problems),
        **{decision.value: decided[decision] for decision in Decision},
        "policy_faults": sum(len(policy.faults) for policy in policies),
        "policy_expired": sum(len(policy.expired) for policy in policies),
        "policy_unmatched": sum(len(policy.unmatched) for policy in policies),
    }


class _Renames:
    """Git's word on renamed files; what it said once of two commits is true for ever."""

    def __init__(self, house: House, known: Mapping[str, Mapping[str, str]]) -> None:
        self._source, self._before = house.source, known
        self.known: dict[str, Mapping[str, str]] = {}
        """`repository old new` -> old path -> new path, of all that was asked."""

    def __call__(self, repository: str, old: str, new: str) -> Mapping[str, str]:
        """Old path -> new path; nothing is remembered while one of the commits is not here."""
        key = f"{repository} {old} {new}"
        if key in self._before:
            self.known[key] = self._before[key]
        elif self._source.has(repository, old) and self._source.has(repository, new):
            self.known[key] = self._source.renames(repository, old, new)
        return self.known.get(key, {})


def _git_renames(house: House) -> _Renames:
    """What the last version of the problems was told, to go on with."""
    known = house.store.manifest("problems")
    if known is None or GIT_RENAMES not in known.files:
        return _Renames(house, {})
    return _Renames(house, json.loads(house.store.read("problems", GIT_RENAMES)))


def read_problems(house: House) -> list[Problem]:
    """Every problem, sorted by repository, branch and id."""
    return from_parquet(house.store.read("problems", "problems.parquet"), Problem)


def read_places(house: House) -> list[tuple[str, str]]:
    """Repository and branch of every accepted scan run, also of those without a problem."""
    return [tuple(place) for place in json.loads(house.store.read("problems", "places.json"))]


def read_history(house: House) -> list[ProblemEvent]:
    """What happened to every problem, by repository, branch and time."""
    return from_parquet(house.store.read("problems", "history.parquet"), ProblemEvent)


def read_triage(house: House) -> dict[str, Triage]:
    """What each problem is worth, by the problem's id."""
    rows = from_parquet(house.store.read("problems", "triage.parquet"), Triage)
    return {row.problem: row for row in rows}


def read_policies(house: House) -> list[Policy]:
    """What people accept, for every repository and branch that has a `.secai.yaml`."""
    return [
        Policy.model_validate(policy)
        for policy in json.loads(house.store.read("problems", "policies.json"))
    ]


def _order(run: ScanRun) -> tuple[object, str]:
    return run.request.created_at, run.key


def _newest_runs(runs: Sequence[ScanRun]) -> list[ScanRun]:
    """The newest run of every repository and branch."""
    newest = {(run.request.repository, run.request.branch): run for run in sorted(runs, key=_order)}
    return [newest[place] for place in sorted(newest)]


def _has_source(house: House, run: ScanRun) -> bool:
    return house.source.has(run.request.repository, run.request.commit)


def _unmatched(runs: Sequence[ScanRun], found: Sequence[Finding], matched: set[str]) -> int:
    """Findings of each place's newest run that are in no problem."""
    newest = {run.key for run in _newest_runs(runs)}
    return sum(f.fingerprint not in matched for f in found if f.run in newest)
