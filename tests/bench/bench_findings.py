"""What a finding costs from report to SQL: stored, deduped, joined and asked for.

Each size has a process and a home of its own, so that its peak of memory is its own.
SECAI_BENCH_FINDINGS names other sizes.
"""

import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.table import Row

FINDINGS = (10_000, 100_000, 1_000_000)
A_FILE = 250_000
"""Results of one report file; a run of more has several."""


class Cost(NamedTuple):
    """What one size took."""

    findings: int
    seconds: float
    """From the report on the disk to an answer of the warehouse."""
    again: float
    """Of the same once more, when everything is known."""
    added: int
    """Rows that the second time added."""
    query: float
    """Of one question to the warehouse."""
    megabytes: float
    """Peak of memory."""


def run() -> Iterator[Row]:
    """The cost of a finding at each size against that at the first."""
    named = os.environ.get("SECAI_BENCH_FINDINGS", "")
    sizes = [int(size) for size in named.split(",")] if named else list(FINDINGS)
    first = 0.0
    for size in sizes:
        cost = _measured(size)
        each = 1e6 * cost.seconds / cost.findings
        first = first or each
        detail = (
            f"{each:.0f} us a finding, {cost.seconds:.1f} s, {cost.megabytes:,.0f} MB; known run "
            f"{cost.again:.2f} s with {cost.added} new rows; a query {1000 * cost.query:.0f} ms"
        )
        yield Row(f"{size:,} findings", first / each, f"a finding among {sizes[0]:,}", detail)


def _measured(size: int) -> Cost:
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder, context.Pool(1) as pool:
        return pool.apply(_cost, (size, folder))


def _cost(size: int, folder: str) -> Cost:
    reports = Path(folder) / "reports"
    reports.mkdir()
    for number, start in enumerate(range(0, size, A_FILE)):
        _write(reports / f"bandit-{number}.json", start, min(start + A_FILE, size))
    os.environ |= {"SECAI_HOME": f"{folder}/home", "DAGSTER_HOME": f"{folder}/home/dagster"}
    start_time = time.perf_counter()
    found = _ingest(reports)
    seconds = time.perf_counter() - start_time
    start_time = time.perf_counter()
    again = _ingest(reports)
    second = time.perf_counter() - start_time
    start_time = time.perf_counter()
    _ask("select severity, count(*) from problems where state = 'open' group by all")
    query = time.perf_counter() - start_time
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(found, seconds, second, again - found, query, peak)


def _ingest(reports: Path) -> int:
    """The findings in the warehouse after `reports` were taken in."""
    from secai_assets.assets.findings import parse_run
    from secai_assets.assets.problems import join_runs
    from secai_assets.assets.raw_scans import take_in
    from secai_assets.resources.house import House
    from secai_assets.resources.intake import files_scan

    house = House()
    key = house.add_request(files_scan(house, reports, repository="acme/shop", branch="main"))
    take_in(house, key, lambda _sentence: None)
    parse_run(house, key)
    join_runs(house)
    return int(_ask("select count(*) as n from findings")[0]["n"])


def _ask(query: str) -> list[dict[str, Any]]:
    from secai_assets.resources.house import House
    from secai_lib.gateways.warehouse import ask

    rows: list[dict[str, Any]] = ask(House().store, query).to_pylist()
    return rows


def _write(path: Path, start: int, end: int) -> None:
    """A report of bandit with the results `start` to `end`."""
    with path.open("w") as file:
        file.write(
            '{"errors": [], "generated_at": "2026-01-01T00:00:00Z", "metrics": {}, "results": ['
        )
        for number in range(start, end):
            line = 1 + number // 1_000
            row = {
                "code": f"{line} subprocess.call(value_{number}, shell=True)\n",
                "filename": f"src/package{number % 1_000 // 20}/module{number % 1_000}.py",
                "issue_confidence": "HIGH",
                "issue_cwe": {"id": 78, "link": "https://cwe.mitre.org/data/definitions/78.html"},
                "issue_severity": "HIGH",
                "issue_text": "subprocess call with shell=True identified, security issue.",
                "line_number": line,
                "line_range": [line],
                "more_info": "https://bandit.readthedocs.io/en/1.7.9/plugins/b602.html",
                "test_id": "B602",
                "test_name": "subprocess_popen_with_shell_equals_true",
            }
            file.write(("," if number > start else "") + json.dumps(row))
        file.write("]}")
