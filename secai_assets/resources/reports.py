"""Report files on their way in: what is secret goes before anything is written."""

from collections.abc import Mapping

from secai_lib.code_context import Secrets
from secai_lib.core.fix import SourceFiles
from secai_lib.core.record import sha256_hex
from secai_lib.core.scan import RawFile
from secai_lib.findings import distinct, intake
from secai_lib.parsers import parse_report
from secai_lib.parsers.redaction import redact_report


def redacted(
    received: Mapping[str, bytes], known: Mapping[str, str] | None = None
) -> tuple[dict[str, bytes], list[RawFile]]:
    """The files to store, sorted by path, and what became of each.

    `known` are secrets of the source (text -> what to show instead).
    """
    files: dict[str, bytes] = {}
    listed: list[RawFile] = []
    for name in sorted(received):
        files[name], redactions = redact_report(name, received[name], known)
        listed.append(
            RawFile(
                path=name,
                sha256=sha256_hex(files[name]),
                original_sha256=sha256_hex(received[name]),
                size=len(files[name]),
                redactions=redactions,
            )
        )
    return files, listed


def secrets_of(received: Mapping[str, bytes], source: SourceFiles) -> Mapping[str, str]:
    """The secrets that the reports `received` find in `source`, with what to show instead.

    One scanner shows the line in which only another one sees a secret.
    """
    reports, _ = intake(sorted(received.items()), parse_report)
    found = distinct(reports, repository="", run="", commit="")
    return Secrets(found, source).texts()
