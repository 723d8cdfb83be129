"""Bandit: weaknesses of Python code."""

from collections.abc import Iterator, Sequence
from typing import Any

from secai_lib.gateways.scanner_programs.program import (
    EPOCH,
    Call,
    Scanner,
    chunks,
    errors_of,
    named,
)


def _commands(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # A `.bandit` file of the repository could name an output file to overwrite: ours is empty.
    ini = call.home / "bandit.ini"
    ini.write_text("[bandit]\n", encoding="utf-8")
    for chunk in chunks(files):
        yield [
            call.program,
            "--quiet",
            "--format",
            "json",
            "--exit-zero",
            "--ini",
            str(ini),
            "--",
            *chunk,
        ]


def _merge(reports: Sequence[Any]) -> Any:
    metrics: dict[str, dict[str, int]] = {}
    for report in reports:
        for path, counts in report["metrics"].items():
            sums = metrics.setdefault(path, {})
            for name, count in counts.items():
                sums[name] = sums.get(name, 0) + count
    return {
        "errors": [item for report in reports for item in report["errors"]],
        "generated_at": EPOCH,
        "metrics": metrics,
        "results": [item for report in reports for item in report["results"]],
    }


SCANNER = Scanner(
    tool="bandit",
    place="beside",
    file_name="bandit.json",
    cost=2,
    ran=frozenset({0}),
    reads=named(r"\.pyw?$"),
    commands=_commands,
    merge=_merge,
    unread=errors_of("filename"),
)
