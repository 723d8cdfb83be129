"""Every rule against the real scanners: the unfixed file triggers, the fixed one is proven."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from secai_lib.core.fix import Certificate, ProofVerdict, Rescan
from secai_lib.core.scan import ToolStatus
from secai_lib.fixes.attempt import propose
from secai_lib.fixes.certify import BASE, Claim, certify, failed
from secai_lib.fixes.edits import fixed_texts
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import plain_rule_id, rule_for
from secai_lib.fixes.rules import RULES
from secai_lib.gateways.rescan import VariantRescanner
from secai_lib.gateways.scanners import Scanners
from secai_lib.parsers import parse_report
from tests.fakes.records import make_finding
from tests.fakes.rescanner import FakeFiles
from tests.fixes.rules.cases import GOOD, SHELL, Case

HOUSE = Path(__file__).parents[3]
TOOLS = frozenset({"bandit", "checkov", "semgrep"})
CASES = [*GOOD, SHELL]
IDS = [f"{number}-{case.kind}-{case.rule}" for number, case in enumerate(CASES)]

pytestmark = pytest.mark.scanners


@dataclass(frozen=True)
class Proof:
    """What the real scanners say of a case: one certificate per approach."""

    found: bool
    certificates: tuple[tuple[str, Certificate], ...]


@pytest.fixture(scope="module")
def proofs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Proof]]:
    """Two runs of each scanner for all cases: the unfixed files, then every proposal."""
    scanners = Scanners(HOUSE / ".secai" / "tools", HOUSE / "config" / "rules", timeout_s=600)
    missing = [t for t in TOOLS if scanners.versions()[t].status != ToolStatus.RAN]
    if missing:
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
    work = tmp_path_factory.mktemp("rules")
    rescan = VariantRescanner(scanners, parse_report, work)
    base = rescan({i: {c.path: c.text} for i, c in zip(IDS, CASES, strict=True)}, TOOLS)
    claims: dict[str, list[Claim]] = {name: [] for name in IDS}
    variants: dict[str, dict[str, str]] = {}
    for name, case in zip(IDS, CASES, strict=True):
        hit = next((r for r in base.results[name] if plain_rule_id(r.rule_id) == case.rule), None)
        if hit is None:
            continue
        finding, files = make_finding(result=hit), FakeFiles({case.path: case.text})
        rule = rule_for(finding, RULES)
        assert rule is not None
        for proposal in propose(rule, finding, Peers([finding]), files):
            claims[name].append(Claim(name, "r", "c", hit, proposal, rule))
            variants[f"{name}/{proposal.approach}"] = fixed_texts(files, proposal.edits)
    fixed = rescan(variants, TOOLS)
    yield {name: _proof(name, case, claims[name], base, fixed)
           for name, case in zip(IDS, CASES, strict=True)}  # fmt: skip


def _proof(name: str, case: Case, claims: list[Claim], base: Rescan, fixed: Rescan) -> Proof:
    certificates = []
    for claim in claims:
        variant = f"{name}/{claim.proposal.approach}"
        results = {BASE: base.results[name], variant: fixed.results[variant]}
        files = FakeFiles({case.path: case.text})
        rescan = Rescan(runs=fixed.runs, results=results)
        certificates.append((variant, certify(claim, files, rescan, variant)))
    return Proof(bool(claims), tuple(certificates))


@pytest.mark.parametrize("name", IDS[:-1])
def test_the_real_scanner_proves_the_fix(name: str, proofs: Mapping[str, Proof]) -> None:
    proof = proofs[name]
    assert proof.found, "the scanner does not find it in the unfixed file"
    for variant, certificate in proof.certificates:
        assert certificate.verdict == ProofVerdict.PROVEN, f"{variant}: {failed(certificate)}"


def test_a_command_without_a_shell_still_has_a_note(proofs: Mapping[str, Proof]) -> None:
    """Bandit notes every subprocess (B603), so this fix is never counted as proven."""
    ((_, certificate),) = proofs[IDS[-1]].certificates
    assert certificate.verdict == ProofVerdict.REFUTED
    assert "bandit:B603 (+1)" in failed(certificate)
