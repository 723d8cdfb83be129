"""`secai verify`: proofs are replayed, not believed."""

import json
from collections.abc import Sequence
from pathlib import Path

import typer
from pydantic import ValidationError
from rich.console import Console

from secai_assets.assets.fixes import Place, places, read_fixes
from secai_assets.cli.terminal import shown
from secai_assets.resources.house import House
from secai_lib.core.errors import SourceError, UsageError
from secai_lib.core.fix import Certificate, ProofVerdict
from secai_lib.fixes.replay import replay
from secai_lib.fixes.rules import rules


def verify_certificates(wanted: Sequence[str], *, as_json: bool) -> int:
    """The exit code: 0 when every replayed proof holds, 1 when one does not.

    Raises:
        UsageError: nothing to verify, or a name leads to no certificate.
        SourceError: the scanned commit is not on this machine.
    """
    house = House()
    certificates = _find(house, wanted)
    if not certificates:
        raise UsageError("there is no certificate to verify; run `secai demo` or `secai fix` first")
    console = Console(highlight=False)
    replayed: list[Certificate] = []  # a list: two certificates may claim to be the same fix
    for (repository, commit), group in _by_commit(certificates).items():
        if not house.source.has(repository, commit):
            raise SourceError(
                f"commit {commit[:12]} of {repository} is not on this machine; "
                "run `secai scan` on a checkout of it first"
            )
        with Console(stderr=True).status(f"replaying {len(group)} proofs of {repository}"):
            files = house.source.files(repository, commit, exact=True)
            replayed += replay(group, files, house.rescanner, rules=rules(house.action_pins))
    bad = [c for c in replayed if c.verdict is not ProofVerdict.PROVEN]
    if as_json:
        rows = [certificate.model_dump(mode="json") for certificate in replayed]
        typer.echo(json.dumps(rows, sort_keys=True, indent=2))
        return int(bool(bad))
    for certificate in replayed:
        _print(console, certificate)
    console.print(f"{len(replayed) - len(bad)} of {len(replayed)} proofs hold")
    return int(bool(bad))


def _find(house: House, wanted: Sequence[str]) -> list[Certificate]:
    offered = {
        fix.id: fix.certificate for place in _known(house) for fix in read_fixes(house, place)
    }
    if not wanted:
        return list(offered.values())
    found: list[Certificate] = []
    for name in wanted:
        path = Path(name)
        if name in offered:
            found.append(offered[name])
        elif path.is_dir():
            found += [_read(file) for file in sorted(path.glob("*.json"))]
        elif path.is_file():
            found.append(_read(path))
        else:
            raise UsageError(f"{name} is neither a certificate file nor the id of an offered fix")
    return found


def _known(house: House) -> list[Place]:
    if house.store.manifest("problems") is None:
        return []
    return [place for place in places(house) if house.store.manifest("fixes", place.key)]


def _read(path: Path) -> Certificate:
    try:
        return Certificate.model_validate_json(path.read_bytes())
    except (ValidationError, OSError) as error:
        raise UsageError(f"{path.name} is not a certificate of SecAI") from error


def _by_commit(certificates: Sequence[Certificate]) -> dict[tuple[str, str], list[Certificate]]:
    groups: dict[tuple[str, str], list[Certificate]] = {}
    for certificate in certificates:
        groups.setdefault((certificate.repository, certificate.commit), []).append(certificate)
    return groups


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
