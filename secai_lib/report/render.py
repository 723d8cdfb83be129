"""All files of one repository's report."""

import json
from collections.abc import Mapping

from secai_lib.report.comment import render_comment
from secai_lib.report.model import RepositoryReport
from secai_lib.report.page import render_page
from secai_lib.report.patch import patch_bytes
from secai_lib.report.sarif import render_sarif


def render(report: RepositoryReport, base_files: Mapping[str, str]) -> dict[str, bytes]:
    """File name -> bytes of `report`, the same bytes for the same report.

    `base_files` maps path -> text at the scanned commit, for the replacements in the SARIF log.
    """
    return {
        "comment.md": render_comment(report).encode(),
        "fixes.patch": patch_bytes(report.patch),
        "fixes.sarif": _json(render_sarif(report, base_files)),
        "problems.json": _json(_problems(report)),
        "report.html": render_page(report).encode(),
    }


def _problems(report: RepositoryReport) -> dict[str, object]:
    """The open problems for programs: each with its fixes, or with the reason for none."""
    fixes: dict[str, list[dict[str, object]]] = {}
    for fix in report.fixes:
        entry: dict[str, object] = {
            "id": fix.id,
            "kind": fix.proposal.kind,
            "title": fix.proposal.title,
            "method": fix.certificate.method.value,
            "certificate": report.certificate(fix),
            "in_patch": fix.in_patch,
        }
        fixes.setdefault(fix.problem, []).append(entry)
    reasons: dict[str, list[dict[str, str]]] = {}
    for silence in report.abstentions:
        why = {"code": silence.reason_code, "reason": silence.reason}
        reasons.setdefault(silence.problem, []).append(why)
    return {
        "repository": report.repository,
        "commit": report.commit,
        "branch": report.branch,
        "runs": list(report.runs),
        "tools": [tool.model_dump(mode="json") for tool in report.tools],
        "counts": report.counts.model_dump(mode="json"),
        "begin_here": [step.model_dump(mode="json") for step in report.first],
        "problems": [
            {
                **problem.model_dump(mode="json"),
                "triage": told.model_dump(mode="json")
                if (told := report.triage.get(problem.id))
                else None,
                "fixes": fixes.get(problem.id, []),
                "abstentions": reasons.get(problem.id, []),
                "contexts": {
                    fingerprint: report.contexts[fingerprint].status.value
                    for fingerprint in problem.fingerprints
                    if fingerprint in report.contexts
                },
            }
            for problem in report.problems
        ],
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
