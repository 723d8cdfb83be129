"""Reports into typed results, against `json.load` of the same file in the same process.

SECAI_BENCH_MEGABYTES names other sizes.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from secai_lib.parsers import parse_report
from tests.bench.reports import SHAPES, write
from tests.bench.table import Row

MEGABYTES = (1, 8, 64)


def run() -> Iterator[Row]:
    """A row for each format and size, smallest first."""
    named = os.environ.get("SECAI_BENCH_MEGABYTES", "")
    sizes = [int(size) for size in named.split(",")] if named else list(MEGABYTES)
    for size in sizes:
        for name in SHAPES:
            yield _row(name, size)


def _row(name: str, size: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"report.{'sarif' if name == 'sarif' else 'json'}"
        write(path, name, size)
        number = path.stat().st_size / 10**6
        repeats = 5 if size < 16 else 2
        plain = best(repeats, lambda: json.loads(path.read_bytes()))
        ours = best(repeats, lambda: parse_report(path.name, path.read_bytes()))
        results = parse_report(path.name, path.read_bytes()).raw_results
    detail = f"{number / ours:.0f} MB/s, json.load {number / plain:.0f}; {results:,} results"
    return Row(f"{name}, {size} MB", plain / ours, "json.load", detail)


def best(repeats: int, work: Callable[[], object]) -> float:
    """Seconds of the quickest of some runs."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)
