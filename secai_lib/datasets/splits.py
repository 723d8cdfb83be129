"""Which part each group goes to, and what each test row is a test of."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from secai_lib.core.adapter import Stage
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import Facet, Split, TrainingExample
from secai_lib.datasets.likeness import components
from secai_lib.datasets.thinning import Rows, grouped, in_turn, rule_of, shuffled

Sizes = Mapping[Stage, float]
"""Stage -> rows."""

HELD_OUT = 0.4
"""Share of the test part for rules that the training part never shows."""

LOST = 0.08
"""Most rows of a stage that are left out of training, so that the test part has unknown rules."""

STAYS: Mapping[Split, float] = {Split.TEST: 1 / 2, Split.VALIDATION: 1 / 4}
"""Least share of each kind of row that is left for training when a part has been filled."""

MIN_GROUPS = 4
"""Up to so many groups there is nothing to hold back: all of them are for training."""


def split_rows(rows: Rows, settings: DatasetSettings) -> Rows:
    """`rows` of both stages with split and facet, without those that held-out rules cost.

    Whole groups only, so that no file and no problem is in one part of Stage 1 and in another of
    Stage 2. First rules are held out for the test part with all that is in their groups, then
    every other rule gets a group in the training part, then known rules fill the rest. Where the
    rules held out are too few, more are: their rows outside of the test part are left out. Where
    known rules are too few, the validation part takes rules that the test part has not. The
    training part keeps its share of every category, kind of weakness and kind of file. All of it
    holds for each stage.
    """
    groups = grouped(rows, lambda row: row.group)
    if len(groups) <= MIN_GROUPS:
        return rows
    test = _quota(rows, 1 - settings.train - settings.validation)
    held_out = Counter({stage: max(HELD_OUT * most, 1) for stage, most in test.items()})
    part = dict.fromkeys(_held_out(groups, held_out, settings.seed), Split.TEST)
    spare = _spare(groups, part, settings.seed)
    # the last ones are left to the validation part, should the test part take all before them
    some = len(spare) - round(settings.validation / (1 - settings.train) * len(spare))
    _fill(part, groups, spare[:some], Split.TEST, test)
    rows = _withheld(rows, part, held_out, settings.seed)
    groups = grouped(rows, lambda row: row.group)
    spare = [group for group in spare if group in groups]
    tested = {rule for group in part for rule in _rules(groups[group])}
    order = [row.group for row in shuffled(rows, settings.seed)]
    spare += [group for group in order if not tested & _rules(groups[group])]
    _fill(part, groups, spare, Split.VALIDATION, _quota(rows, settings.validation))
    made = [row.model_copy(update={"split": part.get(row.group, Split.TRAIN)}) for row in rows]
    return _with_facets(made)


def _quota(rows: Rows, share: float) -> Sizes:
    """Stage -> how many of its rows are `share` of them, one at least."""
    return {stage: max(round(share * size), 1) for stage, size in _sizes(rows).items()}


def _sizes(rows: Iterable[TrainingExample]) -> Counter[Stage]:
    return Counter(row.stage for row in rows)


def _held_out(groups: Mapping[str, Rows], budget: Sizes, seed: int) -> list[str]:
    """Groups that hold all rows of some rules and of their kinds of fix, `budget` rows at most."""
    families = components(_names(row) for own in groups.values() for row in own)
    holders: dict[str, set[str]] = {}
    for group, own in groups.items():
        for row in own:
            holders.setdefault(families[_names(row)[0]], set()).add(group)
    order = sorted(holders)
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    held: set[str] = set()
    for family in order:
        more = held | holders[family]
        sizes = _sizes(row for group in more for row in groups[group])
        if _within(sizes, budget) and not _starves(groups, more, more):
            held = more
    return sorted(held)


def _withheld(rows: Rows, part: Mapping[str, Split], budget: Sizes, seed: int) -> Rows:
    """`rows` without those outside of the test part that are of rules held out for it.

    Families of rules that most of the test part shows for the fewest rows lost come first, until
    `budget` of the test part are of unknown rules. Rules of genuine fixes stay known.
    """
    families = components(_names(row) for row in rows)
    inside: dict[str, Rows] = {}
    outside: dict[str, Rows] = {}
    for row in rows:
        side = inside if row.group in part else outside
        side.setdefault(families[_names(row)[0]], []).append(row)
    unknown = _sizes(row for family in set(inside) - set(outside) for row in inside[family])
    lost: Counter[Stage] = Counter()
    most = {stage: LOST * size for stage, size in _sizes(rows).items()}
    order = sorted(set(inside) & set(outside))
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    order.sort(key=lambda family: len(outside[family]) / len(inside[family]))
    for family in order:
        if any(_kind(row) is Facet.REAL for row in inside[family]):
            continue
        made = unknown + _sizes(inside[family])
        gone = lost + _sizes(outside[family])
        rest = {name: own for name, own in outside.items() if name != family}
        sides = {f"test {name}": own for name, own in inside.items()}
        starved = _starves(sides | rest, sides, {f"test {family}"})
        if _within(made, budget) and _within(gone, most) and not starved:
            unknown, lost, outside = made, gone, rest
    left = {row.id for own in (*inside.values(), *outside.values()) for row in own}
    return [row for row in rows if row.id in left]


def _within(sizes: Sizes, most: Sizes) -> bool:
    return all(size <= most[stage] for stage, size in sizes.items())


def _starves(
    groups: Mapping[str, Rows],
    away: Collection[str],
    more: Collection[str],
    to: Split = Split.TEST,
) -> bool:
    """Whether `away` has too many rows of a category, kind of weakness or of file of `more`.

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


