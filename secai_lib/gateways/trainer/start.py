"""Where a training starts, alike for both engines: rows, modules, first weights."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from secai_lib.core.adapter import EncodedRow, LowRank, Weights
from secai_lib.core.errors import TrainingError
from secai_lib.core.settings import LoraSettings

Shapes = Mapping[str, tuple[int, int]]
"""Module name -> (out, in) of its weight matrix."""
NUMBERED = re.compile(r"^(?P<block>.*?\.(?P<layer>\d+))\.(?P<inside>.+)$")
"""`model.layers.7.self_attn.q_proj`: block `model.layers.7`, layer 7, inside `self_attn.q_proj`."""
ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)
NAMED = 3
"""Names shown of a longer list."""


def layer_of(module: str) -> int:
    """Number of the layer `module` is in.

    Raises:
        TrainingError: it is in none.
    """
    found = NUMBERED.match(module)
    if found is None:
        raise TrainingError(f"the module {module} is in no numbered layer")
    return int(found["layer"])


def select_modules(linear: Shapes, lora: LoraSettings) -> dict[str, tuple[int, int]]:
    """Those of the `linear` modules of a model that get an adapter, sorted by name.

    They are taken from what is there: every numbered layer, counted from the last.

    Raises:
        TrainingError: the model has fewer layers than asked for, or no such module.
    """
    inside = {name: found for name in linear if (found := NUMBERED.match(name))}
    layers = sorted({int(found["layer"]) for found in inside.values()})
    if lora.layers > len(layers):
        raise TrainingError(
            f"lora.layers asks for {lora.layers} layers and the model has {len(layers)}; set it to "
            "0 for all"
        )
    last = set(layers[-lora.layers :])
    chosen = {
        name: linear[name]
        for name, found in sorted(inside.items())
        if int(found["layer"]) in last
        and (lora.targets == "linear" or ATTENTION.search(found["inside"]))
    }
    if not chosen:
        raise TrainingError(f"the model has no {lora.targets} modules that could be adapted")
    return chosen


def fresh_weights(shapes: Shapes, rank: int, seed: int) -> dict[str, LowRank]:
    """The first weights: A uniform within 1/sqrt(in), B zero, so that nothing is changed yet.

    As PEFT and mlx-lm draw them, but by one generator, so that both begin with the same bits.
    """
    random = np.random.default_rng(seed)
    made = {}
    for name, (rows, columns) in sorted(shapes.items()):
        bound = 1 / math.sqrt(columns)
        a = random.uniform(-bound, bound, (rank, columns)).astype(np.float32)
        made[name] = LowRank(a, np.zeros((rows, rank), np.float32))
    return made


def require_fit(weights: Weights, shapes: Shapes, rank: int) -> None:
    """Nothing, when `weights` are finite and exactly those of the modules `shapes` at `rank`.

    Raises:
        TrainingError: a module is missing, unknown or of another shape, or a number is none.
    """
    if wrong := sorted(weights.keys() ^ shapes.keys()):
        missing = sum(name in shapes for name in wrong)
        raise TrainingError(
            f"the adapter does not fit: {missing} modules are missing and {len(wrong) - missing} "
            f"unknown ({_named(wrong)}); lora.layers, lora.targets or the base model differ"
        )
    for name, (rows, columns) in shapes.items():
        a, b = weights[name]
        if (a.shape, b.shape) != ((rank, columns), (rows, rank)):
            raise TrainingError(
                f"the adapter does not fit: {name} has the shapes {a.shape} and {b.shape} and "
                f"needs {(rank, columns)} and {(rows, rank)}; lora.rank or the base model differ"
            )
        if not (np.isfinite(a).all() and np.isfinite(b).all()):
            raise TrainingError(f"the adapter holds numbers that are none ({name}); train it again")


def require_rows(rows: Sequence[EncodedRow], vocabulary: int, context: int) -> None:
    """Nothing, when every row can be learnt by a model of that vocabulary and context (0: any).

    Raises:
        TrainingError: a row has no answer, no weight, no question, or what the model cannot read.
    """
    for row in rows:
        if not 0 < row.answer_start < len(row.tokens):
            raise TrainingError(f"row {row.id} has no token to learn; leave it out")
        if not (math.isfinite(row.weight) and row.weight > 0):
            raise TrainingError(f"row {row.id} has the weight {row.weight}; it has to be above 0")
        if min(row.tokens) < 0 or max(row.tokens) >= vocabulary:
            raise TrainingError(f"row {row.id} holds tokens the model does not know")
        if 0 < context < len(row.tokens):
            raise TrainingError(
                f"row {row.id} has {len(row.tokens)} tokens and the model reads {context}; lower "
                "max_tokens"
            )


def _named(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:NAMED]) + (", ..." if len(shown) > NAMED else "")
