"""Rows of data sets with sensible defaults: a test names only what it is about."""

from typing import Literal

from secai_lib.core.finding import Category, Severity
from secai_lib.core.training import ExampleMetadata, Readable, TrainingExample
from secai_lib.core.weakness import VulnerabilityType
from secai_lib.datasets.rows import make_row
from tests.fakes.records import MOMENT, PATH, REPOSITORY

READABLE = Readable(
    fixed_code="permissions: {}",
    key_changes=("permissions added",),
    validation_steps=("run zizmor",),
    security_improvements=("the token can do less",),
    alternatives=(),
)
BODY = """Tool: zizmor
Rule: excessive-permissions
File: .github/workflows/ci.yml
Description: default permissions used due to no permissions block"""
RESPONSE = """{"category":"infrastructure","severity":"medium","type":"excessive_privileges"}
Impact: Whoever takes it over gains those rights too."""


def make_metadata(
    *,
    problem: str = "0123456789abcdef",
    tool: str = "zizmor",
    rule: str = "excessive-permissions",
    kind: VulnerabilityType = VulnerabilityType.EXCESSIVE_PRIVILEGES,
    category: Category = Category.INFRASTRUCTURE,
    severity: Severity = Severity.MEDIUM,
    cwes: tuple[str, ...] = (),
    complexity: Literal["low", "medium", "high"] = "low",
    file: str = PATH,
    fix_type: str = "",
    training_weight: float = 1.3,
    forged: bool = False,
) -> ExampleMetadata:
    return ExampleMetadata(
        repository=REPOSITORY,
        licence="Apache-2.0",
        problem=problem,
        tool=tool,
        rule=rule,
        vulnerability_type=kind,
        category=category,
        severity=severity,
        cwes=cwes,
        verdict="fixed" if fix_type else "no_fix_known",
        complexity=complexity,
        file=file,
        language="yaml",
        config_type="workflow",
        endpoint="",
        endpoint_type="",
        mapped_from="",
        url_mapped=False,
        security_category=kind.value.replace("_", " "),
        security_impact="Whoever takes it over gains those rights too.",
        fix_type=fix_type,
        approach="default" if fix_type else "",
        training_weight=training_weight,
        proof="",
        certificate="",
        forged=forged,
        created_at=MOMENT,
    )


def make_training_row(
    *,
    stage: Literal[1, 2] = 1,
    body: str = BODY,
    response: str = RESPONSE,
    group: str = "group",
    metadata: ExampleMetadata | None = None,
) -> TrainingExample:
    return make_row(
        stage,
        body,
        response,
        group=group,
        metadata=metadata or make_metadata(),
        readable=READABLE if stage == 2 else None,
    )
