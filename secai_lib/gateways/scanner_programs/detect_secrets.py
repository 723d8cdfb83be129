"""detect-secrets: secrets in any file."""

from collections.abc import Iterator, Sequence
from typing import Any

from secai_lib.gateways.scanner_programs.program import Call, Scanner, all_read, chunks, named

MAX_BYTES = 5_000_000
"""Bytes; detect-secrets tries dozens of patterns on every line, larger files are data."""


def _commands(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    for chunk in chunks(files):
        yield [call.program, "scan", "--all-files", "--no-verify", "--", *chunk]


def _merge(reports: Sequence[Any]) -> Any:
    results = {path: found for report in reports for path, found in report["results"].items()}
    return {**reports[0], "results": results}


SCANNER = Scanner(
    tool="detect-secrets",
    place="beside",
    file_name="detect-secrets.json",
    cost=3,
    ran=frozenset({0}),
    reads=named("."),
    commands=_commands,
    merge=_merge,
    unread=all_read,
    size_cap=MAX_BYTES,
)
