"""When a problem was seen, fixed and seen again, judged only by scanners that ran."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from secai_lib.core.problem import EventKind
from secai_lib.core.scan import ScanRun, ToolStatus


class Event(NamedTuple):
    """Something happened to a group in a run."""

    kind: EventKind
    run: ScanRun
    tools: tuple[str, ...]
    """The scanners that say so, sorted."""


class Timeline(NamedTuple):
    """What the runs of one branch say of its groups."""

    events: Mapping[int, Sequence[Event]]
    """Group -> its events, oldest first."""
    holders: Mapping[int, frozenset[str]]
    """Open group -> the scanners that still see it."""


def timeline(runs: Iterable[ScanRun], seen: Mapping[str, Mapping[str, Iterable[int]]]) -> Timeline:
    """The history of every group; groups are numbers.

    A scanner that is absent from a run, or failed in it, says nothing: what it saw stays open until
    it runs again. A group is open while one scanner holds it, and fixed by the run in which the
    last one lets go.

    Args:
        runs: The runs of the branch, oldest first.
        seen: Key of a run -> scanner -> the groups it sees there.
    """
    held: dict[str, set[int]] = defaultdict(set)
    holders: Counter[int] = Counter()
    events: dict[int, list[Event]] = defaultdict(list)
    for run in runs:
        now = {tool: set(groups) for tool, groups in seen.get(run.key, {}).items()}
        ran = {tool.tool for tool in run.tools if tool.status is ToolStatus.RAN}
        found: dict[int, list[str]] = defaultdict(list)
        lost: dict[int, list[str]] = defaultdict(list)
        for tool in sorted(ran | set(now)):
            groups = now.get(tool, set())
            for group in groups - held[tool]:
                found[group].append(tool)
            for group in held[tool] - groups if tool in ran else ():
                lost[group].append(tool)
            held[tool] = groups if tool in ran else held[tool] | groups
        for group in sorted(found.keys() | lost.keys()):
            before = holders[group]
            holders[group] += len(found[group]) - len(lost[group])
            if not before and holders[group]:
                kind = EventKind.REOPENED if events[group] else EventKind.SEEN
                events[group].append(Event(kind, run, tuple(found[group])))
            elif before and not holders[group]:
                events[group].append(Event(EventKind.FIXED, run, tuple(lost[group])))
    still: dict[int, set[str]] = defaultdict(set)
    for tool, groups in held.items():
        for group in groups:
            still[group].add(tool)
    return Timeline(events, {group: frozenset(tools) for group, tools in still.items()})
