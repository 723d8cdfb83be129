"""The flat columns of every stored record, as seen in SQL (`secai schema`, the README)."""

from secai_lib.core.analysis import Analysis
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding, LockfileLocation, Skipped, SourceLocation, UrlLocation
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.knowledge import Document
from secai_lib.core.problem import Alias, Problem, ProblemEvent, Rename
from secai_lib.core.training import ForgedPair
from secai_lib.core.triage import Triage
from secai_lib.gateways.tables import FLAG, INTEGER, NUMBER, TEXT, TEXTS, TIME, Columns


def _url(finding: Finding) -> str | None:
    place = finding.result.location
    return place.url if isinstance(place, UrlLocation) else None


def _path(problem: Problem) -> str | None:
    place = problem.location
    return place.path if isinstance(place, SourceLocation | LockfileLocation) else None


FINDINGS: Columns[Finding] = {
    "fingerprint": (TEXT, lambda f: f.fingerprint),
    "run": (TEXT, lambda f: f.run),
    "repository": (TEXT, lambda f: f.repository),
    "commit": (TEXT, lambda f: f.commit),
    "tool": (TEXT, lambda f: f.result.tool),
    "rule_id": (TEXT, lambda f: f.result.rule_id),
    "title": (TEXT, lambda f: f.result.title),
    "category": (TEXT, lambda f: f.category.value),
    "severity": (TEXT, lambda f: f.result.severity.value),
    "severity_score": (NUMBER, lambda f: f.result.severity_score),
    "severity_origin": (TEXT, lambda f: f.result.severity_origin),
    "location_kind": (TEXT, lambda f: f.result.location.kind),
    "path": (TEXT, lambda f: f.result.path),
    "start_line": (INTEGER, lambda f: f.result.line),
    "url": (TEXT, _url),
    "package": (TEXT, lambda f: f.result.package and f.result.package.name),
    "package_version": (TEXT, lambda f: f.result.package and f.result.package.version),
    "cwes": (TEXTS, lambda f: f.result.cwes),
    "advisories": (TEXTS, lambda f: f.result.advisories),
    "evidence_count": (INTEGER, lambda f: len(f.evidence)),
}

SKIPPED: Columns[Skipped] = {
    "file": (TEXT, lambda s: s.file),
    "pointer": (TEXT, lambda s: s.pointer),
    "tool": (TEXT, lambda s: s.tool),
    "reason": (TEXT, lambda s: s.reason),
    "results": (INTEGER, lambda s: s.results),
}

CONTEXTS: Columns[CodeContext] = {
    "fingerprint": (TEXT, lambda c: c.fingerprint),
    "status": (TEXT, lambda c: c.status.value),
    "reason": (TEXT, lambda c: c.reason),
    "path": (TEXT, lambda c: c.path),
    "language": (TEXT, lambda c: c.language),
    "start_line": (INTEGER, lambda c: c.start_line),
    "end_line": (INTEGER, lambda c: c.end_line),
    "function": (TEXT, lambda c: c.function and c.function.name),
    "route": (TEXT, lambda c: c.route and f"{c.route.method} {c.route.pattern}".strip()),
}

PROBLEMS: Columns[Problem] = {
    "id": (TEXT, lambda p: p.id),
    "repository": (TEXT, lambda p: p.repository),
    "branch": (TEXT, lambda p: p.branch),
    "commit": (TEXT, lambda p: p.commit),
    "state": (TEXT, lambda p: p.state.value),
    "title": (TEXT, lambda p: p.title),
    "category": (TEXT, lambda p: p.category.value),
    "severity": (TEXT, lambda p: p.severity.value),
    "severity_score": (NUMBER, lambda p: p.severity_score),
    "tools": (TEXTS, lambda p: p.tools),
    "rules": (TEXTS, lambda p: p.rules),
    "advisories": (TEXTS, lambda p: p.advisories),
    "fingerprints": (TEXTS, lambda p: p.fingerprints),
    "location_kind": (TEXT, lambda p: p.location.kind),
    "path": (TEXT, _path),
    "first_seen": (TIME, lambda p: p.first_seen),
    "last_seen": (TIME, lambda p: p.last_seen),
    "fixed_at": (TIME, lambda p: p.fixed_at),
    "reopened": (INTEGER, lambda p: p.reopened),
}

HISTORY: Columns[ProblemEvent] = {
    "problem": (TEXT, lambda e: e.problem),
    "repository": (TEXT, lambda e: e.repository),
    "branch": (TEXT, lambda e: e.branch),
    "event": (TEXT, lambda e: e.event.value),
    "run": (TEXT, lambda e: e.run),
    "commit": (TEXT, lambda e: e.commit),
    "time": (TIME, lambda e: e.time),
    "tools": (TEXTS, lambda e: e.tools),
}

