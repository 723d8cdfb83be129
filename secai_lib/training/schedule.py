"""The learning rate of every step, and when to stop: functions of settings and validations.

There is no state beside the validation losses, so whoever knows them goes on with the same rates.
"""

import math
from collections.abc import Sequence

from secai_lib.core.settings import StageSettings

COSINE_END = 0.1
"""Where the cosine ends, as a share of the highest rate."""


def learning_rate(
    settings: StageSettings, step: int, total: int, validations: Sequence[float]
) -> float:
    """The rate of step number `step` (from 0) of `total`, after the losses `validations`."""
    highest, warm = settings.learning_rate, round(settings.warmup * total)
    if step < warm:
        return highest * (step + 1) / warm
    if settings.schedule == "constant":
        return highest
    if settings.schedule == "plateau":
        return _lowered(settings, validations)
    done = (step - warm) / max(1, total - 1 - warm)
    return highest * (COSINE_END + (1 - COSINE_END) * (1 + math.cos(math.pi * done)) / 2)


def stops_early(settings: StageSettings, validations: Sequence[float]) -> bool:
    """True when the last `early_stop` validations brought no better loss; never for 0."""
    if not settings.early_stop or not validations:
        return False
    best = min(range(len(validations)), key=validations.__getitem__)
    return len(validations) - 1 - best >= settings.early_stop


def _lowered(settings: StageSettings, validations: Sequence[float]) -> float:
    """The rate on a plateau: times the factor whenever patience ran out, not below the floor."""
    rate, best, waited = settings.learning_rate, math.inf, 0
    for loss in validations:
        if loss < best:
            best, waited = loss, 0
            continue
        waited += 1
        if waited >= settings.plateau_patience:
            rate, waited = rate * settings.plateau_factor, 0
    return max(rate, min(settings.plateau_floor, settings.learning_rate))
