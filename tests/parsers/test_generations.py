"""Reports of scanners' older versions, and of their other frames."""

import json
from pathlib import Path

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    ParsedReport,
    Severity,
    SourceLocation,
    UrlLocation,
)
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples"
IMAGE = "ghcr.io/example/shop:latest"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_trivy_version_1_is_a_bare_list_of_targets() -> None:
    report = load("trivy/image-v1.json")
    system, library = report.results
    assert system.location == ImageLocation(image=IMAGE, target=f"{IMAGE} (ubuntu 24.04)")
    assert library.location == ArchiveLocation(archive="app/web/package-lock.json", image=IMAGE)
    assert report.raw_results == 2


def test_trivy_version_1_of_a_folder_has_lockfiles() -> None:
    targets = json.loads((SAMPLES / "trivy/image-v1.json").read_bytes())[1:]
    (library,) = parse_report("t.json", json.dumps(targets).encode()).results
    assert library.location == LockfileLocation(path="app/web/package-lock.json")


@pytest.mark.parametrize("name", ["trivy/image-v1.json", "trivy/cluster.json"])
def test_a_bulletin_that_covers_several_weaknesses_is_no_alias(name: str) -> None:
    assert load(name).results[0].advisories == ("CVE-2016-30003",)


def test_trivy_of_a_cluster_has_images_and_resources_without_a_file() -> None:
    report = load("trivy/cluster.json")
    package, setting = report.results
    assert package.location == ImageLocation(image=IMAGE, target=f"{IMAGE} (ubuntu 24.04)")
    assert setting.location == NoLocation(reason="a resource of a cluster, no file")
    assert setting.resource == "default/Deployment/shop"
    assert setting.technologies == ("kubernetes",)
    (note,) = report.skipped
    assert (note.pointer, note.results) == ("/Resources/2", 0)


def test_what_an_ignore_file_took_out_of_trivys_results_is_suppressed() -> None:
    report = load("trivy/repository-ignored.json")
    vulnerability, secret = report.results
    assert vulnerability.suppressed
    assert secret.suppressed
    assert vulnerability.location == LockfileLocation(path="web/package-lock.json")
    assert [s.reason for s in report.skipped] == ["licences are no security findings"]
    assert "invented-access-id" not in report.model_dump_json()


def test_checkov_of_one_framework_is_an_object() -> None:
    frameworks = json.loads((SAMPLES / "checkov/checkov.json").read_bytes())
    together = load("checkov/checkov.json")
    alone = [parse_report("c.json", json.dumps(one).encode()) for one in frameworks]
    assert sum(report.raw_results for report in alone) == together.raw_results
    assert [r.rule_id for report in alone for r in report.results] == [
        r.rule_id for r in together.results
    ]


def test_bandit_before_it_named_weaknesses() -> None:
    report = load("bandit/bandit-1.6.json")
    _, password, shell = report.results
    assert shell.location == SourceLocation(
        path="app/tool.py",
        start_line=10,
        end_line=11,
        snippet="    return subprocess.call(command,\n                           shell=True)",
    )
    assert (shell.cwes, shell.severity) == ((), Severity.HIGH)
    assert password.message == "Possible hardcoded password: '[redacted]'"
    assert "Hunter2" not in report.model_dump_json()
    assert [s.reason for s in report.skipped] == ["bandit could not read a file"]


def test_semgrep_before_version_1() -> None:
    report = load("semgrep/semgrep-0.json")
    code, password = report.results
    assert (code.cwes, code.severity, code.tool_version) == (("CWE-95",), Severity.HIGH, "")
    assert code.references == ("https://cwe.mitre.org/data/definitions/95.html",)
    assert (password.suppressed, password.technologies) == (True, ())
    assert "Hunter2" not in report.model_dump_json()
    assert [s.reason.split(": ")[1] for s in report.skipped] == ["SourceParseError"]


@pytest.mark.parametrize("name", ["report-2.7.xml", "report-2.7.json"])
def test_zap_before_it_told_alerts_of_a_plugin_apart(name: str) -> None:
    frames, time = load(f"zap/{name}").results
    assert (frames.rule_id, frames.severity, frames.cwes) == ("10020", Severity.MEDIUM, ("CWE-16",))
    assert frames.location == UrlLocation(url="http://localhost:8080/", param="X-Frame-Options")
    assert (time.severity, time.confidence, time.cwes) == (Severity.INFO, "low", ())
    assert frames.tool_version == "2.7.0"


def test_gitleaks_before_version_8() -> None:
    report = load("gitleaks/gitleaks-7.json")
    key, whole_file = report.results
    assert key.location == SourceLocation(
        path="config/settings.py", start_line=3, end_line=3, snippet='api_key = "[redacted]"'
    )
    assert (key.rule_id, key.cwes) == ("Generic API Key", ("CWE-798",))
    assert key.message == "Generic API Key has detected a secret in commit 0123456789ab."
    assert (whole_file.path, whole_file.line) == ("deploy/key.pem", None)
    assert "hunter2" not in report.model_dump_json()


def test_trufflehog_2_prints_diffs_which_are_not_kept() -> None:
    report = load("trufflehog/results-2.jsonl")
    generic, entropy = report.results
    assert (generic.rule_id, generic.path, generic.line) == (
        "Generic Secret",
        "config/settings.py",
        None,
    )
    assert (entropy.rule_id, entropy.cwes) == ("High Entropy", ("CWE-798",))
    assert "invented" not in report.model_dump_json()


def test_detect_secrets_before_version_1_names_no_file_in_an_entry() -> None:
    report = load("detect-secrets/baseline-0.json")
    audited, live = report.results
    assert (audited.path, audited.line, audited.suppressed) == ("app/tool.py", 5, True)
    assert (live.path, live.confidence, live.tool_version) == (
        "deploy/env.sh",
        "verified",
        "0.14.3",
    )


def test_zizmor_1_0_marks_the_main_place_and_names_files_by_their_whole_path() -> None:
    report = load("zizmor/zizmor-1.0.json")
    (injection,) = [r for r in report.results if r.rule_id == "template-injection"]
    assert injection.location == SourceLocation(
        path=".github/workflows/build.yml",
        start_line=9,
        end_line=10,
        start_column=9,
        snippet=injection.location.snippet if injection.location.kind == "source" else "",
    )
    assert injection.resource == "jobs.build"
    assert len(report.results) == report.raw_results == 4


def test_a_git_checkout_is_known_to_osv_by_its_commit() -> None:
    document = json.loads((SAMPLES / "osv-scanner/v1.json").read_bytes())
    (source,) = document["results"]
    source["source"] = {"path": "/home/runner/work/shop/shop/third_party/codec/", "type": "git"}
    commit = "f5f3c22f3ed5a6804a2a8d9ee9fa43044cfa24a6"
    source["packages"][0]["package"] = {
        "name": "", "version": "", "ecosystem": "", "commit": commit,
    }  # fmt: skip
    first, _ = parse_report("o.json", json.dumps(document).encode()).results
    assert first.location == SourceLocation(path="third_party/codec")
    assert first.package is not None
    assert (first.package.name, first.package.version) == ("codec", commit)


def test_semgrep_without_results_or_paths_is_a_run() -> None:
    report = parse_report("s.json", b'{"results": [], "errors": []}')
    assert (report.tools, report.raw_results) == (("semgrep",), 0)
