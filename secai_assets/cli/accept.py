"""`secai accept`: a finding that people decide to live with, written into their repository."""

from datetime import date, timedelta
from pathlib import Path

import typer

from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError
from secai_lib.core.triage import Acceptance
from secai_lib.gateways.store import write_synced
from secai_lib.problems import FILE, with_acceptance


def accept_finding(what: str, repo: Path, path: str, reason: str, until: str, by: str) -> None:
    """Add an entry for `what` (a fingerprint, or `tool:rule`) to the `.secai.yaml` of `repo`.

    Raises:
        UsageError: it is no checkout, the reason is too short, the day is over or too far away,
            or the file there cannot be read.
    """
    if not (repo / ".git").exists():
        raise UsageError(f"{repo} is not the top folder of a git checkout")
    house = House()
    days = house.settings.triage.policy.max_days
    last = house.today + timedelta(days=days)
    try:
        day = date.fromisoformat(until)
    except ValueError as error:
        raise UsageError(f"--until {until}: write the day as YYYY-MM-DD") from error
    if not house.today <= day <= last:
        raise UsageError(f"--until {until}: choose a day up to {last} (triage.policy.max_days)")
    is_rule = ":" in what
    try:
        entry = Acceptance(fingerprint="" if is_rule else what, rule=what if is_rule else "",
                           path=path, reason=reason, until=day, by=by)  # fmt: skip
    except ValueError as error:
        raise UsageError(
            'name a fingerprint (16 hex digits, see `secai sql "from findings"`) or a rule '
            "(`tool:rule`), and a reason of at least ten letters"
        ) from error
    file = repo / FILE
    try:
        text = file.read_text("utf-8") if file.exists() else ""
        write_synced(file, with_acceptance(text, entry).encode())
    except (ValueError, OSError) as error:
        raise UsageError(f"{FILE} cannot be changed: {error}") from error
    typer.echo(f"{FILE}: accepted {what} until {day}. Commit it; it counts from the next scan on.")
