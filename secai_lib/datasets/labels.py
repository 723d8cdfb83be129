"""What evidence says a row is about: type, impact, kind of file, complexity."""

from datetime import datetime
from typing import Literal

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Category, Result
from secai_lib.core.training import ExampleMetadata
from secai_lib.core.weakness import VulnerabilityType

Complexity = Literal["low", "medium", "high"]


def vulnerability_type_of(result: Result, category: Category) -> VulnerabilityType:
    """The kind of weakness: by CWE first, then by the scanner's rule, then by category."""
    raise NotImplementedError


def config_type_of(path: str, language: str) -> str:
    """`workflow`, `dockerfile`, `kubernetes`, ...; empty for code."""
    raise NotImplementedError


def complexity(lines: int, files: int, places: int) -> Complexity:
    """How much a person has to look at: `lines` and `files` touched, distinct `places`."""
    raise NotImplementedError


def security_impact_of(result: Result, kind: VulnerabilityType) -> str:
    """What the weakness allows, in one sentence: of its CWE, else of its kind."""
    raise NotImplementedError


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
    raise NotImplementedError
