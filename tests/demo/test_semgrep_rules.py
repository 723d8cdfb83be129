"""Our semgrep rules find the weak lines of `semgrep_cases` and nothing else."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from secai_lib.core.scan import ToolStatus
from secai_lib.gateways.scanners import Scanners

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "config" / "rules"
CASES = Path(__file__).parent / "semgrep_cases"
MANIFEST = {
    ("bad/AndroidManifest.xml", 5, "secai.android.allow-backup"),
    ("bad/AndroidManifest.xml", 6, "secai.android.debuggable"),
    ("bad/AndroidManifest.xml", 7, "secai.android.cleartext-traffic"),
    ("bad/AndroidManifest.xml", 9, "secai.android.exported-without-permission"),
    ("bad/AndroidManifest.xml", 12, "secai.android.exported-without-permission"),
}
"""XML has no room for a comment between attributes, so these stand here."""
_EXPECTED = re.compile(r"(?://|#) ruleid: (.+)$")


def rules() -> list[dict[str, object]]:
    files = sorted((RULES / "semgrep").glob("*.yaml"))
    return [rule for file in files for rule in yaml.safe_load(file.read_text())["rules"]]


def expected() -> set[tuple[str, int, str]]:
    """A comment names the rules that must find the next line."""
    found = set(MANIFEST)
    for name in ("Server.kt", "server.ts", "docker-compose.yml"):
        for number, line in enumerate((CASES / name).read_text().splitlines(), 1):
            if match := _EXPECTED.search(line):
                found |= {(name, number + 1, rule) for rule in match[1].split(", ")}
    return found


@pytest.mark.scanners
def test_every_weak_line_and_no_other(tmp_path: Path) -> None:
    scanners = Scanners(ROOT / ".secai" / "tools", RULES)
    if scanners.versions()["semgrep"].status is not ToolStatus.RAN:
        pytest.skip("semgrep is not installed here")
    # semgrep ignores folders named `tests`
    folder = shutil.copytree(CASES, tmp_path / "cases")
    (output,) = scanners.run(folder, ["semgrep"])
    report = json.loads(output.data)
    assert report["errors"] == []
    found = {
        (r["path"].removeprefix("./"), r["start"]["line"], r["check_id"]) for r in report["results"]
    }
    assert found == expected()


def test_every_rule_has_a_weak_line() -> None:
    assert {rule["id"] for rule in rules()} == {rule for _, _, rule in expected()}


def test_every_rule_explains_itself() -> None:
    for rule in rules():
        metadata = rule["metadata"]
        assert isinstance(metadata, dict)
        assert re.fullmatch(r"secai\.[a-z]+\.[a-z-]+", str(rule["id"]))
        assert rule["severity"] in {"ERROR", "WARNING", "INFO"}
        assert len(str(rule["message"]).split(". ")) >= 2, "why, then what to do"
        assert all(re.match(r"CWE-\d+: ", cwe) for cwe in metadata["cwe"])
        assert metadata["category"] == "security"
        assert metadata["technology"] and metadata["references"]
        assert metadata["confidence"] in {"HIGH", "MEDIUM", "LOW"}
