"""The scanners that run here find in the sample what the sample was made for."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.scan import ToolStatus
from secai_lib.gateways.sample import create_sample
from secai_lib.gateways.scanners import Scanners

ROOT = Path(__file__).resolve().parents[2]

EXPECTED: dict[str, str] = {
    "bandit": "B104 B105 B113 B201 B306 B311 B324 B501 B506 B602",
    "checkov": (
        "CKV2_GHA_1 CKV_GHA_1 CKV_GHA_2 CKV_GHA_7 "
        "CKV_DOCKER_1 CKV_DOCKER_2 CKV_DOCKER_3 CKV_DOCKER_4 CKV_DOCKER_5 CKV_DOCKER_6 "
        "CKV_DOCKER_7 CKV_DOCKER_8 CKV_DOCKER_9 CKV_DOCKER_10 CKV2_DOCKER_2 CKV2_DOCKER_4 "
        "CKV_K8S_8 CKV_K8S_9 CKV_K8S_10 CKV_K8S_11 CKV_K8S_12 CKV_K8S_13 CKV_K8S_14 CKV_K8S_16 "
        "CKV_K8S_19 CKV_K8S_20 CKV_K8S_21 CKV_K8S_22 CKV_K8S_23 CKV_K8S_28 CKV_K8S_29 CKV_K8S_30 "
        "CKV_K8S_31 CKV_K8S_37 CKV_K8S_38 CKV_K8S_40 CKV_K8S_43 CKV2_K8S_6"
    ),
    "detect-secrets": "Base64_High_Entropy_String Secret_Keyword",
    "semgrep": (
        "secai.android.allow-backup secai.android.cleartext-traffic secai.android.debuggable "
        "secai.android.exported-without-permission secai.compose.docker-socket "
        "secai.compose.new-privileges-allowed secai.compose.port-on-all-interfaces "
        "secai.compose.privileged secai.kotlin.cookie-not-http-only "
        "secai.kotlin.cookie-not-secure secai.kotlin.cors-any-host secai.kotlin.insecure-random "
        "secai.kotlin.sql-string-template secai.kotlin.weak-hash "
        "secai.typescript.cookie-not-http-only secai.typescript.cookie-not-secure "
        "secai.typescript.cors-any-origin secai.typescript.eval-of-value "
        "secai.typescript.exec-of-value secai.typescript.tls-not-verified"
    ),
    "zizmor": (
        "artipacked dangerous-triggers excessive-permissions insecure-commands "
        "template-injection unpinned-uses"
    ),
}
"""Tool -> the rules that must report something; more is welcome."""

CLEAN = {
    ".github/workflows/tools.yml": {"zizmor", "checkov"},
    "deploy/k8s/cache.yaml": {"checkov"},
    "web/Dockerfile": {"checkov"},
    "locker-server/src/main/kotlin/io/nestbox/server/security/ApiTokens.kt": {"semgrep"},
    "locker-server/src/main/kotlin/io/nestbox/server/storage/LockerDirectory.kt": {"semgrep"},
    "notify-service/src/main/kotlin/io/nestbox/notify/Main.kt": {"semgrep"},
}
"""The clean counterparts: these tools must be silent about them."""


def _bandit(report: Any) -> list[tuple[str, str]]:
    return [(r["test_id"], r["filename"]) for r in report["results"]]


def _checkov(report: Any) -> list[tuple[str, str]]:
    failed = [check for part in report for check in part["results"]["failed_checks"]]
    return [(check["check_id"], check["file_path"]) for check in failed]


def _secrets(report: Any) -> list[tuple[str, str]]:
    found = [r for results in report["results"].values() for r in results]
    return [(r["type"].replace(" ", "_"), r["filename"]) for r in found]


def _semgrep(report: Any) -> list[tuple[str, str]]:
    return [(r["check_id"], r["path"]) for r in report["results"]]


def _zizmor(report: Any) -> list[tuple[str, str]]:
    found = []
    for finding in report:
        key = finding["locations"][0]["symbolic"]["key"]["Local"]
        found.append((finding["ident"], key.get("given_path") or key["verbatim_path"]))
    return found


READERS: dict[str, Callable[[Any], list[tuple[str, str]]]] = {
    "bandit": _bandit,
    "checkov": _checkov,
    "detect-secrets": _secrets,
    "semgrep": _semgrep,
    "zizmor": _zizmor,
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return create_sample(tmp_path_factory.mktemp("demo") / "nestbox")


@pytest.mark.scanners
@pytest.mark.parametrize("tool", EXPECTED)
def test_the_expected_rules_fire_and_the_clean_files_stay_clean(tool: str, sample: Path) -> None:
    scanners = Scanners(ROOT / ".secai" / "tools", ROOT / "config" / "rules")
    if scanners.versions()[tool].status is not ToolStatus.RAN:
        pytest.skip(f"{tool} is not installed here")
    (output,) = scanners.run(sample, [tool])
    assert output.run.status is ToolStatus.RAN, output.run.detail
    assert output.unread == ()
    found = READERS[tool](json.loads(output.data))
    hits = [(rule, path.removeprefix("./").lstrip("/")) for rule, path in found]
    assert [path for _, path in hits if not (sample / path).is_file()] == []
    assert set(EXPECTED[tool].split()) - {rule for rule, _ in hits} == set()
    clean = {path for path, tools in CLEAN.items() if tool in tools}
    assert [hit for hit in hits if hit[1] in clean] == []
