"""zizmor: weaknesses of GitHub workflows and actions."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from secai_lib.gateways.scanner_programs.program import Call, Scanner, chunks, named

_CONFIGS = ("zizmor.yml", "zizmor.yaml", ".github/zizmor.yml", ".github/zizmor.yaml")
_COMPLETED = re.compile(r"completed (.+)$", re.MULTILINE)


def _commands(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # Left alone, zizmor looks for zizmor.yml in every parent folder, that is in *our* project.
    own = [name for name in _CONFIGS if name in call.tree.files]
    config = ["--config", own[0]] if own and not call.separate else ["--no-config"]
    for chunk in chunks(files):
        yield [
            call.program,
            "--offline",
            *config,
            "--format",
            "json",
            "--no-progress",
            "--color",
            "never",
            "--no-exit-codes",
            "--",
            *chunk,
        ]


def _merge(reports: Sequence[Any]) -> Any:
    return [item for report in reports for item in report]


def _unread(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
    # A workflow that does not parse is left out with a warning that does not name it.
    done = {name.strip().removeprefix("./") for name in _COMPLETED.findall(log)}
    return tuple(path for path in files if path not in done)


SCANNER = Scanner(
    tool="zizmor",
    place="beside",
    file_name="zizmor.json",
    cost=1,
    ran=frozenset({0, 3}),
    reads=named(
        r"(^|/)\.github/workflows/[^/]+\.ya?ml$|(^|/)action\.ya?ml$"
        r"|(^|/)\.github/dependabot\.ya?ml$"
    ),
    commands=_commands,
    merge=_merge,
    unread=_unread,
)
