"""What is worth remembering of a problem: what was found, the code, the reading, the proven fix."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.analysis import Analysis
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import (
    Finding,
    Location,
    LockfileLocation,
    SourceLocation,
)
from secai_lib.core.fix import Fix, ProofVerdict
from secai_lib.core.knowledge import Document, DocumentKind, Query
from secai_lib.core.problem import Problem
from secai_lib.core.record import Record, content_hash
from secai_lib.rag.text import one_line, plain

TEXT = 1500
"""Characters of a document: MiniLM reads 256 word pieces, the words lane reads the rest."""
PART = 700
"""Characters of one part (an explanation, a message) so that none crowds out the others."""
TITLE = 160
"""Characters of a title."""


class Remembered(Record):
    """Everything that is known of the problems of one branch."""

    problems: tuple[Problem, ...]
    """Its problems, open and fixed."""
    findings: tuple[Finding, ...]
    """Their findings, each once."""
    contexts: tuple[CodeContext, ...]
    """The code round these."""
    analyses: tuple[Analysis, ...]
    """What a model read; abstentions are no knowledge and are passed over."""
    fixes: tuple[Fix, ...]
    """Fixes; only proven ones are remembered."""


def documents_of(places: Iterable[Remembered]) -> list[Document]:
    """The documents of all `places`, sorted by id, each once."""
    made = {d.id: d for place in places for d in _of_place(place)}
    return [made[number] for number in sorted(made)]


def query_of(problem: Problem, findings: Sequence[Finding]) -> Query:
    """What finds the neighbours of `problem`: its words and its keys, itself left out.

    Neither code nor path: they find what else is wrong in the same file, not what is alike
    (measured on the sample: 0.67 of the first fixes are of the right kind with code, 0.89 without).
    """
    said = [_finding_text(f) for f in findings if f.fingerprint in problem.fingerprints]
    text = plain("\n".join([problem.title, *said[:1]]), TEXT)
    path = _path(problem.location).lower()
    keys = tuple(key for key in keys_of(problem) if key != path)
    return Query(text=text, keys=keys, exclude=problem.id)


def keys_of(problem: Problem, *more: str) -> tuple[str, ...]:
    """The exact keys of `problem` and `more`: rules, advisories, CWEs, package, path."""
    rules = [part for rule in problem.rules for part in (rule, rule.partition(":")[2])]
    package = [problem.package.name] if problem.package else []
    keys = [*rules, *problem.cwes, *problem.advisories, *package, _path(problem.location), *more]
    return tuple(sorted({one_line(key, TITLE).lower() for key in keys} - {""}))


def _of_place(place: Remembered) -> Iterable[Document]:
    findings = {f.fingerprint: f for f in place.findings}
    contexts = {c.fingerprint: c for c in place.contexts}
    fixes = [f for f in place.fixes if f.certificate.verdict is ProofVerdict.PROVEN]
    readings = {a.problem: a for a in place.analyses if a.reading}
    for problem in place.problems:
        for fingerprint in problem.fingerprints:
            if found := findings.get(fingerprint):
                yield _document(DocumentKind.FINDING, problem, _finding_text(found))
            if (code := contexts.get(fingerprint)) and code.snippet:
                yield _document(DocumentKind.CODE, problem, _code_text(code))
        if analysis := readings.get(problem.id):
            yield _document(DocumentKind.ANALYSIS, problem, _reading_text(analysis))
        for fix in fixes:
            if fix.problem == problem.id:
                yield _fix_document(problem, fix)


def _document(
    kind: DocumentKind,
    problem: Problem,
    text: str,
    *,
    title: str = "",
    keys: Sequence[str] = (),
    metadata: Mapping[str, str] = {},
) -> Document:
    text = plain(text, TEXT)
    return Document(
        id=content_hash(kind, problem.id, text),
        kind=kind,
        group=problem.id,
        repository=problem.repository,
        title=one_line(title or problem.title, TITLE),
        text=text,
        keys=keys_of(problem, *keys),
        metadata={
            "branch": one_line(problem.branch, TITLE),
            "category": problem.category.value,
            "fingerprints": " ".join(problem.fingerprints),
            "path": one_line(_path(problem.location), TITLE),
            "severity": problem.severity.value,
            "state": problem.state.value,
            "tools": ", ".join(problem.tools),
            **metadata,
        },
    )


def _fix_document(problem: Problem, fix: Fix) -> Document:
    proposal = fix.proposal
    changed = [
        line for line in fix.diff.splitlines() if not line.startswith(("diff ", "--- ", "+++ "))
    ]
    parts = (f"{problem.title}: {proposal.title}", proposal.explanation, "\n".join(changed))
    return _document(
        DocumentKind.FIX,
        problem,
        "\n".join(plain(part, PART) for part in parts),
        title=proposal.title,
        keys=(proposal.kind, *(edit.path for edit in proposal.edits)),
        metadata={"fix": fix.id, "fix_kind": proposal.kind, "approach": proposal.approach},
    )


def _finding_text(finding: Finding) -> str:
    result = finding.result
    package = f"{result.package.name} {result.package.version}" if result.package else ""
    ids = " ".join((result.rule_id, *result.cwes, *result.advisories, package))
    said = "" if result.message.startswith(result.title) else result.title
    return "\n".join(
        part
        for part in (said, *(plain(t, PART) for t in (result.message, result.help, ids)))
        if part
    )


def _code_text(code: CodeContext) -> str:
    scope = code.function or code.enclosing
    where = f"{code.language} {scope.kind} {scope.name}".strip() if scope else code.language
    return "\n".join(part for part in (f"{code.path} {where}".strip(), code.snippet) if part)


def _reading_text(analysis: Analysis) -> str:
    reading = analysis.reading
    assert reading is not None  # noqa: S101 - the caller passes over abstentions
    said = (reading.root_cause, reading.impact, *reading.attack_vectors, reading.remediation)
    words = reading.classification.value.replace("_", " ")
    return "\n".join((f"{analysis.facts.title}: {words}", *said, reading.prevention))


def _path(place: Location) -> str:
    return place.path if isinstance(place, SourceLocation | LockfileLocation) else ""
