"""Rules that only the test part shows, and what the training part keeps in return."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from secai_lib.core.adapter import Stage
from secai_lib.core.training import Facet, Split, TrainingExample
from secai_lib.datasets.likeness import components
from secai_lib.datasets.thinning import Rows, rule_of

Sizes = Mapping[Stage, float]
"""Stage -> rows."""

LOST = 0.08
"""Most rows of a stage that are left out of training, so that the test part has unknown rules."""

STAYS: Mapping[Split, float] = {Split.TEST: 1 / 2, Split.VALIDATION: 1 / 4}
"""Least share of each kind of row that is left for training when a part has been filled."""


def held_out(groups: Mapping[str, Rows], budget: Sizes, seed: int) -> list[str]:
    """Groups that hold all rows of some rules and of their kinds of fix, `budget` rows at most."""
    families = components(names_of(row) for own in groups.values() for row in own)
    holders: dict[str, set[str]] = {}
    for group, own in groups.items():
        for row in own:
            holders.setdefault(families[names_of(row)[0]], set()).add(group)
    order = sorted(holders)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    held: set[str] = set()
    for family in order:
        more = held | holders[family]
        sizes = sizes_of(row for group in more for row in groups[group])
        if within(sizes, budget) and not starves(groups, more, more):
            held = more
    return sorted(held)


def without_withheld(rows: Rows, part: Mapping[str, Split], budget: Sizes, seed: int) -> Rows:
    """`rows` without those outside of the test part that are of rules held out for it.

    Families of rules that most of the test part shows for the fewest rows lost come first, until
    `budget` of the test part are of unknown rules. Rules of genuine fixes stay known.
    """
    families = components(names_of(row) for row in rows)
    inside: dict[str, Rows] = {}
    outside: dict[str, Rows] = {}
    for row in rows:
        side = inside if row.group in part else outside
        side.setdefault(families[names_of(row)[0]], []).append(row)
    unknown = sizes_of(row for family in set(inside) - set(outside) for row in inside[family])
    lost: Counter[Stage] = Counter()
    most = {stage: LOST * size for stage, size in sizes_of(rows).items()}
    order = sorted(set(inside) & set(outside))
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    order.sort(key=lambda family: len(outside[family]) / len(inside[family]))
    for family in order:
        if any(facet_if_known(row) is Facet.REAL for row in inside[family]):
            continue
        made = unknown + sizes_of(inside[family])
        gone = lost + sizes_of(outside[family])
        rest = {name: own for name, own in outside.items() if name != family}
        sides = {f"test {name}": own for name, own in inside.items()}
        starved = starves(sides | rest, sides, {f"test {family}"})
        if within(made, budget) and within(gone, most) and not starved:
            unknown, lost, outside = made, gone, rest
    left = {row.id for own in (*inside.values(), *outside.values()) for row in own}
    return [row for row in rows if row.id in left]


def starves(
    groups: Mapping[str, Rows],
    away: Collection[str],
    more: Collection[str],
    to: Split = Split.TEST,
) -> bool:
    """Whether `away` has too many rows of a category, kind of weakness or of file of `more`.

    All three name `groups`; `to` is the part that `more` would go to, which decides what is too
    many.
    An unknown rule is then one of a kind that is known: nobody can guess our names for the others.
    """
    here: Counter[tuple[Stage, str]] = Counter()
    there: Counter[tuple[Stage, str]] = Counter()
    for group, own in groups.items():
        side = there if group in away else here
        for row in own:
            side.update(_kinds(row))
    asked = {kind for group in more for row in groups[group] for kind in _kinds(row)}
    return any(here[kind] < STAYS[to] * (here[kind] + there[kind]) for kind in asked)


def names_of(row: TrainingExample) -> tuple[str, ...]:
    """The row's rule and kind of fix: what must be unseen together to be unknown."""
    fix = row.metadata.fix_type
    return (f"rule {rule_of(row.metadata)}", *([f"fix {fix}"] if fix else []))


def file_kind(row: TrainingExample) -> str:
    """The kind of file a row is about, or its tool."""
    return row.metadata.config_type or row.metadata.language or row.metadata.tool


def facet_if_known(row: TrainingExample) -> Facet:
    """What the row would be a test of if its rule occurs in the training part."""
    genuine = bool(row.metadata.fix_type) and not row.metadata.forged
    return Facet.REAL if genuine else Facet.KNOWN


def _kinds(row: TrainingExample) -> list[tuple[Stage, str]]:
    known = row.metadata
    return [
        (row.stage, kind) for kind in (known.category, known.vulnerability_type, file_kind(row))
    ]


def sizes_of(rows: Iterable[TrainingExample]) -> Counter[Stage]:
    """How many of `rows` each stage has."""
    return Counter(row.stage for row in rows)


def within(sizes: Sizes, most: Sizes) -> bool:
    """True when no stage has more rows than `most` says."""
    return all(size <= most[stage] for stage, size in sizes.items())
