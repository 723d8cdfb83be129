"""What the tables, columns and views of the warehouse mean: `secai schema`, DuckDB's comments, UI.

A column is described where its record is: by the sentence under the field. Only what no record has
is described here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding, Result, Skipped, UrlLocation
from secai_lib.core.knowledge import Document
from secai_lib.core.problem import Alias, Problem, ProblemEvent, Rename
from secai_lib.core.record import Record
from secai_lib.core.scan import GithubScan, ScanRun, ToolRun
from secai_lib.core.triage import Triage
from secai_lib.gateways.columns import (
    ALIASES,
    CONTEXTS,
    DOCUMENTS,
    FINDINGS,
    HISTORY,
    PROBLEMS,
    RENAMES,
    SKIPPED,
    TRIAGE,
)
from secai_lib.gateways.tables import TEXT, TIME, Columns

RUN = "Key of the scan run."
RECORD = "The whole record as JSON; what the platform itself reads."
_WHICH = {"run": RUN, "record": RECORD}


@dataclass(frozen=True)
class Table:
    """A table or a view."""

    about: str
    """What a row is."""
    columns: Mapping[str, tuple[pa.DataType, str]]
    """Name -> type and meaning; of a view only the names it adds have a type worth saying."""
    query: str = field(default="", repr=False)
    """The view's query; empty for a table."""


def meanings(columns: Columns[Any], *records: type[Record]) -> dict[str, str]:
    """The sentence under the field of `records` that has a column's name; the first record wins."""
    fields = {name: f for record in reversed(records) for name, f in record.model_fields.items()}
    return {name: (fields[name].description or "") if name in fields else "" for name in columns}


def _table(
    about: str, columns: Columns[Any], *records: type[Record], before: bool = False, **own: str
) -> Table:
    said = meanings(columns, *records) | own
    types = {name: kind for name, (kind, _) in columns.items()} | {"record": TEXT}
    if before:
        types = {"run": TEXT} | types
    return Table(about, {name: (kind, said.get(name) or _WHICH.get(name, ""))
                         for name, kind in types.items()})  # fmt: skip


def _plain(about: str, types: Mapping[str, pa.DataType], said: Mapping[str, str]) -> Table:
    return Table(about, {name: (kind, said[name]) for name, kind in types.items()})


def _view(about: str, query: str, **columns: str) -> Table:
    return Table(about, {name: (pa.null(), said) for name, said in columns.items()},
                 query.replace("RANK", _RANK))  # fmt: skip


_COUNTS = {"problems": "How many open problems.", "worst": "The worst severity among them."}
_PLACE = {"repository": "The repository.", "branch": "The branch."}
_RANK = "list_position(['critical', 'high', 'medium', 'low', 'info', 'unknown'], severity)"

