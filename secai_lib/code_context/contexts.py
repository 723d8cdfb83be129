"""The code context of every finding of a scan run."""

from collections.abc import Sequence

from secai_lib.code_context.secrets import file_views, hide_secrets
from secai_lib.code_context.view import CodeLocation
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import Finding, NoLocation, SourceLocation
from secai_lib.core.fix import SourceFiles

_NOT_CODE = {
    "image": "The finding is about a container image, not about a file of the repository.",
    "archive": "The finding is about an archive in an image, not about a file of the repository.",
    "url": "The finding is about a request; see the route behind it.",
}


def contexts(
    findings: Sequence[Finding],
    files: SourceFiles | None,
    *,
    context_lines: int = 6,
    max_lines: int = 60,
) -> list[CodeContext]:
    """One context for each of `findings`, in their order.

    `files` are those of the scanned commit, None when it is not here. A range longer than
    `max_lines` lines is not widened to its whole block, and cut. Secrets are redacted: those of
    every finding in `findings`, whichever finding the context belongs to.
    """
    views = file_views(findings, files)
    hide_secrets(findings, views)
    made = []
    for finding in findings:
        place = finding.result.location
        if not isinstance(place, CodeLocation):
            reason = place.reason if isinstance(place, NoLocation) else _NOT_CODE[place.kind]
            made.append(_nothing(finding, ContextStatus.NOT_CODE, "", reason))
        elif view := views.get(place.path):
            column = place.start_column if isinstance(place, SourceLocation) else None
            found = view.locate(finding, place)
            made.append(view.context(finding.fingerprint, found, column, context_lines, max_lines))
        else:
            reason = _why_absent(files, place.path)
            made.append(_nothing(finding, ContextStatus.NO_SOURCE, place.path, reason))
    return made


def _nothing(finding: Finding, status: ContextStatus, path: str, reason: str) -> CodeContext:
    return CodeContext(fingerprint=finding.fingerprint, status=status, path=path, reason=reason)


def _why_absent(files: SourceFiles | None, path: str) -> str:
    if files is None:
        return "The source at the scanned commit is not here; scan a checkout of it."
    if path in files.paths():
        return "The file is binary or too large to be read."
    return "The scanned commit has no such file."
