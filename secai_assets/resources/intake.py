"""From what a person names (a folder, a zip, the demo) to a scan request."""

from datetime import UTC, datetime
from pathlib import Path

from secai_assets.resources.house import House
from secai_assets.resources.reports import redacted
from secai_lib.core.errors import UsageError
from secai_lib.core.scan import FilesScan, LeftOut, LocalScan
from secai_lib.gateways.archive import read_reports
from secai_lib.gateways.sample import create_sample, sample_reports

DEMO = "demo"
"""The name of the bundled sample wherever a repository's path is expected."""


def local_scan(house: House, path: str) -> tuple[LocalScan, str]:
    """The request to scan the commit that is checked out at `path`, and a note for the user.

    The commit is copied to our sources. `demo` is the bundled sample, which brings reports of the
    scanners that do not run here. The note says what is not scanned, and is mostly empty.

    Raises:
        SourceError: no repository, no commit, or it cannot be read.
    """
    if path == DEMO:
        folder = create_sample(house.project.home / DEMO)
        reports = dict(read_reports(sample_reports(), house.limits))
        inbox = house.store.put_inbox(*redacted(reports))
    else:
        folder, inbox = Path(path), ""
    snapshot = house.source.snapshot(folder)
    request = LocalScan(
        repository=snapshot.repository,
        commit=snapshot.commit,
        branch=snapshot.branch,
        scanners=house.settings.scanners.enabled,
        reports=inbox,
        created_at=snapshot.committed_at,
    )
    changed = snapshot.uncommitted
    note = f"{changed} changed file(s) are not committed and so not scanned" if changed else ""
    return request, note


def files_scan(
    house: House, path: Path, *, repository: str, commit: str = "", branch: str = ""
) -> FilesScan:
    """The request to take the reports at `path` (file, folder or zip), copied to the inbox.

    Secrets that a tool printed are taken out of them first.

    Raises:
        UsageError: nothing is there.
        UnsafeArchive: an archive broke a limit or tried to escape.
    """
    if not path.exists():
        raise UsageError(f"there is nothing at {path}")
    left_out: list[LeftOut] = []
    files = dict(read_reports(path, house.limits, left_out))
    if not files:
        raise UsageError(f"{path} holds no file: name a report, a folder of reports or a zip")
    newest = max(p.stat().st_mtime for p in (path, *path.rglob("*")) if p.is_file())
    return FilesScan(
        repository=repository,
        commit=commit,
        branch=branch,
        inbox=house.store.put_inbox(*redacted(files)),
        left_out=tuple(left_out),
        created_at=datetime.fromtimestamp(newest, tz=UTC),
    )
