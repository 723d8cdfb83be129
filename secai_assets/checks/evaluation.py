"""Was the examination whole, and does each model reach its gate?"""

from collections.abc import Iterator

import dagster as dg

from secai_assets.assets.evaluation import (
    NAME,
    evaluation,
    read_evaluation,
    read_marked,
    unanswered,
)
from secai_assets.assets.stage1_dataset import read_rows as read_stage1
from secai_assets.assets.stage2_dataset import read_rows as read_stage2
from secai_assets.checks.wear import wear
from secai_assets.resources.house import House
from secai_lib.core.verdict import Verdict
from secai_lib.evaluation.exam import MAIN, TRUTH, frozen, held_back
from secai_lib.quality.evaluation import complete, intervals, score_gates

SCORE_GATES = ("stage1", "stage2", "retention", "beats_base", "beats_baselines")
"""Checks that stop a push and nothing else: a weak model is a result, not a fault of the flow."""
WARNINGS = frozenset({*SCORE_GATES, "intervals"})
SAID = {
    "complete": "Everybody answered every row, every true answer is marked right, sets are frozen.",
    "stage1": "Score gate: Stage 1 has enough test rows right, every field.",
    "stage2": "Score gate: enough fixes of Stage 2 are proven by scanning again.",
    "retention": "Score gate: Stage 2 keeps enough of what Stage 1 can do.",
    "beats_base": "Score gate: each stage's model is better than the base model.",
    "beats_baselines": "Score gate: on strange rules and files better than every baseline.",
    "intervals": "There are rows enough that the intervals say something.",
}
"""Name of a check -> what it means."""


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            name, asset=evaluation, blocking=name not in WARNINGS, description=description
        )
        for name, description in SAID.items()
    ],
    can_subset=True,
)
def evaluation_checks(
    context: dg.AssetCheckExecutionContext, house: dg.ResourceParam[House]
) -> Iterator[dg.AssetCheckResult]:
    """Judge the stored examination against the test parts of now."""
    yield from wear(context, verdicts(house), asset=NAME, warnings=WARNINGS)


def verdicts(house: House) -> list[Verdict]:
    """What is to be said of the examination in force; score gates among them."""
    made, marked = read_evaluation(house), read_marked(house)
    now = {"stage1": read_stage1(house), "stage2": read_stage2(house)}
    changed = [
        name for name, rows in now.items() if frozen(held_back(rows)) != made.test_sets[name]
    ]
    unproven = [
        one.answer.row
        for one in marked
        if one.answer.contender == TRUTH and not one.marks[MAIN[one.answer.stage]]
    ]
    quality = house.settings.quality
    return [
        complete(made, unanswered(made, marked), unproven, changed),
        *score_gates(made, quality),
        intervals(made, quality),
    ]
