"""The forge with the real scanners: the seeds are clean, and every inverse is seen by one."""

from collections import Counter
from pathlib import Path

import pytest

from secai_lib.core.finding import Finding, Result
from secai_lib.core.fix import ProofVerdict
from secai_lib.core.scan import ToolStatus
from secai_lib.core.settings import ForgeSettings
from secai_lib.fixes.certify import TOOLS
from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.forge import forge
from secai_lib.fixes.replay import replay
from secai_lib.fixes.rules import RULES
from secai_lib.gateways.rescan import VariantRescanner
from secai_lib.gateways.scanners import Scanners
from secai_lib.gateways.seeds import read_seeds
from secai_lib.parsers import parse_report
from tests.fakes.records import make_finding
from tests.fakes.rescanner import FakeFiles

HOUSE = Path(__file__).parents[2]
KINDS = {rule.kind for rule in RULES if rule.weaken}
ACCEPTED = {
    "CKV_K8S_43": "an image by its tag, so that the pull policy means something",
    "CKV_K8S_40": "a user by the image's own name, so that `runAsNonRoot` means something",
}
"""What the seeds do on purpose."""

pytestmark = [pytest.mark.scanners, pytest.mark.slow]


@pytest.fixture(scope="module")
def rescan(tmp_path_factory: pytest.TempPathFactory) -> VariantRescanner:
    scanners = Scanners(HOUSE / ".secai" / "tools", HOUSE / "config" / "rules", timeout_s=600)
    missing = [t for t in TOOLS if scanners.versions()[t].status != ToolStatus.RAN]
    if missing:
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
    return VariantRescanner(scanners, parse_report, tmp_path_factory.mktemp("forge"))


def identify(origin: str, result: Result) -> Finding:
    return make_finding(repository=origin, result=result)


def test_no_scanner_complains_about_a_seed(rescan: VariantRescanner) -> None:
    seeds = read_seeds()
    said = rescan({path: {path: text} for path, text in seeds.items()}, TOOLS)
    assert {run.status for run in said.runs} == {ToolStatus.RAN}
    found = Counter(
        (path, result.rule_id) for path, results in said.results.items() for result in results
    )
    assert {key: n for key, n in found.items() if key[1] not in ACCEPTED} == {}


def test_every_inverse_makes_a_proven_pair(rescan: VariantRescanner) -> None:
    seeds = [
        CleanFile(origin="seed", licence="Apache-2.0", path=path, text=text)
        for path, text in read_seeds().items()
    ]
    settings = ForgeSettings(max_per_kind=2)
    made = forge(seeds, rescan, identify, settings)
    assert {pair.kind for pair in made.pairs} == KINDS
    assert len(made.pairs) >= 1.8 * len(KINDS), made.dropped
    for pair in made.pairs[::20]:  # the proof holds on its own, without the others
        (again,) = replay([pair.fix.certificate], FakeFiles(pair.weak), rescan, rules=RULES)
        assert again.verdict == ProofVerdict.PROVEN
