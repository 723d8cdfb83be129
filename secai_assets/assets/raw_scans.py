"""Scan runs as received: from GitHub, from files somebody handed us, or scanned here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import dagster as dg

from secai_assets import metadata
from secai_assets.failures import RETRY
from secai_assets.partitions import each_partition, scan_run
from secai_assets.resources.house import House
from secai_assets.resources.reports import redacted, secrets_of
from secai_lib.core.errors import Expired, SourceError, UnsafeArchive
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.scan import (
    FilesScan,
    GithubScan,
    LocalScan,
    RawFile,
    ScanRequest,
    ScanRun,
    ToolRun,
)
from secai_lib.gateways.archive import ArchiveLimits, read_reports
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.github import GithubActions
from secai_lib.gateways.github_records import folder_names

DOORS = tuple(
    f"gateways/{name}"
    for name in (
        "archive",
        "github",
        "github_records",
        "programs",
        "scan_tree",
        "scanner_programs",
        "scanners",
        "zip_checks",
    )
)
"""Whose code decides what a scan run holds."""

Say = Callable[[str], None]


@dataclass
class Received:
    """What came of a request."""

    files: dict[str, bytes] = field(default_factory=dict)
    """Path inside the run -> content."""
    tools: list[ToolRun] = field(default_factory=list)
    """What the scan itself recorded of its scanners."""
    refused: list[str] = field(default_factory=list)
    """Artifacts that broke a limit, each `name: reason`."""
    gone: list[str] = field(default_factory=list)
    """Artifacts that GitHub no longer has."""

    @property
    def expired(self) -> bool:
        """True when there were artifacts and GitHub has none of them any more."""
        return bool(self.gone) and not self.files and not self.refused


@dg.asset(
    partitions_def=scan_run,
    group_name="ingest",
    kinds={"github", "file"},
    owners=["team:secai"],
    retry_policy=RETRY,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def raw_scans(
    context: dg.AssetExecutionContext, house: dg.ResourceParam[House]
) -> dg.MaterializeResult[None]:
    """The report files of a scan run, byte for byte, with secrets that a tool printed redacted.

    A partition is one run: an attempt of a GitHub Actions workflow run, a commit scanned with the
    scanners installed here, or a folder, file or zip handed to `secai ingest`.
    """

    def make(key: str) -> dict[str, dg.MetadataValue]:
        manifest, reused = take_in(house, key, context.log.info)
        run = read_run(house, key)
        return metadata.of_manifest(manifest, reused=reused) | {
            "files": metadata.table(
                [{"file": f.path, "bytes": f.size, "redactions": f.redactions} for f in run.files]
            ),
            "tools": metadata.tools(run.tools),
            "came_from": metadata.table([_origin(run.request)]),
            "expired": dg.MetadataValue.bool(run.expired),
            "no longer on GitHub": metadata.table([{"artifact": name} for name in run.gone]),
        }

    return each_partition(context, make)


def _origin(request: ScanRequest) -> dict[str, str | int]:
    """Where a run came from, for a table of one row."""
    facts: dict[str, str | int] = {
        "repository": request.repository,
        "commit": request.commit,
        "branch": request.branch,
    }
    if isinstance(request, GithubScan):
        facts |= {
            "run": request.run_id,
            "attempt": request.attempt,
            "event": request.event,
            "conclusion": request.conclusion,
        }
    return facts


def take_in(house: House, key: str, say: Say) -> tuple[Manifest, bool]:
    """The manifest of the scan run `key`, and whether what was there could be kept."""
    request = house.store.request(key)
    here = house.source.has(request.repository, request.commit)
    inputs = {"request": content_hash(request), "source": "here" if here else "absent"}
    if isinstance(request, LocalScan):
        inputs["scanners"] = house.scanner_state(request.scanners)
    origin = Origin(
        inputs=inputs,
        settings=content_hash(house.settings.limits),
        code_version=code_version("parsers", "findings", "code_context", *DOORS),
    )
    if kept := house.store.reusable("raw_scans", key, origin=origin):
        return kept, True
    received = _receive(house, request, say)
    held = house.store.manifest("raw_scans", key)
    if received.gone and held and held.counts.get("expired", 0) < len(received.gone):
        # taken while GitHub still had more: a new version of our code is no reason to lose it
        say("kept as it was taken: GitHub has deleted artifacts since")
        return held, True
    source = house.source.files(request.repository, request.commit) if here else None
    stored, files = redacted(received.files, secrets_of(received.files, source) if source else None)
    files = [_as_received(file, house, request) for file in files]
    data = {f"files/{name}": content for name, content in stored.items()}
    run = ScanRun(
        key=key,
        request=request,
        files=tuple(files),
        tools=tuple(sorted(received.tools, key=lambda t: t.tool)),
        expired=received.expired,
        gone=tuple(received.gone),
        skipped_files=tuple(received.refused),
    )
    counts = {
        "files_count": len(files),
        "bytes": sum(file.size for file in files),
        "redactions": sum(file.redactions for file in files),
        "refused": len(received.refused),
        "expired": len(received.gone),
    }
    data["run.json"] = canonical_json(run).encode()
    return house.store.publish("raw_scans", data, key=key, counts=counts, origin=origin), False


def _as_received(file: RawFile, house: House, request: ScanRequest) -> RawFile:
    """`file` with what was already taken out of it before it came to the inbox."""
    inbox = request.inbox if isinstance(request, FilesScan) else ""
    inbox = request.reports if isinstance(request, LocalScan) else inbox
    before = house.store.inbox_list(inbox).get(file.path) if inbox else None
    if before is None or before.sha256 != file.original_sha256:
        return file
    count = before.redactions + file.redactions
    return file.model_copy(update={"original_sha256": before.original_sha256, "redactions": count})


def read_run(house: House, key: str) -> ScanRun:
    """What is stored of the scan run `key`."""
    return ScanRun.model_validate_json(house.store.read("raw_scans", "run.json", key))


def _receive(house: House, request: ScanRequest, say: Say) -> Received:
    if isinstance(request, GithubScan):
        with house.connect_github() as github, house.scratch() as folder:
            return download_run(github, request, folder, house.limits, say)
    if isinstance(request, LocalScan):
        files = house.store.inbox(request.reports) if request.reports else {}
        scanned, tools = _scan(house, request, say)
        return Received(files | scanned, tools)
    return Received(house.store.inbox(request.inbox))


def _scan(house: House, request: LocalScan, say: Say) -> tuple[dict[str, bytes], list[ToolRun]]:
    if not house.source.has(request.repository, request.commit):
        raise SourceError(
            f"commit {request.commit[:12]} of {request.repository} is not on this machine; "
            "run `secai scan` on its checkout again"
        )
    with house.scratch() as folder:
        tree = folder / "tree"
        for left_out in house.source.export(request.repository, request.commit, tree):
            say(f"not scanned: {left_out}")
        outputs = house.scanners.run(
            tree, request.scanners, on_done=lambda tool, run: say(f"{tool}: {run.status.value}")
        )
    files = {output.file_name: output.data for output in outputs if output.data}
    return files, [output.run for output in outputs]


def download_run(
    github: GithubActions, request: GithubScan, folder: Path, limits: ArchiveLimits, say: Say
) -> Received:
    """The files of the run's artifacts; `limits` hold for all artifacts together.

    An artifact that GitHub deleted meanwhile is one less, and said to be so.

    Raises:
        SecAIError: as `GithubActions.artifacts` and `download`.
    """
    received = Received()
    artifacts = github.artifacts(request.repository, request.run_id, attempt=request.attempt)
    for artifact, place in zip(artifacts, folder_names(artifacts), strict=True):
        if artifact.expired:
            received.gone.append(artifact.name)
            continue
        if artifact.size > limits.total_bytes:
            received.refused.append(f"{artifact.name}: what is left of total_bytes is too little")
            continue
        say(f"download {artifact.name}")
        target = folder / f"{artifact.id}.zip"
        try:
            github.download(artifact, target, max_bytes=limits.total_bytes)
            members = dict(read_reports(target, limits))
        except Expired:
            received.gone.append(artifact.name)
        except UnsafeArchive as error:
            received.refused.append(f"{artifact.name}: {error.reason}")
        else:
            received.files |= {f"{place}/{name}": data for name, data in members.items()}
            limits = limits.model_copy(
                update={
                    "entries": limits.entries - len(members),
                    "total_bytes": limits.total_bytes - sum(map(len, members.values())),
                }
            )
        finally:
            target.unlink(missing_ok=True)
    return received
