"""The open problems as SARIF 2.1.0, with the proven fixes in it.

Specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/ ; what GitHub accepts of it:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
"""

import re
from collections.abc import Mapping
from urllib.parse import quote

from secai_lib.core.finding import SourceLocation
from secai_lib.core.fix import Edit, Fix
from secai_lib.core.problem import Problem
from secai_lib.core.record import sha256_hex
from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.core.text import one_line, visible
from secai_lib.core.triage import SILENT
from secai_lib.report.model import RepositoryReport
from secai_lib.report.places import repository_place, words
from secai_lib.report.regions import Regions, disjoint
from secai_lib.report.sarif_rules import level_of, main_result, message, plain, rule_id, rules
from secai_lib.report.text import STATUS_WORDS

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "SRCROOT"
_OUTSIDE = "outside-repository"
"""First part of the address of a problem that is in no file of the repository: GitHub refuses a
whole log when one result has no file, so images and URLs get an address that says what it is."""

Json = dict[str, object]


def render_sarif(report: RepositoryReport, base_files: Mapping[str, str]) -> Json:
    """The SARIF log of `report` as plain JSON values.

    `base_files` maps path -> text of the scanned commit. A fix is written out when all its files
    are there with the hashes its certificate names; otherwise the result says that it is left
    out, because replacements counted on another text would destroy the file.
    """
    indexes = {str(rule["id"]): index for index, rule in enumerate(rules(report))}
    regions = {path: Regions(text) for path, text in base_files.items()}
    hashes = {path: sha256_hex(text.encode()) for path, text in base_files.items()}
    fixes: dict[str, list[Fix]] = {}
    for fix in report.fixes:
        fixes.setdefault(fix.problem, []).append(fix)
    results = []
    for problem in report.problems:
        own = fixes.get(problem.id, [])
        usable = [f for f in own if _fits(f, hashes)]
        written = [entry for entry in (_fix(f, regions) for f in usable) if entry is not None]
        results.append(_result(report, problem, indexes, written, len(own) - len(written)))
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(report, results)]}


def _run(report: RepositoryReport, results: list[Json]) -> Json:
    ran = [tool for tool in report.tools if tool.status is ToolStatus.RAN]
    key = quote(report.runs[-1] if report.runs else "none", safe="")
    run: Json = {
        "tool": {
            "driver": {
                "name": "SecAI",
                "rules": rules(report),
                "properties": {"repository": one_line(report.repository)},
            },
            "extensions": [_extension(tool) for tool in ran],
        },
        "automationDetails": {"id": f"secai/{key}"},
        "columnKind": "utf16CodeUnits",
        "newlineSequences": ["\r\n", "\n"],
        "originalUriBaseIds": {
            _ROOT: {"description": {"text": "The root folder of the scanned repository."}}
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    _notification(tool) for tool in report.tools if tool not in ran
                ],
            }
        ],
        "results": results,
    }
    if report.repository_url:
        provenance: Json = {"repositoryUri": report.repository_url}
        provenance |= {"revisionId": report.commit} if report.commit else {}
        provenance |= {"branch": one_line(report.branch)} if report.branch else {}
        run["versionControlProvenance"] = [provenance]
    return run


def _extension(tool: ToolRun) -> Json:
    version = {"version": one_line(tool.version)} if tool.version else {}
    return {"name": one_line(tool.tool) or "unknown", **version}


def _notification(tool: ToolRun) -> Json:
    failed = tool.status is ToolStatus.FAILED
    detail = f": {one_line(tool.detail, 500)}" if tool.detail else ""
    text = f"{one_line(tool.tool)} {STATUS_WORDS[tool.status]}{detail}"
    return {"level": "error" if failed else "note", "message": {"text": plain(text)}}


