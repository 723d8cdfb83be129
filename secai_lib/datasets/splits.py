"""Which part each group goes to, and what each test row is a test of."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import Facet, Split, TrainingExample
from secai_lib.datasets.likeness import components
from secai_lib.datasets.thinning import Rows, grouped, in_turn, rule_of, shuffled

HELD_OUT = 0.4
"""Share of the test part for rules that the training part never shows."""

MIN_GROUPS = 4
"""Up to so many groups there is nothing to hold back: all of them are for training."""


def split_rows(rows: Rows, settings: DatasetSettings) -> Rows:
    """`rows` with their split and facet; test rows that are neither known nor unknown are gone.

    Whole groups only. First rules are held out for the test part with all that is in their groups,
    then every other rule gets a group in the training part, then known rules fill the rest. Where
    they are too few, the validation part takes rules that the test part has not. The training part
    keeps something of every category and kind of file.
    """
    groups = grouped(rows, lambda row: row.group)
    if len(groups) <= MIN_GROUPS:
        return rows
    test = round((1 - settings.train - settings.validation) * len(rows))
    part = dict.fromkeys(_held_out(groups, max(test * HELD_OUT, 1), settings.seed), Split.TEST)
    spare = _spare(groups, part, settings.seed)
    _fill(part, groups, spare, Split.TEST, test)
    tested = {rule for group in part for rule in _rules(groups[group])}
    order = [row.group for row in shuffled(rows, settings.seed)]
    spare += [group for group in order if not tested & _rules(groups[group])]
    _fill(part, groups, spare, Split.VALIDATION, round(settings.validation * len(rows)))
    made = [row.model_copy(update={"split": part.get(row.group, Split.TRAIN)}) for row in rows]
    return _with_facets(made)


def _held_out(groups: Mapping[str, Rows], budget: float, seed: int) -> list[str]:
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
        if sum(len(groups[group]) for group in more) <= budget and not _empties(groups, more):
            held = more
    return sorted(held)


def _empties(groups: Mapping[str, Rows], away: Collection[str]) -> bool:
    """Whether some category or kind of file is in groups of `away` alone."""
    here: set[str] = set()
    there: set[str] = set()
    for group, own in groups.items():
        for row in own:
            (there if group in away else here).update((row.metadata.category, _file_kind(row)))
    return not there <= here


def _names(row: TrainingExample) -> tuple[str, ...]:
    """The row's rule and kind of fix: what must be unseen together to be unknown."""
    fix = row.metadata.fix_type
    return (f"rule {rule_of(row.metadata)}", *([f"fix {fix}"] if fix else []))


def _rules(rows: Rows) -> set[str]:
    return {rule_of(row.metadata) for row in rows}


def _spare(groups: Mapping[str, Rows], part: Mapping[str, Split], seed: int) -> list[str]:
    """Groups the training part can do without, genuine fixes, kinds of file and rules in turn.

    Each rule keeps at least one group for training. Small groups come first: a big one would
    leave no room for the other kinds of file.
    """
    open_groups = sorted(set(groups) - set(part))
    shown: Counter[str] = Counter()
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
    quota: int,
) -> None:
    taken = sum(len(groups[group]) for group, split in part.items() if split is to)
    for group in spare:
        fits = group not in part and taken + len(groups[group]) <= max(quota, 1)
        if fits and not _empties(groups, {*part, group}):
            part[group] = to
            taken += len(groups[group])


def _file_kind(row: TrainingExample) -> str:
    return row.metadata.config_type or row.metadata.language or row.metadata.tool


def _kind(row: TrainingExample) -> Facet:
    genuine = bool(row.metadata.fix_type) and not row.metadata.forged
    return Facet.REAL if genuine else Facet.KNOWN


def _with_facets(rows: Rows) -> Rows:
    train = [row for row in rows if row.split is Split.TRAIN]
    rules = _rules(train)
    fixes = {row.metadata.fix_type for row in train} - {""}
    made = []
    for row in rows:
        known = rule_of(row.metadata) in rules
        if row.split is not Split.TEST:
            made.append(row)
        elif known:
            made.append(row.model_copy(update={"facet": _kind(row)}))
        elif row.metadata.fix_type not in fixes:
            made.append(row.model_copy(update={"facet": Facet.UNKNOWN_RULE}))
    return made
