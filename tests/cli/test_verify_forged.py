"""`secai verify` on forged pairs, whose weak files are in no commit."""

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from secai_assets.cli import verify
from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError
from secai_lib.core.fix import Edit, Fix, ProofVerdict, Proposal
from secai_lib.core.manifest import Origin
from secai_lib.core.record import canonical_json
from secai_lib.core.training import ForgedPair
from secai_lib.fixes.certify import BASE, TOOLS, Claim, certify
from secai_lib.fixes.edits import Texts, fixed_texts
from secai_lib.fixes.rules.python_yaml_load import RULE
from secai_lib.gateways.columns import FORGED_PAIRS
from secai_lib.gateways.tables import to_parquet
from tests.fakes.records import make_finding
from tests.fakes.rescanner import FakeRescanner, fake_result, lines_with

RESCAN = FakeRescanner({"bandit": {"B506": lines_with("yaml.load(")}})


class FakeHouse(House):
    """The house of a test, with scanners that are functions."""

    @cached_property
    def rescanner(self) -> Any:
        return RESCAN


def make_pair(number: int) -> ForgedPair:
    """A pair of the same path as all others, so that each needs its own files."""
    path = "load.py"
    call = "yaml.load(file, Loader=yaml.Loader)"
    text = f"import yaml\n\nN = {number}\n\n\ndef load(file):\n    return {call}\n"
    start = text.index(call)
    edit = Edit(path=path, start=start, end=start + len(call), replacement="yaml.safe_load(file)")
    finding = make_finding(result=fake_result("bandit", "B506", path, 7))
    proposal = Proposal(kind=RULE.kind, title=RULE.title, explanation="", edits=(edit,))
    claim = Claim(f"{number:016x}", "seed", "", finding.result, proposal, RULE)
    files = Texts({path: text})
    scan = RESCAN({BASE: files.texts, "fixed": fixed_texts(files, (edit,))}, TOOLS)
    certificate = certify(claim, files, scan, "fixed")
    assert certificate.verdict is ProofVerdict.PROVEN, certificate.checks
    fix = Fix(
        id=claim.id, problem=f"{number:x}" * 16, fingerprint=finding.fingerprint,
        proposal=proposal, diff="", certificate=certificate,
    )  # fmt: skip
    return ForgedPair(
        id=f"{number:x}" * 16, kind=RULE.kind, origin="seed", licence="Apache-2.0", path=path,
        language="python", weak=files.texts, finding=finding, fix=fix,
    )  # fmt: skip


PAIRS = [make_pair(number) for number in (1, 2, 3)]


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECAI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(verify, "House", FakeHouse)
    FakeHouse().store.publish(
        "forge_pairs",
        {"pairs.parquet": to_parquet(PAIRS, FORGED_PAIRS)},
        origin=Origin(inputs={}, settings="", code_version=""),
        counts={},
    )


def verdicts(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    return {c["fix"]: c["verdict"] for c in json.loads(capsys.readouterr().out)}


def test_every_forged_pair_is_replayed_in_one_scan(capsys: pytest.CaptureFixture[str]) -> None:
    RESCAN.calls.clear()
    assert verify.verify_certificates([], as_json=True, forged=True) == 0
    assert verdicts(capsys) == {pair.fix.id: "proven" for pair in PAIRS}
    assert len(RESCAN.calls) == 1


def test_a_pair_is_found_by_its_id_and_by_its_fix(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.verify_certificates([PAIRS[0].id, PAIRS[1].fix.id], as_json=True) == 0
    assert set(verdicts(capsys)) == {PAIRS[0].fix.id, PAIRS[1].fix.id}


def test_a_tampered_certificate_of_a_pair_does_not_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    honest = PAIRS[0].fix.certificate
    worse = honest.edits[0].model_copy(update={"replacement": "yaml.load(file)"})
    for name, certificate in (
        ("honest", honest),
        ("lie", honest.model_copy(update={"edits": (worse,)})),
    ):
        (tmp_path / f"{name}.json").write_text(canonical_json(certificate))
    assert verify.verify_certificates([str(tmp_path / "honest.json")], as_json=True) == 0
    capsys.readouterr()
    assert verify.verify_certificates([str(tmp_path / "lie.json")], as_json=True) == 1
    assert verdicts(capsys) == {honest.fix: "refuted"}


def test_a_certificate_of_a_pair_that_is_not_here_says_what_to_do(tmp_path: Path) -> None:
    unknown = PAIRS[0].fix.certificate.model_copy(update={"fix": "e" * 16})
    (tmp_path / "unknown.json").write_text(canonical_json(unknown))
    with pytest.raises(UsageError, match="forged pair that is not here"):
        verify.verify_certificates([str(tmp_path / "unknown.json")], as_json=True)
