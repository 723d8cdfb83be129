"""Scan reports in, records out: pure, one module per scanner, told apart by content."""

from secai_lib.parsers.reading import parse_report
from secai_lib.parsers.redaction import redact_report
from secai_lib.parsers.registry import PARSERS

__all__ = ["PARSERS", "parse_report", "redact_report"]