TABLES: Mapping[str, Table] = {
    "problems": _table(
        "What is wrong with a branch of a repository, each thing once, with its history.",
        PROBLEMS,
        Problem,
        location_kind="Kind of the main place: `source`, `lockfile`, `image`, `archive`, `url`.",
        path="File of the main place; null outside of the repository.",
    ),
    "evidence": _plain(
        "Which findings say so: one row for each finding of each problem.",
        {"problem": TEXT, "fingerprint": TEXT},
        {"problem": "The problem's id.", "fingerprint": "The finding."},
    ),
    "history": _table("What happened to a problem, and when.", HISTORY, ProblemEvent),
    "aliases": _table(
        "Why findings of different scanners are one problem: the advisories they share.",
        ALIASES,
        Alias,
    ),
    "renames": _table("Findings that went on in a renamed file.", RENAMES, Rename),
    "triage": _table("What each problem is worth, by which rule, and why.", TRIAGE, Triage),
    "findings": _table(
        "What a scanner found in a scan run, each thing once.",
        FINDINGS,
        Finding,
        Result,
        UrlLocation,
        location_kind="Kind of the main place: `source`, `lockfile`, `image`, `archive`, `url`.",
        path="File of the main place; null outside of the repository.",
        start_line="First line of the main place, from 1.",
        package="Name of the package at fault, for advisories.",
        package_version="Its installed version.",
        evidence_count="How many raw results say so.",
    ),
    "skipped": _table(
        "What of a report became no finding, and why.", SKIPPED, Skipped, before=True
    ),
    "contexts": _table(
        "The code a finding is about, read at the scanned commit.",
        CONTEXTS,
        CodeContext,
        before=True,
        function="The enclosing function.",
        route="Method and pattern of the route that leads there, for findings about a URL.",
    ),
    "scan_runs": _plain(
        "The scan runs in the corpus.",
        dict.fromkeys(("key", "repository", "branch", "commit", "kind"), TEXT)
        | {"created_at": TIME},
        {
            "key": ScanRun.model_fields["key"].description or "",
            "repository": "The repository that was scanned.",
            "branch": "The branch that was scanned, where known.",
            "commit": "The commit that was scanned, where known.",
            "kind": "Where the reports come from: `github`, `local`, `files`.",
            "created_at": GithubScan.model_fields["created_at"].description or "",
        },
    ),
    "tool_runs": _plain(
        "What became of each scanner in each scan run. Absent is not the same as clean.",
        dict.fromkeys(("run", "tool", "status", "version", "detail"), TEXT),
        {"run": RUN} | {name: f.description or "" for name, f in ToolRun.model_fields.items()},
    ),
    "documents": _table(
        "What the knowledge base in force remembers.",
        DOCUMENTS,
        Document,
        problem="The problem it belongs to, which a search for that problem leaves out.",
        severity="The finding's severity.",
        category="The finding's category.",
        path="The file it is about.",
        fix_kind="The kind of the fix, for fixes.",
    ),
    "open_by_severity": _view(
        "Open problems of each branch by severity, worst first.",
        "select repository, branch, severity, count(*) as problems from problems"
        " where state = 'open' group by repository, branch, severity"
        " order by repository, branch, RANK",
        **_PLACE,
        severity="The severity.",
        problems=_COUNTS["problems"],
    ),
    "open_by_tool": _view(
        "Open problems of each branch by scanner.",
        "select repository, branch, tool, count(*) as problems, arg_min(severity, rank) as worst"
        " from (select *, unnest(tools) as tool, RANK as rank from problems"
        " where state = 'open') group by repository, branch, tool"
        " order by repository, branch, problems desc, tool",
        **_PLACE,
        tool="The scanner.",
        **_COUNTS,
    ),
    "open_by_file": _view(
        "Open problems of each branch by file.",
        "select repository, branch, path, count(*) as problems, arg_min(severity, rank) as worst"
        " from (select *, RANK as rank from problems where state = 'open' and path is not null)"
        " group by repository, branch, path order by repository, branch, problems desc, path",
        **_PLACE,
        path="The file.",
        **_COUNTS,
    ),
    "trend": _view(
        "What each scan run changed on its branch, and what was open after it.",
        "select repository, branch, run, time, new, fixed, reopened,"
        " (sum(change) over later)::bigint as open,"
        " (sum(critical_change) over later)::bigint as critical,"
        " (sum(high_change) over later)::bigint as high,"
        " (sum(medium_change) over later)::bigint as medium,"
        " (sum(low_change) over later)::bigint as low from ("
        " select r.repository, r.branch, r.key as run, r.created_at as time,"
        " count(*) filter (event = 'seen') as new, count(*) filter (event = 'fixed') as fixed,"
        " count(*) filter (event = 'reopened') as reopened,"
        " sum(coalesce(step, 0)) as change,"
        " sum(if(severity = 'critical', step, 0)) as critical_change,"
        " sum(if(severity = 'high', step, 0)) as high_change,"
        " sum(if(severity = 'medium', step, 0)) as medium_change,"
        " sum(if(severity = 'low', step, 0)) as low_change"
        " from scan_runs r left join (select run, event, severity,"
        " if(event = 'fixed', -1, 1) as step from history h join problems p on p.id = h.problem)"
        " h on h.run = r.key group by r.repository, r.branch, r.key, r.created_at)"
        " window later as (partition by repository, branch order by time, run)"
        " order by repository, branch, time, run",
        **_PLACE,
        run=RUN,
        time="When the run was.",
        new="Problems it showed for the first time.",
        fixed="Problems it no longer showed.",
        reopened="Fixed problems it showed again.",
        open="Problems open after it.",
        critical="Of these, critical ones.",
        high="Of these, high ones.",
        medium="Of these, medium ones.",
        low="Of these, low ones.",
    ),
    "noise_by_rule": _view(
        "How much each rule says: rules with many findings that nobody fixes are noise.",
        "select tool, rule_id, count(distinct fingerprint) as findings,"
        " count(distinct path) as files, count(distinct problem) filter (state = 'open') as open,"
        " count(distinct problem) filter (state = 'fixed') as fixed from findings"
        " left join evidence using (fingerprint)"
        " left join (select id as problem, state from problems) using (problem)"
        " group by tool, rule_id order by findings desc, tool, rule_id",
        tool="The scanner.",
        rule_id="Its rule.",
        findings="Distinct findings.",
        files="Distinct files they are in.",
        open="Open problems they are part of.",
        fixed="Fixed problems they are part of.",
    ),
}  # fmt: skip
"""Every table and view of the warehouse by name, in the order in which a person reads them."""
