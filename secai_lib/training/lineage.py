"""Proof that Stage 2 begins where Stage 1 ended, made before the first step.

A library that loads weights by name may load none of them and say nothing; so what the engine
holds afterwards is read back and compared with what Stage 1 wrote down, by name, shape and hash,
and by the loss it has on Stage 1's own probe rows.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from secai_lib.core.adapter import Adapter, ModuleFacts, TrainEngine, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import StageSettings
from secai_lib.training.losses import mean_loss
from secai_lib.training.records import Resumed

FactsOf = Callable[[Weights], Mapping[str, ModuleFacts]]
"""Shapes and hashes of weights."""
AGAIN = "train Stage 1 again with the same lora settings and base model (secai train)"


class Parent(NamedTuple):
    """The adapter that Stage 2 goes on from."""

    adapter: Adapter
    """What Stage 1 wrote down about it."""
    weights: Weights
    """Its matrices."""
    probe_loss: float
    """Mean loss of Stage 1's probe rows at its end."""


def resume(
    engine: TrainEngine,
    parent: Parent,
    *,
    base: str,
    settings: StageSettings,
    probe: Sequence[int],
    facts_of: FactsOf,
    tolerance: float,
) -> Resumed:
    """What was compared after `engine` took over the weights of `parent`.

    Raises:
        TrainingError: anything differs; it names the first difference, and no step was done.
    """
    adapter = parent.adapter
    _same("the base model", adapter.base, base)
    _same("lora.rank", adapter.rank, settings.lora.rank)
    _same("lora.scale", adapter.scale, settings.lora.scale)
    _same_modules(adapter.modules, facts_of(engine.weights()), hashes=False)
    _same_modules(adapter.modules, facts_of(parent.weights), hashes=True)
    engine.load(parent.weights)
    _same_modules(adapter.modules, facts_of(engine.weights()), hashes=True)
    found = mean_loss(engine, probe, settings.batch_size)
    if not probe or not math.isfinite(found) or abs(found - parent.probe_loss) > tolerance:
        raise TrainingError(
            f"Stage 2 does not begin where Stage 1 ended: the loss of Stage 1's {len(probe)} "
            f"probe rows was {parent.probe_loss:.6f} and is {found:.6f}; {AGAIN}"
        )
    return Resumed(
        parent=adapter.digest,
        base=base,
        modules=len(adapter.modules),
        probe_rows=len(probe),
        loss_said=parent.probe_loss,
        loss_found=found,
    )


def _same(what: str, stage1: object, stage2: object) -> None:
    if stage1 != stage2:
        raise TrainingError(f"{what} was {stage1} in Stage 1 and is {stage2} in Stage 2; {AGAIN}")


def _same_modules(
    said: Mapping[str, ModuleFacts], found: Mapping[str, ModuleFacts], *, hashes: bool
) -> None:
    """Refuse the first module, by name, that is not in both or not alike."""
    for name in sorted({*said, *found}):
        if name not in found:
            raise TrainingError(f"Stage 1's adapter has {name}, Stage 2 trains no such; {AGAIN}")
        if name not in said:
            raise TrainingError(f"Stage 2 trains {name}, Stage 1's adapter has none; {AGAIN}")
        one, other = said[name], found[name]
        for half in ("a_shape", "b_shape"):
            _same(f"{half} of {name}", getattr(one, half), getattr(other, half))
        if hashes and one.sha256 != other.sha256:
            raise TrainingError(f"{name} holds other numbers than Stage 1 wrote down; {AGAIN}")
