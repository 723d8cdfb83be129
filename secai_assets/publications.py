"""What the three publications share in the corridor: gate, guard, folder, Hub, receipt, face."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import dagster as dg

from secai_assets import metadata
from secai_assets.failures import explained
from secai_assets.gate import admit
from secai_assets.resources.house import House
from secai_lib.core.errors import GateRefused, UsageError
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.record import canonical_json, content_hash, sha256_hex
from secai_lib.core.verdict import Verdict
from secai_lib.gateways.code_version import code_version
from secai_lib.gateways.hub import HubRepository
from secai_lib.gateways.publications import (
    read_files,
    read_publication,
    this_machine,
    write_publication,
)
from secai_lib.publishing.guard import Leak, inspect
from secai_lib.publishing.machine import Machine
from secai_lib.publishing.release import (
    RELEASE,
    VERDICT,
    Gate,
    Kind,
    Receipt,
    Release,
    State,
    folder_of,
    make_release,
    verdict_file,
)
from secai_lib.quality import publications as quality

FOLDER = "publications"
PUBLISHED = ("published_dataset", "published_stage1_model", "published_stage2_model")
CHECKS: Mapping[str, str] = {
    "guard": "What was written holds no secret, private path or host, unknown licence or unsafe "
    "format.",
    "round_trip": "What was written, read again from the folder (and the Hub), is what was meant.",
}
"""Name of a check of a publication -> what it means; both stop everything."""


class Content(NamedTuple):
    """What is to be published."""

    files: Mapping[str, bytes]
    """File name -> bytes."""
    doubts: tuple[Leak, ...]
    """Reasons against it that only its maker sees, such as the base model's licence."""
    inputs: Mapping[str, str]
    """Product -> content hash."""


Gather = Callable[[House, str, tuple[Gate, ...]], Content]
"""House, repository and score gates -> content."""


def publish(
    context: dg.AssetExecutionContext, house: House, product: str, kind: Kind, gather: Gather
) -> dg.MaterializeResult[None]:
    """Pass the gate and the guard, write the folder, push when that is switched on."""
    with explained():
        gates = admit(context.instance, house, product)
        manifest, reused = write(house, product, kind, gather, gates)
    receipt = read_receipt(house, product)
    context.log.info(f"{receipt.state}: {receipt.folder}")
    sizes = {n: len(d) for n, d in read_files(house.project.home / receipt.folder).items()}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(content_hash(manifest.files)),
        metadata=metadata.of_manifest(manifest, reused=reused)
        | {
            "state": dg.MetadataValue.text(receipt.state),
            "folder": dg.MetadataValue.text(receipt.folder),
            "repository": dg.MetadataValue.text(receipt.repository),
            "release": dg.MetadataValue.text(receipt.release.digest),
            "tag": dg.MetadataValue.text(receipt.tag or "not pushed"),
            "score_gates": metadata.table([gate.model_dump() for gate in receipt.gates]),
            "sizes": metadata.bars("Bytes of files", dict(sorted(sizes.items(),
                                                          key=lambda item: -item[1]))),
        },
    )  # fmt: skip


def write(
    house: House, product: str, kind: Kind, gather: Gather, gates: tuple[Gate, ...]
) -> tuple[Manifest, bool]:
    """The manifest of the new receipt, and whether it is the old one.

    Raises:
        GateRefused: the guard finds something (nothing was written), or a score gate failed and a
            push is asked for (a candidate was written).
    """
    settings = house.settings.publication
    repository = repository_of(house, product)
    content = gather(house, repository, gates)
    release = make_release(kind, content.files, content.inputs)
    files = {**content.files, RELEASE: (canonical_json(release) + "\n").encode()}
    state: State = "ready" if all(gate.passed for gate in gates) else "candidate"
    if state == "candidate":
        files[VERDICT] = verdict_file(gates)
    if leaks := [*content.doubts, *inspect(files, machine_of(house), settings.licences)]:
        reasons = "; ".join(leak.sentence for leak in leaks[:10])
        more = f"; and {len(leaks) - 10} more" if len(leaks) > 10 else ""
        raise GateRefused(f"the guard refuses {product}, nothing was written: {reasons}{more}")
    receipt = _written(house, repository, release, files, state, gates)
    if settings.push:
        receipt = _pushed(house, product, receipt, files)
    return _record(house, product, receipt)


