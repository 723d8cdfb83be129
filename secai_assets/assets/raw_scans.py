"""Scan runs as received: from GitHub, from files somebody handed us, or scanned here."""

from collections.abc import Callable

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
from secai_lib.gateways.archive import read_reports
from secai_lib.gateways.code_version import code_version

DOORS = tuple(
    f"gateways/{name}"
    for name in (
        "archive",
        "github",
        "programs",
        "scan_tree",
        "scanner_programs",
        "scanners",
        "zip_checks",
    )
)
"""Whose code decides what a scan run holds."""

Say = Callable[[str], None]
Received = tuple[dict[str, bytes], list[ToolRun], list[str]]


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
            "tools": metadata.table(
                [
                    {
                        "tool": t.tool,
                        "status": t.status.value,
                        "version": t.version,
                        "detail": t.detail,
                    }
                    for t in run.tools
                ]
            ),
            "expired": dg.MetadataValue.bool(run.expired),
        }

    return each_partition(context, make)


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
    expired = False
    try:
        received, tools, refused = _receive(house, request, say)
    except Expired:
        received, tools, refused, expired = {}, [], [], True
    source = house.source.files(request.repository, request.commit) if here else None
    stored, files = redacted(received, secrets_of(received, source) if source else None)
    files = [_as_received(file, house, request) for file in files]
    data = {f"files/{name}": content for name, content in stored.items()}
    run = ScanRun(
        key=key,
        request=request,
        files=tuple(files),
        tools=tuple(sorted(tools, key=lambda t: t.tool)),
        expired=expired,
        skipped_files=tuple(refused),
    )
    counts = {
        "files_count": len(files),
        "bytes": sum(file.size for file in files),
        "redactions": sum(file.redactions for file in files),
        "refused": len(refused),
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
        files, refused = _download(house, request, say)
        return files, [], refused
    if isinstance(request, LocalScan):
        files = house.store.inbox(request.reports) if request.reports else {}
        scanned, tools = _scan(house, request, say)
        return files | scanned, tools, []
    return house.store.inbox(request.inbox), [], []


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


def _download(house: House, request: GithubScan, say: Say) -> tuple[dict[str, bytes], list[str]]:
    files: dict[str, bytes] = {}
    refused: list[str] = []
    with house.connect_github() as github, house.scratch() as folder:
        artifacts = github.artifacts(request.repository, request.run_id)
        if artifacts and all(artifact.expired for artifact in artifacts):
            raise Expired(f"GitHub no longer has the artifacts of run {request.run_id}")
        for artifact in artifacts:
            if artifact.expired:
                refused.append(f"{artifact.name}: expired")
                continue
            say(f"download {artifact.name}")
            target = folder / f"{artifact.id}.zip"
            github.download(artifact, target)
            try:
                members = dict(read_reports(target, house.limits))
                files |= {f"{artifact.name}/{name}": data for name, data in members.items()}
            except UnsafeArchive as error:
                refused.append(f"{artifact.name}: {error.reason}")
    return files, refused
