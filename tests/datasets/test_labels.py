"""Labels come from evidence: CWE, rule, category; every pattern of the table is reached."""

import re

import pytest

from secai_lib.core.finding import Category
from secai_lib.core.weakness import VulnerabilityType as V
from secai_lib.datasets.labels import (
    RULES,
    complexity,
    config_type_of,
    cwe_numbers,
    metadata_of,
    security_impact_of,
    vulnerability_type_of,
)
from secai_lib.datasets.weaknesses import CWES, GENERIC, KINDS
from tests.fakes.records import MOMENT, make_context, make_package, make_result


@pytest.mark.parametrize(
    ("tool", "rule", "cwes", "category", "kind"),
    [
        ("semgrep", "x", ("CWE-78",), Category.CODE, V.INJECTION),
        ("osv-scanner", "GHSA-x", ("CWE-918",), Category.DEPENDENCY, V.REQUEST_FORGERY),
        ("osv-scanner", "GHSA-x", ("CWE-200", "CWE-173"), Category.DEPENDENCY, V.INPUT_VALIDATION),
        ("bandit", "B506", ("CWE-20",), Category.CODE, V.UNSAFE_DESERIALIZATION),
        ("bandit", "B113", ("CWE-400",), Category.CODE, V.DENIAL_OF_SERVICE),
        ("zap", "10021", ("CWE-693",), Category.WEB, V.BROWSER_PROTECTION),
        ("zizmor", "artipacked", (), Category.INFRASTRUCTURE, V.SECRET_EXPOSURE),
        ("zizmor", "zizmor/unpinned-uses", (), Category.INFRASTRUCTURE, V.SUPPLY_CHAIN),
        ("checkov", "CKV_DOCKER_3", (), Category.CONTAINER, V.EXCESSIVE_PRIVILEGES),
        ("checkov", "CKV_DOCKER_6", (), Category.CONTAINER, V.OTHER),
        ("checkov", "CKV2_DOCKER_2", (), Category.CONTAINER, V.INSECURE_TRANSPORT),
        ("checkov", "CKV2_DOCKER_7", (), Category.CONTAINER, V.SUPPLY_CHAIN),
        ("checkov", "CKV2_DOCKER_12", (), Category.CONTAINER, V.INSECURE_TRANSPORT),
        ("trivy", "DS002", (), Category.CONTAINER, V.EXCESSIVE_PRIVILEGES),
        ("trivy", "AVD-DS-0026", (), Category.CONTAINER, V.INSECURE_CONFIGURATION),
        ("trivy", "KSV018", (), Category.INFRASTRUCTURE, V.DENIAL_OF_SERVICE),
        ("trivy", "AVD-KSV-0017", (), Category.INFRASTRUCTURE, V.EXCESSIVE_PRIVILEGES),
        ("checkov", "CKV_K8S_20", (), Category.INFRASTRUCTURE, V.EXCESSIVE_PRIVILEGES),
        ("checkov", "CKV_K8S_8", (), Category.INFRASTRUCTURE, V.INSECURE_CONFIGURATION),
        ("detect-secrets", "Secret Keyword", (), Category.SECRET, V.SECRET_EXPOSURE),
        (
            "semgrep",
            "secai.android.debuggable",
            ("CWE-489",),
            Category.MOBILE,
            V.INSECURE_CONFIGURATION,
        ),
        (
            "semgrep",
            "secai.android.allow-backup",
            ("CWE-530",),
            Category.MOBILE,
            V.INFORMATION_DISCLOSURE,
        ),
        (
            "semgrep",
            "secai.compose.port-on-all-interfaces",
            ("CWE-668",),
            Category.CONTAINER,
            V.INSECURE_CONFIGURATION,
        ),
        ("semgrep", "strange", ("CWE-99999",), Category.CODE, V.OTHER),
        ("unheard-of", "x", (), Category.SECRET, V.SECRET_EXPOSURE),
    ],
)
def test_types(tool: str, rule: str, cwes: tuple[str, ...], category: Category, kind: V) -> None:
    result = make_result(tool=tool, rule_id=rule, cwes=cwes)
    assert vulnerability_type_of(result, category) is kind


def test_an_advisory_without_a_cwe_is_a_vulnerable_dependency() -> None:
    result = make_result(tool="trivy", rule_id="CVE-2024-1", package=make_package())
    assert vulnerability_type_of(result, Category.CONTAINER) is V.VULNERABLE_DEPENDENCY


def test_every_kind_is_described_in_whole_sentences() -> None:
    assert set(KINDS) == set(V)
    texts = [text for kind in KINDS.values() for text in kind]
    texts += [text for entry in CWES.values() for text in (entry.cause, entry.impact)]
    assert all(text[0].isupper() and text.endswith(".") and len(text) < 120 for text in texts)
    assert {number for number in GENERIC if number in CWES} == {20, 200, 400, 693, 703}


def test_no_rule_of_the_table_is_hidden_by_an_earlier_one() -> None:
    for tool, rows in RULES.items():
        for pattern, kind in rows:
            rule = re.sub(r"\[(.)[^]]*\]", r"\1", pattern.replace("*", "x-x"))
            result = make_result(tool=tool, rule_id=rule)
            assert vulnerability_type_of(result, Category.CODE) is kind, (tool, pattern)


@pytest.mark.parametrize(
    ("path", "language", "kind"),
    [
        (".github/workflows/ci.yml", "yaml", "workflow"),
        ("app/Dockerfile", "dockerfile", "dockerfile"),
        ("Dockerfile.dev", "", "dockerfile"),
        ("docker-compose.yml", "yaml", "compose"),
        ("compose.prod.yaml", "yaml", "compose"),
        ("deploy/k8s/app.yaml", "yaml", "kubernetes"),
        ("app/src/main/AndroidManifest.xml", "xml", "android"),
        ("web/package-lock.json", "json", "npm"),
        ("server/gradle.lockfile", "", "gradle"),
        ("infra/main.tf", "hcl", "terraform"),
        ("notes.yaml", "yaml", "yaml"),
        ("src/main.py", "python", ""),
        ("src/composer.ts", "typescript", ""),
    ],
)
def test_kinds_of_files(path: str, language: str, kind: str) -> None:
    assert config_type_of(path, language) == kind


@pytest.mark.parametrize(
    ("lines", "files", "places", "word"),
    [(1, 1, 1, "low"), (3, 1, 1, "low"), (4, 1, 1, "medium"), (1, 1, 2, "medium"),
     (12, 1, 3, "medium"), (13, 1, 1, "high"), (1, 2, 1, "high"), (1, 1, 4, "high")],
)  # fmt: skip
def test_complexity(lines: int, files: int, places: int, word: str) -> None:
    assert complexity(lines, files, places) == word


def test_wide_cwes_come_last_and_broken_ones_not_at_all() -> None:
    assert cwe_numbers(("CWE-20", "CWE-79", "CWE-", "CWE-x")) == [79, 20]


def test_impact_is_the_cwes_or_the_kinds() -> None:
    assert "operating system" in security_impact_of(make_result(cwes=("CWE-78",)), V.OTHER)
    assert security_impact_of(make_result(), V.INJECTION) == KINDS[V.INJECTION].impact


def test_metadata_take_the_handler_of_a_mapped_url() -> None:
    made = metadata_of(
        make_result(), Category.INFRASTRUCTURE, repository="a/b", licence="MIT", problem="p",
        verdict="fixed", weight=1.3, created_at=MOMENT, lines=2, context=make_context(),
    )  # fmt: skip
    assert (made.config_type, made.url_mapped, made.complexity) == ("workflow", False, "low")
    assert made.security_category == "excessive privileges"
