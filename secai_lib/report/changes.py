"""Fixes that are the same change: one version bump often removes ten problems."""

from collections.abc import Sequence
from typing import NamedTuple

from secai_lib.core.fix import Fix
from secai_lib.report.model import RepositoryReport


class Change(NamedTuple):
    """Equal edits, with every fix (one a problem) that consists of them."""

    fixes: tuple[Fix, ...]
    """The fixes, the most urgent problem's first; each has its own certificate."""

    @property
    def first(self) -> Fix:
        """The fix that stands for the change."""
        return self.fixes[0]

    @property
    def in_patch(self) -> bool:
        """True when the combined patch holds the change."""
        return any(fix.in_patch for fix in self.fixes)


def changes(fixes: Sequence[Fix]) -> tuple[Change, ...]:
    """The distinct changes that `fixes` make, in the order of their first fix."""
    groups: dict[tuple[object, ...], list[Fix]] = {}
    for fix in fixes:
        key = (fix.proposal.kind, tuple(sorted(map(repr, fix.proposal.edits))))
        groups.setdefault(key, []).append(fix)
    return tuple(Change(tuple(group)) for group in groups.values())


def changes_by_kind(report: RepositoryReport) -> dict[str, tuple[Change, ...]]:
    """Kind -> its distinct changes, the kind with most fixes first."""
    return {
        kind: changes([fix for fix in report.fixes if fix.proposal.kind == kind])
        for kind in report.counts.fixes_by_kind
    }
