"""What is fuzzed: one target for each parser of the registry, and the archive reader."""

import ast
import inspect
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.gateways import archive, zip_checks
from secai_lib.parsers import document
from secai_lib.parsers.reading import recognise
from secai_lib.parsers.registry import PARSERS
from tests.fuzz import mutate_zip
from tests.fuzz.mutate import mutate_report
from tests.fuzz.oracles import examine_archive, examine_report

SAMPLES = Path(__file__).parents[1] / "samples"
SHARED = ("document", "node", "paths", "reading", "redaction", "secrets", "severity", "tally")
"""Modules of the parsers' room whose words every report may hold."""
_LONGEST_WORD = 40


@dataclass(frozen=True)
class Target:
    """Something that takes any bytes."""

    name: str
    """The parser's slug, or `archive`."""
    check: Callable[[bytes], object]
    """Raises when something happened that must not."""
    mutate: Callable[[bytes, Random], bytes]
    """An input made of another one."""
    seeds: tuple[bytes, ...]
    """Sound inputs to begin with."""
    modules: tuple[Path, ...]
    """The files that are this target's own."""


def targets() -> dict[str, Target]:
    """Every target by name; a parser without a sample is an error, as it would never be reached."""
    found = {"archive": _archive_target()}
    folders = _folders_by_parser()
    for parser in PARSERS:
        own = Path(inspect.getfile(type(parser)))
        modules = (own, *sorted(own.parent.glob(f"{own.stem}_*.py")))
        seeds = tuple(
            path.read_bytes()
            for folder in folders[parser.name]
            for path in sorted(folder.iterdir())
            if path.suffix in {".json", ".jsonl", ".sarif", ".xml"}
        )
        words = _words([*modules, *(own.with_name(f"{name}.py") for name in SHARED)])
        mutate = partial(mutate_report, words=words)
        found[parser.name] = Target(parser.name, _check_report, mutate, seeds, modules)
    return found


def _check_report(data: bytes) -> None:
    examine_report("report.xml" if data.lstrip()[:1] == b"<" else "report.json", data)


def _check_archive(data: bytes) -> None:
    place = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        path = Path(folder) / "scans.zip"
        path.write_bytes(data)
        examine_archive(path)


def _archive_target() -> Target:
    modules = (Path(archive.__file__), Path(zip_checks.__file__))
    return Target(
        "archive", _check_archive, mutate_zip.mutate_zip, tuple(mutate_zip.seeds()), modules
    )


def _folders_by_parser() -> dict[str, list[Path]]:
    """The sample folders in which a parser finds a report of its own."""
    found: dict[str, list[Path]] = {}
    for path in sorted(SAMPLES.glob("*/*")):
        try:
            name = recognise(document.decode(path.name, path.read_bytes())).name
        except (MalformedScan, UnknownFormat):
            continue
        if path.parent not in found.setdefault(name, []):
            found[name].append(path.parent)
    return found


def _words(files: Sequence[Path]) -> tuple[str, ...]:
    """The short texts in the code of `files`: the names and values it looks for."""
    constants = (
        node.value
        for file in files
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return tuple(sorted({text for text in constants if 0 < len(text) <= _LONGEST_WORD}))
