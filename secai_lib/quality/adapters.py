"""Was an adapter really trained, as asked, and from where it should?"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most


def finite(numbers: Mapping[str, Iterable[float]], faults: Sequence[str]) -> Verdict:
    """Every number of the record is one, by kind; `faults` are what reading the files found."""
    bad = [name for name, values in numbers.items() if not all(map(math.isfinite, values))]
    found = [*(f"{name}: not all are numbers" for name in bad), *faults]
    return at_most(
        "finite",
        len(found),
        0,
        good=f"Every number is one: {', '.join(numbers)}, matrices, logits.",
        bad=f"The adapter cannot be used: {'; '.join(found[:3])}. Train again.",
    )


def loss_down(before: float, after: float, quality: Quality) -> Verdict:
    """The loss of the probe rows fell by more than the share that is asked for."""
    drop = (before - after) / before if before > 0 else -math.inf
    passed = drop > quality.adapters_min_loss_drop  # a loss that is no number is no drop
    said = f"The loss of the probe rows went from {before:.4f} to {after:.4f} ({-drop:+.1%})"
    return Verdict(
        name="loss_down",
        passed=passed,
        value=drop if math.isfinite(drop) else -1.0,
        threshold=quality.adapters_min_loss_drop,
        sentence=f"{said}." if passed else f"{said}: raise learning_rate or iterations.",
    )


def settings_reached(differences: Sequence[str], compared: int) -> Verdict:
    """Every setting of `config/` is the trainer's; `differences` are sentences."""
    return at_most(
        "settings_reached",
        len(differences),
        0,
        good=f"All {compared} settings reached the trainer.",
        bad=f"{len(differences)} of {compared} settings are not the trainer's: "
        f"{'; '.join(differences[:4])}. Train again (secai train).",
    )


def resumed_from_stage1(
    facts: Mapping[str, tuple[Any, Any]], loss_said: float, loss_found: float, quality: Quality
) -> Verdict:
    """Stage 2 began where Stage 1 ended.

    `facts` are name -> what Stage 1 has and what Stage 2 wrote down; the losses are those of
    Stage 1's probe rows at its end and at Stage 2's beginning.
    """
    wrong = [f"{name} is {mine} and should be {said}" for name, (said, mine) in facts.items()
             if said != mine]  # fmt: skip
    change = abs(loss_said - loss_found)
    limit = quality.adapters_max_probe_change
    passed = not wrong and change <= limit
    said = f"Stage 1's probe loss was {loss_said:.6f} at its end and {loss_found:.6f} at the start"
    return Verdict(
        name="resumed_from_stage1",
        passed=passed,
        value=change if math.isfinite(change) else 1.0,
        threshold=limit,
        sentence=f"{said}; {', '.join(facts)} are the same."
        if passed
        else f"{'; '.join([*wrong, said])}: train Stage 2 again.",
    )


def padding(share: float, quality: Quality) -> Verdict:
    """Little of what was computed was padding."""
    return at_most(
        "padding",
        share,
        quality.adapters_max_padding,
        good=f"{share:.1%} of the tokens in batches were padding.",
        bad=f"{share:.1%} of the tokens in batches were padding: lower batch_size, or add rows.",
    )
