"""`secai verify`: proofs are replayed, not believed."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import typer
from pydantic import ValidationError
from rich.console import Console

from secai_assets.assets.fixes import Place, places, read_fixes
from secai_assets.assets.forge_pairs import read_pairs
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_lib.core.errors import SourceError, UsageError
from secai_lib.core.fix import Certificate, ProofVerdict
from secai_lib.core.training import ForgedPair
from secai_lib.fixes.edits import Texts
from secai_lib.fixes.replay import replay, replay_each
from secai_lib.fixes.rules import rules


class Proof(NamedTuple):
    """A certificate, and the weak files where they are in no commit."""

    certificate: Certificate
    pair: ForgedPair | None = None


def verify_certificates(wanted: Sequence[str], *, as_json: bool, forged: bool = False) -> int:
    """The exit code: 0 when every replayed proof holds, 1 when one does not.

    `wanted` are files, folders and ids; empty for every offered fix, or every forged pair where
    `forged` is set.

    Raises:
        UsageError: nothing to verify, or a name leads to no certificate.
        SourceError: the scanned commit is not on this machine.
    """
    house = House()
    proofs = _find(house, wanted, forged=forged)
    if not proofs:
        raise UsageError("there is no certificate to verify; run `secai demo` or `secai fix` first")
    console = Console(highlight=False)
    replayed = [*_genuine(house, proofs), *_forged(house, proofs)]
    bad = [c for c in replayed if c.verdict is not ProofVerdict.PROVEN]
    if as_json:
        rows = [certificate.model_dump(mode="json") for certificate in replayed]
        typer.echo(json.dumps(rows, sort_keys=True, indent=2))
        return int(bool(bad))
    for certificate in replayed:
        _print(console, certificate)
    console.print(f"{len(replayed) - len(bad)} of {len(replayed)} proofs hold")
    return int(bool(bad))


def _genuine(house: House, proofs: Sequence[Proof]) -> Iterator[Certificate]:
    """Fresh certificates of what was fixed in a commit; a list, as two may claim the same fix."""
    groups: dict[tuple[str, str], list[Certificate]] = {}
    for certificate in (proof.certificate for proof in proofs if proof.pair is None):
        groups.setdefault((certificate.repository, certificate.commit), []).append(certificate)
    for (repository, commit), group in groups.items():
        if not commit:
            raise UsageError(
                f"{group[0].fix} is of a forged pair that is not here; run `secai run` to make it"
            )
        if not house.source.has(repository, commit):
            raise SourceError(
                f"commit {commit[:12]} of {repository} is not on this machine; "
                "run `secai scan` on a checkout of it first"
            )
        with _said(f"replaying {len(group)} proofs of {repository}"):
            files = house.source.files(repository, commit, exact=True)
            yield from replay(group, files, house.rescanner, rules=rules(house.action_pins))


def _forged(house: House, proofs: Sequence[Proof]) -> Iterator[Certificate]:
    """Fresh certificates of forged pairs, whose weak files are kept with the pairs."""
    mine = [(p.certificate, Texts(p.pair.weak)) for p in proofs if p.pair is not None]
    size = max(house.settings.forge.variants_per_scan // 2, 1)  # weak and fixed file of each
    for start in range(0, len(mine), size):
        batch = mine[start : start + size]
        with _said(f"replaying forged pairs {start + 1} to {start + len(batch)} of {len(mine)}"):
            yield from replay_each(batch, house.rescanner, rules=rules(house.action_pins))


def _said(what: str) -> AbstractContextManager[object]:
    return Console(stderr=True).status(what)


def _find(house: House, wanted: Sequence[str], *, forged: bool) -> list[Proof]:
    offered = {
        fix.id: Proof(fix.certificate)
        for place in _known(house)
        for fix in read_fixes(house, place)
    }
    pairs = _pairs(house) if wanted or forged else {}
    if not wanted:
        return list((pairs if forged else offered).values())
    by_pair = {proof.pair.id: proof for proof in pairs.values() if proof.pair}
    known = by_pair | pairs | offered
    found: list[Proof] = []
    for name in wanted:
        path = Path(name)
        if name in known:
            found.append(known[name])
        elif path.is_dir():
            found += [_read(file, pairs) for file in sorted(path.glob("*.json"))]
        elif path.is_file():
            found.append(_read(path, pairs))
        else:
            raise UsageError(f"{name} is neither a certificate file nor the id of an offered fix")
    return found


def _pairs(house: House) -> dict[str, Proof]:
    """Fix id -> proof of every forged pair."""
    if house.store.manifest("forge_pairs") is None:
        return {}
    return {pair.fix.id: Proof(pair.fix.certificate, pair) for pair in read_pairs(house)}


def _known(house: House) -> list[Place]:
    if house.store.manifest("problems") is None:
        return []
    return [place for place in places(house) if house.store.manifest("fixes", place.key)]


def _read(path: Path, pairs: Mapping[str, Proof]) -> Proof:
    try:
        certificate = Certificate.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise UsageError(f"{path.name} is not a certificate of SecAI") from error
    forged = pairs.get(certificate.fix) if not certificate.commit else None
    return Proof(certificate, forged.pair if forged else None)


def _print(console: Console, certificate: Certificate) -> None:
    mark = (
        "[green]holds[/]"
        if certificate.verdict is ProofVerdict.PROVEN
        else f"[red]{certificate.verdict}[/]"
    )
    finding = certificate.finding
    console.print(
        f"{mark}  {certificate.fix}  {shown(finding.tool)} {shown(finding.rule_id)}  "
        f"{shown(finding.path or '')}  [dim]{certificate.method}[/]",
        soft_wrap=True,
    )
    for check in certificate.checks:
        if not check.passed:
            console.print(f"       {shown(check.name)}: {shown(check.detail)}", soft_wrap=True)
