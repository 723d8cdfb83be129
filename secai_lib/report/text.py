"""Words of the report for categories, statuses and severities."""

from collections.abc import Mapping

from secai_lib.core.finding import Category, Severity
from secai_lib.core.scan import ToolStatus

CATEGORY_WORDS: Mapping[Category, str] = {
    Category.CODE: "code",
    Category.MOBILE: "mobile",
    Category.INFRASTRUCTURE: "infrastructure",
    Category.API: "API",
    Category.DEPENDENCY: "dependency",
    Category.CONTAINER: "container",
    Category.SECRET: "secret",
    Category.WEB: "web",
}
STATUS_WORDS: Mapping[ToolStatus, str] = {
    ToolStatus.RAN: "ran",
    ToolStatus.FAILED: "failed",
    ToolStatus.ABSENT: "not run",
}


def severity_word(severity: Severity) -> str:
    """The severity as a heading spells it."""
    return severity.value.capitalize()
