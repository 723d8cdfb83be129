"""Proofs are replayed, and the gate opens only for what its checks have seen."""

import json
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.assets.fixes import Place, read_fixes
from secai_assets.definitions import build
from secai_assets.gate import judge
from tests.house.conftest import Finished
from tests.house.kit import DEMO, FLOW, house, secai, sentence

pytestmark = pytest.mark.slow
NESTBOX = Place("secai-demo/nestbox", "main")


def test_every_proof_holds_when_it_is_replayed(finished: Finished) -> None:
    offered = read_fixes(house(finished.home), NESTBOX)
    done = secai(finished.home, "verify", "--json")
    assert done.returncode == 0, sentence(done)
    replayed = {certificate["fix"]: certificate for certificate in json.loads(done.stdout)}
    assert set(replayed) == {fix.id for fix in offered}
    assert {certificate["verdict"] for certificate in replayed.values()} == {"proven"}
    for fix in offered:
        assert replayed[fix.id] == json.loads(fix.certificate.model_dump_json())


def test_a_forged_certificate_does_not_hold(finished: Finished, tmp_path: Path) -> None:
    """A verdict is nothing; each lie about what was fixed is found by looking again."""
    by_kind = {f.proposal.kind: f for f in read_fixes(house(finished.home), NESTBOX)}
    fix = by_kind["python-yaml-load"]
    honest = json.loads(fix.certificate.model_dump_json())
    forged = {}
    forged["nothing-done"] = honest | {"edits": []}
    edit = honest["edits"][-1]
    forged["silenced"] = honest | {
        "edits": [*honest["edits"][:-1], edit | {"replacement": edit["replacement"] + "  # nosec"}]
    }
    path = edit["path"]
    forged["other-file"] = honest | {"base_sha256": honest["base_sha256"] | {path: "0" * 64}}
    folder = tmp_path / "certificates"
    folder.mkdir()
    for number, (name, certificate) in enumerate(forged.items()):
        (folder / f"{name}.json").write_text(json.dumps(certificate | {"fix": f"{number:016x}"}))
    (folder / "honest.json").write_text(json.dumps(honest))
    done = secai(finished.home, "verify", folder, "--json")
    assert done.returncode == 1, sentence(done)
    verdicts = {found["fix"]: found["verdict"] for found in json.loads(done.stdout)}
    assert verdicts.pop(fix.id) == "proven"
    assert len(verdicts) == len(forged)
    assert "proven" not in verdicts.values()

    (tmp_path / "torn.json").write_bytes(json.dumps(honest).encode()[:200])
    done = secai(finished.home, "verify", tmp_path / "torn.json")
    assert done.returncode == 2
    assert "torn.json is not a certificate" in sentence(done)


def test_the_gate_is_open_after_a_demo(finished: Finished) -> None:
    done = secai(finished.home, "gate")
    assert done.returncode == 0, done.stdout
    assert "The gate is open." in done.stdout


def test_a_failed_check_stops_what_follows_and_closes_the_gate(mine: Callable[[], Path]) -> None:
    home = mine()
    done = secai(home, *DEMO, SECAI_QUALITY__PROBLEMS_MAX_UNMATCHED="-1")
    assert done.returncode == 7, sentence(done)
    assert "problems.parity" in done.stderr
    assert "fixes" not in {line.split()[0] for line in done.stderr.splitlines() if "done" in line}
    gate = secai(home, "gate", "--json")
    assert gate.returncode == 7
    refused = {f"{r['asset']}.{r['check']}": r for r in json.loads(gate.stdout) if not r["passed"]}
    assert "problems.parity" in refused
    assert "older than" not in refused["problems.parity"]["sentence"]
    assert secai(home, *DEMO).returncode == 0
    assert secai(home, "gate").returncode == 0


def test_the_gate_refuses_what_its_checks_have_not_seen(mine: Callable[[], Path]) -> None:
    home = mine()
    own = house(home)
    definitions = build(own)
    with dg.DagsterInstance.from_config(str(home / "dagster")) as instance:
        assert all(line.passed for line in judge(instance, definitions, FLOW, own))
        instance.report_runless_asset_event(dg.AssetMaterialization("fixes"))
        stale = [line for line in judge(instance, definitions, FLOW, own) if not line.passed]
        assert {line.asset for line in stale} == {"fixes"}
        assert {line.sentence for line in stale} == {
            "the check is older than the newest materialization; run it again"
        }
    with dg.instance_for_test() as instance:
        lines = judge(instance, definitions, FLOW, own)
        assert not any(line.passed for line in lines)
        assert {line.sentence for line in lines} == {"the asset was never materialized"}
        instance.report_runless_asset_event(dg.AssetMaterialization("problems"))
        lines = judge(instance, definitions, FLOW, own)
        unseen = [line for line in lines if line.asset == "problems"]
        assert {line.sentence for line in unseen} == {
            "the check never finished; materialize the asset again"
        }
        assert not any(line.passed for line in unseen)
