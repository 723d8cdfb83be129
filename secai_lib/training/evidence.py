"""Did every setting arrive? What was asked for beside what was found, setting by setting."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from secai_lib.core.adapter import Adapter
from secai_lib.core.settings import StageSettings
from secai_lib.training.plan import make_plan, replay_steps
from secai_lib.training.records import Training
from secai_lib.training.schedule import learning_rate, stops_early


class Evidence(NamedTuple):
    """One setting."""

    setting: str
    """Its name, or those it works together with."""
    asked: Any
    """What `config/` says, or what follows from it."""
    found: Any
    """What the trainer's live objects, its steps or its files say."""


def evidence(training: Training, adapter: Adapter, settings: StageSettings) -> list[Evidence]:
    """Every setting of `settings` beside what became of it in `training` and `adapter`.

    The order of rows, batches, steps and replays is compared by planning again from the recorded
    lengths; the rates by computing them again from the recorded validations.
    """
    lora, used, own = settings.lora, training.in_use, training.own_rows
    plan = make_plan(training.lengths[:own], training.lengths[own:], settings)
    looks = [look.step for look in training.validations]
    done = len(training.steps)
    layers = {name.split(".")[2] for name in adapter.modules if name.startswith("model.layers.")}
    wanted_layers = lora.layers or used.get("layers")
    shown = "attention" if all("attn" in name for name in adapter.modules) else "linear"
    compared: dict[str, tuple[Any, Any]] = {
        "engine": (
            adapter.engine if settings.engine == "auto" else settings.engine,
            adapter.engine,
        ),
        "lora.rank": (lora.rank, used.get("rank")),
        "lora.rank (matrices)": ({lora.rank}, {f.a_shape[0] for f in adapter.modules.values()}),
        "lora.scale": (lora.scale, used.get("scale")),
        "lora.dropout": (lora.dropout, used.get("dropout")),
        "lora.layers": (wanted_layers, used.get("layers")),
        "lora.layers (matrices)": (wanted_layers, len(layers)),
        "lora.targets": (lora.targets, shown),
        "modules": (len(adapter.modules), used.get("modules")),
        "trained_weights": (_numbers(adapter), used.get("trained_weights")),
        "base_frozen": (1, used.get("base_frozen")),
        "optimizer": ("adamw", str(used.get("optimizer", "")).lower()),
        "weight_decay": (settings.weight_decay, used.get("weight_decay")),
        "clip_norm": (settings.clip_norm, used.get("clip_norm")),
        "iterations, batch_size, accumulation, seed, replay": (plan.digest, training.plan),
        "replay (steps)": (
            replay_steps(settings) if training.stage == 2 else 0,
            training.planned_steps - settings.iterations,
        ),
        "iterations": (_steps(training, settings, len(plan.steps)), done),
        "learning_rate, schedule, warmup, plateau": (
            _rates(training, settings, len(plan.steps)),
            [step.learning_rate for step in training.steps],
        ),
        "learning_rate": (
            training.steps[-1].learning_rate if training.steps else None,
            used.get("learning_rate"),
        ),
        "label_weight": (
            (settings.label_weight,) if training.stage == 1 or len(training.lengths) > own else (),
            training.label_weights,
        ),
        "validate_every": (_looks(training, settings), looks),
        "validation_rows": (True, training.validation_rows <= settings.validation_rows),
        "checkpoint_every": (
            [n for n in range(1, done + 1) if n % settings.checkpoint_every == 0 or n == done],
            [n for n in training.checkpoints if n % settings.checkpoint_every == 0 or n == done],
        ),
        "max_tokens (rows left out)": (
            settings.max_tokens,
            training.settings.max_tokens if training.left_out else settings.max_tokens,
        ),
        "max_tokens": (True, max(training.lengths, default=0) <= settings.max_tokens),
        "probe_rows": (min(settings.probe_rows, own), len(training.probe)),
    }
    return [Evidence(name, asked, found) for name, (asked, found) in compared.items()]


def differences(found: list[Evidence]) -> list[str]:
    """A sentence for each setting that did not arrive."""
    return [
        f"{one.setting}: asked {_said(one.asked)}, found {_said(one.found)}"
        for one in found
        if not _same(one.asked, one.found)
    ]


def _same(asked: Any, found: Any) -> bool:
    if isinstance(asked, list) and isinstance(found, list):
        return len(asked) == len(found) and all(map(_same, asked, found))
    if isinstance(asked, float) and isinstance(found, int | float):
        # an engine may hold it in single precision
        return abs(asked - found) <= 1e-6 * max(abs(asked), abs(found))
    return bool(asked == found)


def _said(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _numbers(adapter: Adapter) -> int:
    return sum(
        shape[0] * shape[1]
        for facts in adapter.modules.values()
        for shape in (facts.a_shape, facts.b_shape)
    )


def _steps(training: Training, settings: StageSettings, planned: int) -> int:
    """Steps that had to be done: all, or those up to the validation that ended it."""
    losses: list[float] = []
    for look in training.validations:
        if look.step:
            losses.append(look.loss)
            if stops_early(settings, losses):
                return look.step
    return planned


def _rates(training: Training, settings: StageSettings, planned: int) -> list[float]:
    looks = [look for look in training.validations if look.step]
    return [
        learning_rate(settings, n, planned, [look.loss for look in looks if look.step <= n])
        for n in range(len(training.steps))
    ]


def _looks(training: Training, settings: StageSettings) -> list[int]:
    """Steps behind which the validation rows were to be looked at; none where there are none."""
    steps = range(len(training.steps) + 1) if training.validation_rows else ()
    return [n for n in steps if n % settings.validate_every == 0 or n == training.planned_steps]


def as_table(found: list[Evidence]) -> list[Mapping[str, object]]:
    """The rows of a table for people."""
    return [{"setting": e.setting, "asked": _said(e.asked), "found": _said(e.found)} for e in found]
