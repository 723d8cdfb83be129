"""Which part each group goes to, and what each test row is a test of."""

from collections import Counter
from collections.abc import Iterable, Mapping

from secai_lib.core.adapter import Stage
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import Facet, Split, TrainingExample
from secai_lib.datasets.held_out import (
    Sizes,
    facet_if_known,
    file_kind,
    held_out,
    names_of,
    sizes_of,
    starves,
    within,
    without_withheld,
)
from secai_lib.datasets.thinning import Rows, grouped, in_turn, rule_of, shuffled

HELD_OUT = 0.4
"""Share of the test part for rules that the training part never shows."""

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
    budget = Counter({stage: max(HELD_OUT * most, 1) for stage, most in test.items()})
    part = dict.fromkeys(held_out(groups, budget, settings.seed), Split.TEST)
    spare = _spare(groups, part, settings.seed)
    # the last ones are left to the validation part, should the test part take all before them
    some = len(spare) - round(settings.validation / (1 - settings.train) * len(spare))
    _fill(part, groups, spare[:some], Split.TEST, test)
    rows = without_withheld(rows, part, budget, settings.seed)
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
    return {stage: max(round(share * size), 1) for stage, size in sizes_of(rows).items()}


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
    ordered = in_turn(in_turn(by_rule, file_kind), lambda row: facet_if_known(row).value)
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
    taken = sizes_of(row for group, split in part.items() if split is to for row in groups[group])
    for group in spare:
        more = taken + sizes_of(groups[group])
        if (
            group not in part
            and within(more, quota)
            and not starves(groups, {*part, group}, {group}, to)
        ):
            part[group] = to
            taken = more


def _with_facets(rows: Rows) -> Rows:
    train = [row for row in rows if row.split is Split.TRAIN]
    rules = _rules(train)
    shown = {name for row in train for name in names_of(row)}
    made = []
    for row in rows:
        known = (row.stage, rule_of(row.metadata)) in rules
        if row.split is not Split.TEST:
            made.append(row)
        elif known:
            made.append(row.model_copy(update={"facet": facet_if_known(row)}))
        elif shown.isdisjoint(names_of(row)):
            made.append(row.model_copy(update={"facet": Facet.UNKNOWN_RULE}))
    return made
