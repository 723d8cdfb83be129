"""What a measurement is."""

from typing import NamedTuple


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


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| measured | ratio | compared with | numbers |", "|---|---|---|---|"]
    lines += [f"| {r.name} | {r.ratio:.2f} | {r.compared_with} | {r.detail} |" for r in rows]
    return "\n".join(lines)