def repository_of(house: House, product: str) -> str:
    """`OWNER/NAME` of the settings; `local/secai-...` where they name none and do not push.

    Raises:
        UsageError: a push is asked for without a name.
    """
    settings = house.settings.publication
    short = product.removeprefix("published_")
    if named := str(getattr(settings, short)):
        return named
    if settings.push:
        raise UsageError(f"a push needs publication.{short}: OWNER/NAME in config/publication.yaml")
    return f"local/secai-{short.replace('_', '-')}"


def machine_of(house: House) -> Machine:
    """What must not be read in a publication of this machine."""
    project = house.project
    places = (Path.home(), project.root, project.home, project.models, project.tools)
    user, host = this_machine()
    return Machine(
        # a library may have written down where a link of ours leads
        paths=tuple(
            sorted({str(p) for place in places for p in (place.absolute(), place.resolve())})
        ),
        user=user,
        host=host,
        private_hosts=house.settings.publication.private_hosts,
    )


def read_receipt(house: House, product: str) -> Receipt:
    """What became of the last release of `product`."""
    return Receipt.model_validate_json(house.store.read(product, "receipt.json"))


def inputs_of(house: House, *products: str) -> dict[str, str]:
    """Product -> content hash of what is in force."""
    return {name: content_hash(house.store.require(name).files) for name in products}


def check_specs(asset: dg.AssetsDefinition) -> list[dg.AssetCheckSpec]:
    """The checks that every publication has."""
    return [
        dg.AssetCheckSpec(name, asset=asset, blocking=True, description=said)
        for name, said in CHECKS.items()
    ]


def verdicts(house: House, product: str) -> Iterator[Verdict]:
    """What is to be said of what was written last, read again from where it lies."""
    receipt, settings = read_receipt(house, product), house.settings.publication
    folder = house.project.home / receipt.folder
    leaks = inspect(read_files(folder), machine_of(house), settings.licences)
    yield quality.guard([leak.sentence for leak in leaks], len(receipt.files))
    there = read_publication(folder)
    odd = [
        f"{ascii(name)[1:-1]} in the folder"
        for name in sorted({*there, *receipt.files})
        if there.get(name) != receipt.files.get(name)
    ]
    if receipt.commit:
        hub = _hub(house, receipt)
        odd += [f"{name} on the Hub" for name in hub.differences(receipt.commit, receipt.files)]
    yield quality.round_trip(odd, len(receipt.files), pushed=bool(receipt.commit))


def _written(
    house: House,
    repository: str,
    release: Release,
    files: Mapping[str, bytes],
    state: State,
    gates: tuple[Gate, ...],
) -> Receipt:
    hashes = {name: sha256_hex(data) for name, data in sorted(files.items())}
    folder = folder_of(release.kind, repository, state)
    other = folder_of(release.kind, repository, "ready" if state == "candidate" else "candidate")
    root = house.project.home / FOLDER
    if read_publication(root / folder) != hashes or (root / other).exists():
        write_publication(root, folder, files, instead=other)
    return Receipt(repository=repository, release=release, files=hashes, state=state,
                   folder=f"{FOLDER}/{folder}", gates=gates)  # fmt: skip


def _pushed(house: House, product: str, receipt: Receipt, files: Mapping[str, bytes]) -> Receipt:
    if failed := [gate for gate in receipt.gates if not gate.passed]:
        _record(house, product, receipt)
        said = "; ".join(f"{gate.name}: {gate.sentence}" for gate in failed)
        raise GateRefused(
            f"score gates stop the push of {product}; a candidate is in {receipt.folder}: {said}"
        )
    done = _hub(house, receipt).push(
        files, receipt.release.digest, marker=RELEASE, private=house.settings.publication.private
    )
    return receipt.model_copy(update={"commit": done.commit, "tag": done.tag})


def _hub(house: House, receipt: Receipt) -> HubRepository:
    # the token is read now, from the environment, and stored nowhere
    endpoint, token = house.settings.publication.endpoint, os.environ.get("HF_TOKEN")
    return HubRepository(endpoint, token, receipt.release.kind, receipt.repository)


def _record(house: House, product: str, receipt: Receipt) -> tuple[Manifest, bool]:
    origin = Origin(
        inputs=receipt.release.inputs,
        settings=content_hash(house.settings.publication, receipt.gates, receipt.commit),
        code_version=code_version("publishing", "gateways/hub", "gateways/publications"),
    )
    kept = house.store.reusable(product, origin=origin)
    counts = {"files": len(receipt.files), "failed_gates": sum(not g.passed for g in receipt.gates)}
    made = house.store.publish(
        product, {"receipt.json": canonical_json(receipt).encode()}, origin=origin, counts=counts
    )
    return made, kept == made
