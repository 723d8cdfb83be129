"""What a measurement is."""

from typing import NamedTuple

HEAD = "| measured | ratio | compared with | numbers |\n|---|---|---|---|"


class Row(NamedTuple):
    """One measurement; both sides are measured in the same run on the same machine."""

    name: str
    """What was measured."""
    ratio: float
    """How many times better than what it is compared with."""
    compared_with: str
    """The other side."""
    detail: str
    """The numbers behind the ratio, with units."""


def line(row: Row) -> str:
    """The row in a Markdown table under `HEAD`."""
    return f"| {row.name} | {row.ratio:.2f} | {row.compared_with} | {row.detail} |"
