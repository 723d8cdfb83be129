"""Verdicts on the problems: what the repositories accept, and how the rules of triage are asked."""

import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date

import dagster as dg

from secai_assets import metadata
from secai_assets.resources.house import House
from secai_lib.core.finding import Finding
from secai_lib.core.fix import SourceFiles
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.scan import ScanRun
from secai_lib.core.triage import Policy, Triage, Verdict
from secai_lib.gateways.tables import from_parquet
from secai_lib.problems import FILE, read_policy, triage_branch, unused

POLICIES = "policies.json"
"""What each branch's `.secai.yaml` says."""


def policies_of(house: House, runs: Sequence[ScanRun]) -> list[Policy]:
    """What `.secai.yaml` says at the newest scanned commit of each branch, where it is here."""
    newest: dict[tuple[str, str], ScanRun] = {}
    for run in sorted(runs, key=lambda r: (r.request.created_at, r.key)):
        if house.source.has(run.request.repository, run.request.commit):
            newest[(run.request.repository, run.request.branch)] = run
    found = []
    for (repository, branch), run in sorted(newest.items()):
        request = run.request
        text = house.source.files(repository, request.commit).read(FILE)
        if text is not None:
            found.append(read_policy(text, house.settings.triage.policy, repository=repository,
                                     branch=branch, commit=request.commit,
                                     scanned=request.created_at.date()))  # fmt: skip
    return found


def in_force(policies: Sequence[Policy], today: date) -> list[tuple[Policy, tuple[bool, ...]]]:
    """The policies, with whether each acceptance still counts: what a day may change."""
    return [(p, tuple(a.until >= today for a in p.acceptances)) for p in policies]


def judged(
    house: House,
    joined: Sequence[Problem],
    found: Sequence[Finding],
    policies: Sequence[Policy],
) -> list[Triage]:
    """The verdicts on the open problems of every branch."""
    by_place = {(policy.repository, policy.branch): policy for policy in policies}
    groups: dict[tuple[str, str], list[Problem]] = defaultdict(list)
    for problem in joined:
        if problem.state is ProblemState.OPEN:
            groups[(problem.repository, problem.branch)].append(problem)
    rows: list[Triage] = []
    for place, mine in sorted(groups.items()):
        wanted = {(p.run, name) for p in mine for name in p.fingerprints}
        names = {name for _, name in wanted}
        findings: dict[str, Finding] = {}
        for finding in found:  # by run, so that the newest one counts where several show it
            if finding.fingerprint in names and finding.repository == place[0]:
                known = findings.get(finding.fingerprint)
                if known is None or (finding.run, finding.fingerprint) in wanted:
                    findings[finding.fingerprint] = finding
        rows += triage_branch(mine, findings, _source(house, mine), by_place.get(place),
                              house.settings.triage, house.today)  # fmt: skip
    return rows


def verdict_counts(
    joined: Sequence[Problem], verdicts: Sequence[Triage], policies: Sequence[Policy]
) -> dict[str, int]:
    """Findings by verdict, open problems without one, and faults of policies."""
    named = Counter(row.verdict for row in verdicts)
    judged = {row.problem for row in verdicts if row.verdict is not Verdict.DUPLICATE}
    still_open = [p for p in joined if p.state is ProblemState.OPEN]
    return {verdict.value: named[verdict] for verdict in Verdict} | {
        "untriaged": sum(p.id not in judged for p in still_open),
        "policy_faults": sum(len(policy.faults) for policy in policies),
    }


def shown_verdicts(house: House, still_open: Sequence[Problem]) -> dict[str, dg.MetadataValue]:
    """What is to be done about the open problems, by which rules, and what is accepted."""
    judged, policies = read_triage(house).values(), read_policies(house)
    titles = {problem.id: problem.title for problem in still_open}
    silenced = [row for row in judged if row.verdict is not Verdict.ACTIONABLE]
    accepted = [
        {
            "repository": policy.repository,
            "what": entry.fingerprint or f"{entry.rule} {entry.path}".strip(),
            "reason": entry.reason,
            "until": entry.until.isoformat(),
            "note": "expired"
            if entry.until < house.today
            else "speaks of no open problem"
            if entry in idle
            else "",
        }
        for policy in policies
        for idle in [unused(policy, _of(policy, still_open))]
        for entry in policy.acceptances
    ]
    return {
        "by_verdict": metadata.bars(
            "Open problems by verdict", metadata.count_by(row.verdict.value for row in judged)
        ),
        "by_triage_rule": metadata.bars(
            "Not to be mended here, by rule", metadata.count_by(row.rule for row in silenced)
        ),
        "silenced": metadata.table(
            [
                {
                    "verdict": row.verdict.value,
                    "rule": row.rule,
                    "title": titles.get(row.problem, ""),
                    "reason": row.reason,
                    "evidence": row.evidence,
                }
                for row in silenced
            ]
        ),
        "policies": metadata.table(accepted),
        "policy_faults": metadata.table(
            [{"repository": p.repository, "fault": fault} for p in policies for fault in p.faults]
        ),
    }


def read_triage(house: House) -> dict[str, Triage]:
    """The verdict on every open problem, by its id."""
    rows = from_parquet(house.store.read("problems", "triage.parquet"), Triage)
    return {row.problem: row for row in rows if row.verdict is not Verdict.DUPLICATE}


def read_policies(house: House) -> list[Policy]:
    """What the repositories accept."""
    held = json.loads(house.store.read("problems", POLICIES))
    return [Policy.model_validate(one) for one in held]


def _source(house: House, mine: Sequence[Problem]) -> SourceFiles | None:
    """The files of the newest commit that shows an open problem; None when it is not here."""
    newest = max(mine, key=lambda p: (p.last_seen, p.run))
    if not house.source.has(newest.repository, newest.commit):
        return None
    return house.source.files(newest.repository, newest.commit)


def _of(policy: Policy, problems: Sequence[Problem]) -> list[Problem]:
    """Those of the policy's branch."""
    place = (policy.repository, policy.branch)
    return [problem for problem in problems if (problem.repository, problem.branch) == place]