def _kinds(row: TrainingExample) -> list[tuple[Stage, str]]:
    known = row.metadata
    return [
        (row.stage, kind) for kind in (known.category, known.vulnerability_type, _file_kind(row))
    ]


def _names(row: TrainingExample) -> tuple[str, ...]:
    """The row's rule and kind of fix: what must be unseen together to be unknown."""
    fix = row.metadata.fix_type
    return (f"rule {rule_of(row.metadata)}", *([f"fix {fix}"] if fix else []))


def _rules(rows: Iterable[TrainingExample]) -> set[tuple[Stage, str]]:
    return {(row.stage, rule_of(row.metadata)) for row in rows}


def _spare(groups: Mapping[str, Rows], part: Mapping[str, Split], seed: int) -> list[str]:
    """Groups the training part can do without, genuine fixes, kinds of file and rules in turn.

    Each rule keeps at least one group for training. Small groups come first: a big one would
    leave no room for the other kinds of file.
    """
    open_groups = sorted(set(groups) - set(part))
    shown: Counter[tuple[Stage, str]] = Counter()
    for group in open_groups:
        shown.update(_rules(groups[group]))
    rows = shuffled([row for group in open_groups for row in groups[group]], seed)
    rows.sort(key=lambda row: len(groups[row.group]))
    by_rule = in_turn(rows, lambda row: rule_of(row.metadata))
    ordered = in_turn(in_turn(by_rule, _file_kind), lambda row: _kind(row).value)
    spare: list[str] = []
    for group in dict.fromkeys(row.group for row in ordered):
        own = _rules(groups[group])
        if all(shown[rule] > 1 for rule in own):
            shown.subtract(own)
            spare.append(group)
    return spare


def _fill(
    part: dict[str, Split],
    groups: Mapping[str, Rows],
    spare: Iterable[str],
    to: Split,
    quota: Sizes,
) -> None:
    taken = _sizes(row for group, split in part.items() if split is to for row in groups[group])
    for group in spare:
        more = taken + _sizes(groups[group])
        if (
            group not in part
            and _within(more, quota)
            and not _starves(groups, {*part, group}, {group}, to)
        ):
            part[group] = to
            taken = more


def _file_kind(row: TrainingExample) -> str:
    return row.metadata.config_type or row.metadata.language or row.metadata.tool


def _kind(row: TrainingExample) -> Facet:
    genuine = bool(row.metadata.fix_type) and not row.metadata.forged
    return Facet.REAL if genuine else Facet.KNOWN


def _with_facets(rows: Rows) -> Rows:
    train = [row for row in rows if row.split is Split.TRAIN]
    rules = _rules(train)
    shown = {name for row in train for name in _names(row)}
    made = []
    for row in rows:
        known = (row.stage, rule_of(row.metadata)) in rules
        if row.split is not Split.TEST:
            made.append(row)
        elif known:
            made.append(row.model_copy(update={"facet": _kind(row)}))
        elif shown.isdisjoint(_names(row)):
            made.append(row.model_copy(update={"facet": Facet.UNKNOWN_RULE}))
    return made
