"""The answer of a quality rule, worn by Dagster as an asset check."""

from secai_lib.core.record import Record


class Verdict(Record):
    """Good or bad against a number."""

    name: str
    """The check's name."""
    passed: bool
    """Good or bad."""
    value: float
    """What was measured."""
    threshold: float
    """What it was measured against."""
    sentence: str
    """What it means and, when bad, what to do."""
