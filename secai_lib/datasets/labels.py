"""What evidence says a row is about: type, impact, kind of file, complexity."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Literal

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Category, Result, Severity
from secai_lib.core.training import ExampleMetadata
from secai_lib.core.weakness import VulnerabilityType as V
from secai_lib.datasets.weaknesses import CWES, GENERIC, KINDS

Complexity = Literal["low", "medium", "high"]

RULES: Mapping[str, tuple[tuple[str, V], ...]] = {
    "zizmor": (
        ("*template-injection", V.INJECTION),
        ("*insecure-commands", V.INJECTION),
        ("*github-env", V.INJECTION),
        ("*artipacked", V.SECRET_EXPOSURE),
        ("*secrets*", V.SECRET_EXPOSURE),
        ("*hardcoded-container-credentials", V.SECRET_EXPOSURE),
        ("*excessive-permissions", V.EXCESSIVE_PRIVILEGES),
        ("*dangerous-triggers", V.EXCESSIVE_PRIVILEGES),
        ("*unpinned-*", V.SUPPLY_CHAIN),
        ("*cache-poisoning", V.SUPPLY_CHAIN),
        ("*impostor-commit", V.SUPPLY_CHAIN),
        ("*ref-confusion", V.SUPPLY_CHAIN),
        ("*known-vulnerable-actions", V.VULNERABLE_DEPENDENCY),
    ),
    "checkov": (
        ("CKV2_GHA_1", V.EXCESSIVE_PRIVILEGES),
        ("CKV_GHA_1", V.INJECTION),
        ("CKV_GHA_2", V.INJECTION),
        ("CKV_GHA_7", V.SUPPLY_CHAIN),
        ("CKV_SECRET_*", V.SECRET_EXPOSURE),
        ("CKV2_DOCKER_17", V.SECRET_EXPOSURE),
        ("CKV2_DOCKER_1", V.EXCESSIVE_PRIVILEGES),
        ("CKV2_DOCKER_[789]", V.SUPPLY_CHAIN),  # packages without a signature
        ("CKV2_DOCKER_1[01]", V.SUPPLY_CHAIN),
        ("CKV2_DOCKER_*", V.INSECURE_TRANSPORT),
        ("CKV_DOCKER_1", V.INSECURE_CONFIGURATION),
        ("CKV_DOCKER_[38]", V.EXCESSIVE_PRIVILEGES),
        ("CKV_DOCKER_[47]", V.SUPPLY_CHAIN),
        ("CKV_DOCKER_[569]", V.OTHER),  # good style: no protection is off
        ("CKV_DOCKER_1[01]", V.OTHER),
        ("CKV_K8S_1[0-3]", V.DENIAL_OF_SERVICE),
        ("CKV_K8S_14", V.SUPPLY_CHAIN),
        ("CKV_K8S_15", V.SUPPLY_CHAIN),
        ("CKV_K8S_43", V.SUPPLY_CHAIN),
        ("CKV_K8S_35", V.SECRET_EXPOSURE),
        *((f"CKV_K8S_{number}", V.EXCESSIVE_PRIVILEGES) for number in
          (1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 22, 23, 25, 27, 28, 29, 30, 37, 38, 39, 40)),
        ("CKV*", V.INSECURE_CONFIGURATION),
    ),
    "bandit": (
        ("B50[1-4]", V.INSECURE_TRANSPORT),
        ("B30[12]", V.UNSAFE_DESERIALIZATION),
        ("B506", V.UNSAFE_DESERIALIZATION),
        ("B201", V.INSECURE_CONFIGURATION),
        ("B113", V.DENIAL_OF_SERVICE),
    ),
    "semgrep": (
        ("*injection*", V.INJECTION),
        ("*tls*", V.INSECURE_TRANSPORT),
        ("*cors*", V.BROWSER_PROTECTION),
        ("*cookie*", V.SESSION_MANAGEMENT),
        ("*random*", V.WEAK_RANDOMNESS),
        ("*weak-hash*", V.WEAK_CRYPTOGRAPHY),
        ("*permissions*", V.EXCESSIVE_PRIVILEGES),
    ),
    "detect-secrets": (("*", V.SECRET_EXPOSURE),),
    "gitleaks": (("*", V.SECRET_EXPOSURE),),
    "trufflehog": (("*", V.SECRET_EXPOSURE),),
    "trivy": (  # DS002, DS-0002 and AVD-DS-0002 are the same rule
        ("*DS*001", V.SUPPLY_CHAIN),
        ("*DS*002", V.EXCESSIVE_PRIVILEGES),
        ("*DS*005", V.SUPPLY_CHAIN),
        ("*DS*009", V.OTHER),
        ("*DS*010", V.EXCESSIVE_PRIVILEGES),
        ("*DS*022", V.OTHER),
        ("*DS*031", V.SECRET_EXPOSURE),
        ("*DS-0*", V.INSECURE_CONFIGURATION),
        ("DS0*", V.INSECURE_CONFIGURATION),
        ("*KSV*01[1568]", V.DENIAL_OF_SERVICE),
        ("*KSV*013", V.SUPPLY_CHAIN),
        ("*KSV*030", V.INSECURE_CONFIGURATION),
        ("*KSV*104", V.INSECURE_CONFIGURATION),
        ("*KSV*109", V.SECRET_EXPOSURE),
        ("*KSV*", V.EXCESSIVE_PRIVILEGES),
    ),
    "zap": (("1002*", V.BROWSER_PROTECTION), ("1003*", V.BROWSER_PROTECTION),
            ("9000*", V.BROWSER_PROTECTION), ("10049*", V.INFORMATION_DISCLOSURE)),
}  # fmt: skip
"""Tool -> rule ids (shell patterns) -> type, for rules without a telling CWE; first fit decides."""

_BY_CATEGORY: Mapping[Category, V] = {
    Category.DEPENDENCY: V.VULNERABLE_DEPENDENCY,
    Category.SECRET: V.SECRET_EXPOSURE,
    Category.WEB: V.BROWSER_PROTECTION,
    Category.INFRASTRUCTURE: V.INSECURE_CONFIGURATION,
    Category.CONTAINER: V.INSECURE_CONFIGURATION,
}


def vulnerability_type_of(result: Result, category: Category) -> V:
    """The kind of weakness: by a telling CWE, the scanner's rule, a wide CWE, the category."""
    known = [number for number in cwe_numbers(result.cwes) if number in CWES]
    if telling := [number for number in known if number not in GENERIC]:
        return CWES[telling[0]].kind
    for pattern, kind in RULES.get(result.tool, ()):
        if fnmatchcase(result.rule_id, pattern):
            return kind
    if known:
        return CWES[known[0]].kind
    if result.package is not None or result.advisories:
        return V.VULNERABLE_DEPENDENCY
    return _BY_CATEGORY.get(category, V.OTHER)


