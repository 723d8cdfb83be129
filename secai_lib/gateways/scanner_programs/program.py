"""What a scanner is to us, and what several of them share."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from secai_lib.gateways.scan_tree import ScanTree

ARGV_CHARS = 100_000
"""Characters of file names on one command line; the smallest usual limit is 128 KiB."""
EPOCH = "1970-01-01T00:00:00Z"
"""Stands for the time at which a report was made."""


@dataclass(frozen=True)
class Call:
    """What a scanner is asked to do."""

    program: str
    """Absolute path of the program."""
    tree: ScanTree
    """The folder, which is also the working directory unless `cwd` says otherwise."""
    rules_dir: Path
    """Our rules (`<rules_dir>/semgrep`)."""
    home: Path
    """A private folder for this run."""
    separate: bool
    """True when the folder's sub-folders have nothing to do with each other."""
    timeout_s: float
    """Seconds the scanner may take altogether."""


@dataclass(frozen=True)
class Scanner:
    """One scanner."""

    tool: str
    """Slug, program name and name of the distribution on PyPI."""
    place: Literal["beside", "own"]
    """`beside` our own interpreter, or in an environment of its `own` below the tools folder."""
    file_name: str
    """Name of its report."""
    cost: int
    """Seconds on a small repository, roughly; the slowest start first."""
    ran: frozenset[int]
    """Exit codes that mean it did its work."""
    reads: Callable[[ScanTree], tuple[str, ...]]
    """The files it would read; nothing is started when there are none."""
    commands: Callable[[Call, tuple[str, ...]], Iterator[list[str]]]
    """Command lines for those files; several when one would be too long."""
    merge: Callable[[Sequence[Any]], Any]
    """The reports of all command lines as one, in the tool's own format and a fixed order."""
    unread: Callable[[Any, str, tuple[str, ...]], tuple[str, ...]]
    """Files it could not understand, from the report, its log and the files given."""
    cwd: Literal["tree", "root"] = "tree"
    """Where it runs."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables of its own."""
    slash: bool = False
    """True when its paths begin with `/`, meaning the scanned folder."""
    size_cap: int = 0
    """Files above this many bytes are not given to it; 0 for no cap."""


def named(pattern: str) -> Callable[[ScanTree], tuple[str, ...]]:
    """Picks the files of a folder whose path matches `pattern`."""
    regex = re.compile(pattern)
    return lambda tree: tuple(path for path in tree.files if regex.search(path))


def chunks(files: tuple[str, ...]) -> Iterator[list[str]]:
    """The files as arguments, in pieces that fit on one command line each."""
    chunk: list[str] = []
    used = 0
    for path in files:
        name = f"./{path}" if path.startswith("-") else path
        if chunk and used + len(name.encode()) > ARGV_CHARS:
            yield chunk
            chunk, used = [], 0
        chunk.append(name)
        used += len(name.encode()) + 1
    if chunk:
        yield chunk


def errors_of(key: str) -> Callable[[Any, str, tuple[str, ...]], tuple[str, ...]]:
    """Picks the files that the errors of a report name under `key`."""

    def unread(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
        errors = report.get("errors", []) if isinstance(report, dict) else []
        paths = {str(error.get(key, "")).removeprefix("./") for error in errors}
        return tuple(sorted(paths & set(files)))

    return unread


def all_read(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
    """No file: this scanner does not say what it could not read."""
    return ()


def without_clock(report: Any) -> Any:
    """`report` without the time it was made and how long it took: same input, same bytes."""
    if isinstance(report, dict):
        if "generated_at" in report:
            report = {**report, "generated_at": EPOCH}
        return {key: value for key, value in report.items() if key != "time"}
    return report