def _result(
    report: RepositoryReport,
    problem: Problem,
    indexes: Mapping[str, int],
    fixes: list[Json],
    left_out: int,
) -> Json:
    identifier = rule_id(report, problem)
    main = main_result(report, problem)
    text = one_line(main.message if main is not None else "", 1000) or one_line(problem.title)
    properties: Json = {
        "severity": problem.severity.value,
        "category": problem.category.value,
        "tools": [one_line(tool) for tool in problem.tools],
        "rules": [one_line(rule) for rule in problem.rules],
    }
    if left_out:
        properties["fixesLeftOut"] = left_out
    result: Json = {
        "ruleId": identifier,
        "ruleIndex": indexes[identifier],
        "level": level_of(problem.severity),
        "message": {"text": plain(text or identifier)},
        "locations": [_location(report, problem)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{problem.id}:1",
            "secaiProblem/v1": problem.id,
        },
        "properties": properties,
    }
    if fixes:
        result["fixes"] = fixes
    told = report.triage.get(problem.id)
    if told is not None:
        properties["decision"] = told.decision.value
        properties["decidedBy"] = told.rule
    if told is not None and told.decision in SILENT:
        why = plain(one_line(told.reason, 1000))
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    return result


def _location(report: RepositoryReport, problem: Problem) -> Json:
    place = repository_place(report, problem)
    uri = relative_uri(place.path) if place is not None else None
    described = words(problem.location)
    if place is None or uri is None:
        outside = quote(described, safe="")
        return {
            "physicalLocation": {
                "artifactLocation": {"uri": f"{_OUTSIDE}/{outside}"},
                "region": {"startLine": 1},
            },
            "logicalLocations": [{"fullyQualifiedName": described, "kind": "resource"}],
            "message": {"text": plain(f"Not in a file of the repository: {described}")},
        }
    region: Json = {"startLine": place.start_line, "endLine": place.end_line}
    location: Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": _ROOT},
            "region": {**region, **_columns(problem, place.start_line == place.end_line)},
        }
    }
    if problem.location.kind not in ("source", "lockfile"):
        location["message"] = {"text": plain(f"Where to change it; seen at {described}")}
    return location


def _columns(problem: Problem, single_line: bool) -> Json:
    place = problem.location
    if not isinstance(place, SourceLocation) or place.start_line is None:
        return {}
    start, end = place.start_column, place.end_column
    if start is None or end is None or start < 1 or end < 1 or (single_line and end < start):
        return {}
    return {"startColumn": start, "endColumn": end}


def relative_uri(path: str) -> str | None:
    """The repository path as a relative URI reference; None when it is not a path inside."""
    parts = path.split("/")
    if not path or path.startswith("/") or "\\" in path or any(p in ("", ".", "..") for p in parts):
        return None
    if re.match(r"[A-Za-z]:", path):
        return None
    return "/".join(quote(part, safe="@!$&'()*+,;=~") for part in parts)


def _fits(fix: Fix, hashes: Mapping[str, str]) -> bool:
    named = fix.certificate.base_sha256
    paths = {edit.path for edit in fix.proposal.edits}
    return bool(paths) and all(p in hashes and named.get(p) == hashes[p] for p in paths)


def _fix(fix: Fix, regions: Mapping[str, Regions]) -> Json | None:
    """The fix as SARIF; None when its edits cannot be named exactly."""
    by_path: dict[str, list[Edit]] = {}
    for edit in fix.proposal.edits:
        by_path.setdefault(edit.path, []).append(edit)
    changes: list[Json] = []
    for path in sorted(by_path):
        uri = relative_uri(path)
        edits = sorted(by_path[path], key=lambda e: (e.start, e.end))
        if uri is None or not disjoint([(e.start, e.end) for e in edits]):
            return None
        try:
            replacements = [_replacement(edit, regions[path]) for edit in edits]
        except ValueError:
            return None
        location = {"uri": uri, "uriBaseId": _ROOT}
        changes.append({"artifactLocation": location, "replacements": replacements})
    title = one_line(fix.proposal.title, 255) or one_line(fix.proposal.kind)
    explanation = visible(fix.proposal.explanation, keep="\n\t") or title
    return {
        "description": {**message(explanation), "text": plain(title)},
        "artifactChanges": changes,
    }


def _replacement(edit: Edit, regions: Regions) -> Json:
    region = regions.region(edit.start, edit.end)
    inserted = {"insertedContent": {"text": edit.replacement}} if edit.replacement else {}
    return {"deletedRegion": region, **inserted}
