"""Semgrep with our own rules: weaknesses of code in many languages."""

from collections.abc import Iterator, Sequence
from typing import Any

from secai_lib.gateways.scanner_programs.program import Call, Scanner, errors_of, named


def _commands(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # Without a project root of our own, semgrep takes the git repository around the folder and
    # its .semgrepignore and .gitignore, and then scans nothing without a word.
    yield [
        call.program,
        "scan",
        "--json",
        "--quiet",
        "--metrics=off",
        "--disable-version-check",
        "--no-git-ignore",
        "--no-rewrite-rule-ids",
        "--oss-only",
        "--no-autofix",
        "--timeout=20",
        "--jobs=2",
        "--project-root=.",
        f"--config={call.rules_dir / 'semgrep'}",
        ".",
    ]


def _merge(reports: Sequence[Any]) -> Any:
    return reports[0]


SCANNER = Scanner(
    tool="semgrep",
    place="own",
    file_name="semgrep.json",
    cost=5,
    ran=frozenset({0, 1}),
    reads=named("."),
    commands=_commands,
    merge=_merge,
    unread=errors_of("path"),
)
