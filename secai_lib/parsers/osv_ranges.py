"""Affected versions of one package in OSV's schema."""

from secai_lib.core.finding import VersionRange
from secai_lib.parsers.node import Node


def ranges_of(affected: list[Node]) -> tuple[VersionRange, ...]:
    """The intervals of `affected` (entries of one package only), each once, in the file's order.

    Git ranges name commits, not versions, and are left out.
    """
    found: list[VersionRange] = []
    for entry in affected:
        for span in entry.items("ranges"):
            if span.text("type") != "GIT":
                found.extend(_intervals(span))
    return tuple(dict.fromkeys(found))


def fixed_versions(affected: list[Node]) -> tuple[str, ...]:
    """Every `fixed` version of those intervals, each once, in the file's order."""
    return tuple(dict.fromkeys(r.fixed for r in ranges_of(affected) if r.fixed))


def affected_versions(affected: list[Node]) -> tuple[str, ...]:
    """Every version listed one by one, each once, in the file's order."""
    return tuple(dict.fromkeys(v for entry in affected for v in entry.texts("versions")))


def _intervals(span: Node) -> list[VersionRange]:
    """Pairs every `introduced` with the `fixed` or `last_affected` that follows it.

    The schema lets events stand in any order, but every known database writes them in pairs; an
    end without a beginning counts from `0`.
    """
    found: list[VersionRange] = []
    begin: str | None = None
    for event in span.items("events"):
        if event.text("introduced"):
            if begin is not None:
                found.append(VersionRange(introduced=begin))
            begin = event.text("introduced")
        for end in ("fixed", "last_affected"):
            if event.text(end):
                found.append(VersionRange(introduced=begin or "0", **{end: event.text(end)}))
                begin = None
    if begin is not None:
        found.append(VersionRange(introduced=begin))
    return found