def cwe_numbers(cwes: Iterable[str]) -> list[int]:
    """The numbers of `cwes`, telling ones first, then in their order."""
    numbers = [int(digits) for cwe in cwes if (digits := cwe.rpartition("-")[2]).isdigit()]
    return sorted(numbers, key=lambda number: number in GENERIC)


LEVEL_IS_NO_RATING = frozenset({"checkov"})
"""Scanners that give every failed check the level `error`, however bad it is."""


def is_rated(result: Result) -> bool:
    """True when somebody rated the finding; a word for every failed check is no rating."""
    if result.tool in LEVEL_IS_NO_RATING and result.severity_origin == "level":
        return False
    return result.severity is not Severity.UNKNOWN and result.severity_origin != "none"


def config_type_of(path: str, language: str) -> str:
    """`workflow`, `dockerfile`, `kubernetes`, `compose`, ...; empty for code."""
    place = PurePosixPath(path.lower())
    name = place.name
    if place.parts[:2] == (".github", "workflows") or name in {"action.yml", "action.yaml"}:
        return "workflow"
    if language == "dockerfile" or name.partition(".")[0] in {"dockerfile", "containerfile"}:
        return "dockerfile"
    if name.endswith((".yml", ".yaml")):
        return "compose" if "compose" in name.split(".")[0].split("-") else _yaml_kind(place)
    by_name = {"androidmanifest.xml": "android", "package.json": "npm", "package-lock.json": "npm",
               "build.gradle": "gradle", "build.gradle.kts": "gradle", "gradle.lockfile": "gradle",
               "libs.versions.toml": "gradle", "requirements.txt": "pip", "pom.xml": "maven",
               "pyproject.toml": "pip"}  # fmt: skip
    return by_name.get(name, "terraform" if place.suffix in {".tf", ".tfvars"} else "")


def _yaml_kind(place: PurePosixPath) -> str:
    folders = set(place.parts[:-1])
    if folders & {"k8s", "kubernetes", "manifests", "deploy", "deployment", "charts", "helm"}:
        return "kubernetes"
    return "openapi" if place.stem in {"openapi", "swagger"} else "yaml"


def complexity(lines: int, files: int, places: int) -> Complexity:
    """How much there is to look at: `lines` and `files` touched, `places` the finding names.

    Low: one file, one place and at most 3 lines. High: several files, or more than 12 lines, or
    more than 3 places. Medium: the rest.
    """
    if files > 1 or lines > 12 or places > 3:
        return "high"
    return "low" if lines <= 3 and places <= 1 else "medium"


def security_impact_of(result: Result, kind: V) -> str:
    """What the weakness allows, in one sentence: of its CWE, else of its kind."""
    for number in cwe_numbers(result.cwes):
        if number in CWES and number not in GENERIC:
            return CWES[number].impact
    return KINDS[kind].impact


def metadata_of(
    result: Result,
    category: Category,
    *,
    repository: str,
    licence: str,
    problem: str,
    verdict: str,
    weight: float,
    created_at: datetime,
    lines: int,
    files: int = 1,
    places: int = 1,
    context: CodeContext | None = None,
    fix_type: str = "",
    approach: str = "",
    proof: str = "",
    certificate: str = "",
    forged: bool = False,
) -> ExampleMetadata:
    """Everything known of a row; `weight` is the category's in the settings."""
    kind = vulnerability_type_of(result, category)
    language = context.language if context else ""
    route = context.route if context and context.route and not context.route.reason else None
    file = result.path or (context.path if context else "") or (route.path if route else "")
    return ExampleMetadata(
        repository=repository,
        licence=licence,
        problem=problem,
        tool=result.tool,
        rule=result.rule_id,
        vulnerability_type=kind,
        category=category,
        severity=result.severity,
        cwes=result.cwes,
        verdict=verdict,
        complexity=complexity(lines, files, places),
        file=file,
        language=language,
        config_type=config_type_of(file, language) if file else "",
        endpoint=f"{route.method} {route.pattern}" if route else "",
        endpoint_type=route.endpoint_type if route else "",
        mapped_from=route.mapped_from.partition("?")[0] if route else "",
        url_mapped=route is not None,
        security_category=kind.value.replace("_", " "),
        security_impact=security_impact_of(result, kind),
        fix_type=fix_type,
        approach=approach,
        training_weight=weight,
        proof=proof,
        certificate=certificate,
        forged=forged,
        created_at=created_at,
    )