ALIASES: Columns[Alias] = {
    "problem": (TEXT, lambda a: a.problem),
    "advisory": (TEXT, lambda a: a.advisory),
    "fingerprint": (TEXT, lambda a: a.fingerprint),
    "tool": (TEXT, lambda a: a.tool),
    "rule_id": (TEXT, lambda a: a.rule_id),
    "package_version": (TEXT, lambda a: a.package_version),
    "run": (TEXT, lambda a: a.run),
    "file": (TEXT, lambda a: a.file),
    "pointer": (TEXT, lambda a: a.pointer),
}

RENAMES: Columns[Rename] = {
    "repository": (TEXT, lambda r: r.repository),
    "branch": (TEXT, lambda r: r.branch),
    "from_commit": (TEXT, lambda r: r.from_commit),
    "to_commit": (TEXT, lambda r: r.to_commit),
    "old_path": (TEXT, lambda r: r.old_path),
    "new_path": (TEXT, lambda r: r.new_path),
    "old_fingerprint": (TEXT, lambda r: r.old_fingerprint),
    "new_fingerprint": (TEXT, lambda r: r.new_fingerprint),
}

TRIAGE: Columns[Triage] = {
    "problem": (TEXT, lambda t: t.problem),
    "repository": (TEXT, lambda t: t.repository),
    "branch": (TEXT, lambda t: t.branch),
    "decision": (TEXT, lambda t: t.decision.value),
    "rule": (TEXT, lambda t: t.rule),
    "reason": (TEXT, lambda t: t.reason),
    "evidence": (TEXTS, lambda t: t.evidence),
    "exploited": (FLAG, lambda t: t.exploited),
    "fits": (TEXTS, lambda t: t.fits),
}

FIXES: Columns[Fix] = {
    "id": (TEXT, lambda f: f.id),
    "problem": (TEXT, lambda f: f.problem),
    "fingerprint": (TEXT, lambda f: f.fingerprint),
    "kind": (TEXT, lambda f: f.proposal.kind),
    "approach": (TEXT, lambda f: f.proposal.approach),
    "title": (TEXT, lambda f: f.proposal.title),
    "lane": (TEXT, lambda f: f.lane),
    "method": (TEXT, lambda f: f.certificate.method.value),
    "verdict": (TEXT, lambda f: f.certificate.verdict.value),
    "paths": (TEXTS, lambda f: sorted({edit.path for edit in f.proposal.edits})),
}

ABSTENTIONS: Columns[Abstention] = {
    "problem": (TEXT, lambda a: a.problem),
    "reason_code": (TEXT, lambda a: a.reason_code),
    "reason": (TEXT, lambda a: a.reason),
}

FORGED_PAIRS: Columns[ForgedPair] = {
    "id": (TEXT, lambda p: p.id),
    "kind": (TEXT, lambda p: p.kind),
    "origin": (TEXT, lambda p: p.origin),
    "licence": (TEXT, lambda p: p.licence),
    "path": (TEXT, lambda p: p.path),
    "language": (TEXT, lambda p: p.language),
    "tool": (TEXT, lambda p: p.finding.result.tool),
    "rule_id": (TEXT, lambda p: p.finding.result.rule_id),
    "approach": (TEXT, lambda p: p.fix.proposal.approach),
    "diff": (TEXT, lambda p: p.fix.diff),
}

ANALYSES: Columns[Analysis] = {
    "problem": (TEXT, lambda a: a.problem),
    "repository": (TEXT, lambda a: a.repository),
    "branch": (TEXT, lambda a: a.branch),
    "status": (TEXT, lambda a: a.status.value),
    "reason_code": (TEXT, lambda a: a.reason_code),
    "title": (TEXT, lambda a: a.facts.title),
    "evidence_severity": (TEXT, lambda a: a.facts.severity.value),
    "classification": (TEXT, lambda a: a.reading and a.reading.classification.value),
    "severity": (TEXT, lambda a: a.reading and a.reading.severity.value),
    "impact": (TEXT, lambda a: a.reading and a.reading.impact),
    "remediation": (TEXT, lambda a: a.reading and a.reading.remediation),
    "model": (TEXT, lambda a: a.model),
    "knowledge": (TEXT, lambda a: a.knowledge),
    "prompt_tokens": (INTEGER, lambda a: a.prompt_tokens),
    "answer_tokens": (INTEGER, lambda a: a.answer_tokens),
    "tries": (INTEGER, lambda a: a.tries),
}

DOCUMENTS: Columns[Document] = {
    "id": (TEXT, lambda d: d.id),
    "kind": (TEXT, lambda d: d.kind.value),
    "problem": (TEXT, lambda d: d.group),
    "repository": (TEXT, lambda d: d.repository),
    "title": (TEXT, lambda d: d.title),
    "text": (TEXT, lambda d: d.text),
    "keys": (TEXTS, lambda d: d.keys),
    "severity": (TEXT, lambda d: d.metadata.get("severity")),
    "category": (TEXT, lambda d: d.metadata.get("category")),
    "path": (TEXT, lambda d: d.metadata.get("path")),
    "fix_kind": (TEXT, lambda d: d.metadata.get("fix_kind")),
}
