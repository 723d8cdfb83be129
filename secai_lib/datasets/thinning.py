"""Which rows are left out before splitting: repeats, near-repeats, and too much of one rule."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import zip_longest

from secai_lib.core.finding import ADVISORY_TOOLS
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import ExampleMetadata, TrainingExample
from secai_lib.datasets.likeness import clusters, components

Rows = list[TrainingExample]


def rule_of(metadata: ExampleMetadata) -> str:
    """What counts as one rule: an advisory occurs once, so its tool and kind of weakness do."""
    advisory = metadata.tool in ADVISORY_TOOLS and "-" in metadata.rule
    return f"{metadata.tool}:{metadata.vulnerability_type if advisory else metadata.rule}"


def without_repeats(rows: Sequence[TrainingExample]) -> Rows:
    """`rows` in the order of their ids, the first of those with equal texts."""
    first = {row.id: row for row in sorted(rows, key=lambda r: (r.id, r.group), reverse=True)}
    return [first[key] for key in sorted(first)]


def linked(rows: Rows) -> Rows:
    """`rows` with one group for all that share a group or a problem, whatever their stage."""
    together = components((row.group, f"problem {row.metadata.problem}") for row in rows)
    return [row.model_copy(update={"group": together[row.group]}) for row in rows]


def without_near_repeats(rows: Rows, settings: DatasetSettings) -> Rows:
    """At most `cap_floor` rows of a cluster of near-duplicates, its groups merged into one.

    Where that would chain more rows together than the validation part takes (manifests that are
    all alike), each cluster there keeps rows of one group only, so that nothing is chained.
    """
    cluster = dict(
        zip((row.id for row in rows), clusters(rows, settings.near_duplicate), strict=True)
    )
    kept = _thinned(rows, cluster, settings)
    together = _merged(kept, cluster)
    sizes: dict[str, int] = defaultdict(int)
    for row in kept:
        sizes[together[row.group]] += 1
    limit = settings.validation * len(kept)
    groups = {row.group for row in kept}
    huge = {group for group in groups if sizes[together[group]] > limit}
    kept = _one_group_each(kept, cluster, huge)
    together = _merged(kept, cluster)
    return [row.model_copy(update={"group": together[row.group]}) for row in kept]


def capped(rows: Rows, settings: DatasetSettings) -> Rows:
    """At most max(cap_floor, cap_share of all) `rows` of each rule, complexities in turn.

    Each stage counts for itself.
    """
    kept: Rows = []
    for own in grouped(rows, lambda row: str(row.stage)).values():
        limit = max(settings.cap_floor, int(settings.cap_share * len(own)))
        for same in grouped(own, lambda row: rule_of(row.metadata)).values():
            dealt = shuffled(same, settings.seed)
            kept += in_turn(dealt, lambda row: row.metadata.complexity)[:limit]
    return sorted(kept, key=lambda row: row.id)


def grouped(
    rows: Sequence[TrainingExample], key: Callable[[TrainingExample], str]
) -> dict[str, Rows]:
    """Key -> its rows, in their order."""
    found: dict[str, Rows] = defaultdict(list)
    for row in rows:
        found[key(row)].append(row)
    return dict(found)


def in_turn(rows: Sequence[TrainingExample], key: Callable[[TrainingExample], str]) -> Rows:
    """`rows` so that the values of `key` take turns, each in its own order."""
    lanes = grouped(rows, key)
    turns = zip_longest(*(lanes[name] for name in sorted(lanes)))
    return [row for turn in turns for row in turn if row is not None]


def shuffled(rows: Sequence[TrainingExample], seed: int) -> Rows:
    """`rows` in an order that depends on their ids and `seed` alone."""
    made = sorted(rows, key=lambda row: row.id)
    random.Random(seed).shuffle(made)  # noqa: S311 - an order, not a secret
    return made


def _thinned(rows: Rows, cluster: dict[str, int], settings: DatasetSettings) -> Rows:
    by_cluster = grouped(rows, lambda row: str(cluster[row.id]))
    kept = [
        row
        for own in by_cluster.values()
        for row in in_turn(shuffled(own, settings.seed), lambda r: r.group)[: settings.cap_floor]
    ]
    return sorted(kept, key=lambda row: row.id)


def _merged(rows: Rows, cluster: dict[str, int]) -> dict[str, str]:
    """Group -> the group it is part of once near-duplicates hold groups together."""
    alike = grouped(rows, lambda row: str(cluster[row.id]))
    return components([row.group for row in own] for own in alike.values())


def _one_group_each(rows: Rows, cluster: dict[str, int], huge: set[str]) -> Rows:
    keeper: dict[int, str] = {}
    kept = []
    for row in rows:
        if row.group not in huge or keeper.setdefault(cluster[row.id], row.group) == row.group:
            kept.append(row)
    return kept
