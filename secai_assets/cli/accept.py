"""`secai accept`: a person lives with a finding until a day; written into the checkout."""

from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console

from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError
from secai_lib.core.triage import Policy
from secai_lib.gateways.store import write_synced
from secai_lib.problems import POLICY_FILE, read_policy, with_acceptance


def accept_finding(repo: Path, fingerprint: str, *, reason: str, until: str, by: str) -> None:
    """Add an acceptance to `repo`'s `.secai.yaml`, its comments kept.

    Raises:
        UsageError: the folder or the day is none, the entry or the file would not be read, the
            finding is accepted already, or the file cannot be written.
    """
    file = repo / POLICY_FILE
    if not repo.is_dir() or file.is_symlink():
        raise UsageError(f"{POLICY_FILE} belongs, as a plain file, into the folder of a checkout")
    try:
        text = file.read_text("utf-8") if file.exists() else ""
        day = date.fromisoformat(until)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{POLICY_FILE} cannot be read; correct it first") from error
    except ValueError as error:
        raise UsageError(f"--until {until}: a day such as 2026-12-31") from error
    before = _read(text)
    if any(entry.fingerprint == fingerprint for entry in before.acceptances):
        raise UsageError(f"{fingerprint} is in {POLICY_FILE} already; change its day there")
    after = with_acceptance(text, fingerprint=fingerprint, reason=reason, until=day, by=by)
    _read(after)
    try:
        write_synced(file, after.encode())
    except OSError as error:
        raise UsageError(f"{POLICY_FILE} cannot be written: {error.strerror}") from error
    Console(highlight=False).print(
        f"Accepted until {day.isoformat()}. Commit {shown(POLICY_FILE)}: it counts from the next "
        "scan of that commit on."
    )


def _read(text: str) -> Policy:
    """What `text` says; a fault is a usage error."""
    policy = read_policy(
        text,
        repository="",
        branch="",
        commit="",
        judged=datetime.now(UTC).date(),
        max_days=House().settings.triage.accepted_max_days,
    )
    if policy.faults:
        raise UsageError("; ".join(policy.faults))
    return policy
