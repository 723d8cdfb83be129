"""`secai fix`: proven fixes for a checkout, as a patch, a comment, SARIF or JSON."""

import sys
from collections import Counter
from pathlib import Path

from rich.console import Console

from secai_assets.assets.fixes import Place
from secai_assets.assets.report import gather
from secai_assets.cli.flow import finish
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_assets.resources.intake import DEMO, local_scan
from secai_assets.run import run_flow
from secai_lib.core.errors import GateRefused, UsageError
from secai_lib.core.finding import Severity
from secai_lib.gateways.source import apply_patch
from secai_lib.report.decisions import failing
from secai_lib.report.model import RepositoryReport

FILES = {
    "patch": "fixes.patch",
    "comment": "comment.md",
    "sarif": "fixes.sarif",
    "json": "problems.json",
}


def fix_repository(
    repo: str,
    output_format: str,
    output: Path | None,
    fail_on: str,
    *,
    apply: bool,
    strict: bool = False,
) -> None:
    """Run the flow on `repo` and hand over its result in `output_format`.

    Raises:
        UsageError: unknown format or severity.
        GateRefused: an open problem is at least as bad as `fail_on`; with `strict` also a false
            positive, an accepted one or a duplicate.
    """
    if output_format not in FILES:
        raise UsageError(f"--format {output_format}: choose one of {', '.join(FILES)}")
    if fail_on and fail_on not in list(Severity):
        raise UsageError(f"--fail-on {fail_on}: choose one of {', '.join(Severity)}")
    if apply and repo == DEMO:
        raise UsageError("--apply changes a checkout; the bundled sample is not one: name your own")
    notes = Console(stderr=True, highlight=False)
    house = House()
    request, note = local_scan(house, repo)
    if note:
        notes.print(f"[yellow]Note:[/] {note}")
    outcome = run_flow(house, [house.add_request(request)])
    finish(outcome)
    place = Place(request.repository, request.branch)
    gathered = gather(house, place)
    data = house.store.read("report", FILES[output_format], place.key)
    if output:
        output.write_bytes(data)
    elif not apply:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    counts = gathered.counts
    notes.print(
        f"{counts.problems} open problems, {counts.problems_fixed} with a proven fix, "
        f"{counts.in_patch} fixes in the patch"
    )
    if apply and gathered.patch:
        changed = apply_patch(Path(repo), gathered.patch)
        notes.print(
            f"Applied to {len(changed)} file(s): {shown(', '.join(changed), 2000)}", soft_wrap=True
        )
    _judge(gathered, fail_on, strict=strict)


def _judge(report: RepositoryReport, fail_on: str, *, strict: bool) -> None:
    if not fail_on:
        return
    bad, quiet = failing(report, Severity(fail_on), strict=strict)
    counts = Counter(problem.severity for problem in bad)
    if bad:
        listed = ", ".join(f"{counts[s]} {s.value}" for s in Severity if counts[s])
        apart = f" ({quiet} more are shown apart: see the report)" if quiet else ""
        raise GateRefused(f"open problems of severity {fail_on} or worse: {listed}{apart}")
