"""What a model with an adapter computes when it is loaded afresh, as others will load it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.errors import TrainingError
from secai_lib.gateways.llm.local import AS_IT_LIES, loading_errors
from secai_lib.gateways.llm.mlx_engine import load_mlx

Rows = Sequence[Sequence[int]]
"""Token ids of each row."""


class Reloaded(NamedTuple):
    """A model with an adapter, as it came out of its files."""

    logits: NDArray[np.float32]
    """Behind the `last` positions of each row; shape (rows, last, vocabulary)."""
    modules: int
    """Modules that hold the adapter's matrices."""
    by: str
    """What loaded and computed."""


def peft_logits(base: Path, adapter: Path, rows: Rows, last: int) -> Reloaded:
    """What PEFT makes of the dense model in `base` and the export in `adapter`, in float32.

    Raises:
        ModelError: the base model cannot be loaded.
        TrainingError: PEFT does not load the adapter, or loads something else than its file says.
    """
    import peft

    plain = _load(base)
    try:
        model: Any = peft.PeftModel.from_pretrained(plain, str(adapter)).eval()
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise TrainingError(
            f"PEFT does not load the exported adapter ({type(error).__name__}): train again"
        ) from error
    modules = _require_all_loaded(model, adapter)
    return Reloaded(_by_torch(model, rows, last), modules, f"peft {peft.__version__}, {_torch()}")


def torch_logits(folder: Path, rows: Rows, last: int) -> Reloaded:
    """What transformers makes of the dense model in `folder`, in float32.

    Raises:
        ModelError: it cannot be loaded.
    """
    return Reloaded(_by_torch(_load(folder), rows, last), 0, _torch())


def mlx_logits(folder: Path, adapter: Path | None, rows: Rows, last: int) -> Reloaded:
    """What mlx-lm makes of the model in `folder` and the export in `adapter`, in float32.

    Without a GPU and without OpenBLAS it computes 1 GFLOPS: let `rows` be few and short.

    Raises:
        ModelError: the model cannot be loaded.
        TrainingError: mlx-lm does not load the adapter.
    """
    loaded = load_mlx(folder, dense=True)
    import mlx_lm
    from mlx_lm.tuner.lora import LoRALinear
    from mlx_lm.tuner.utils import load_adapters

    if adapter:
        try:
            load_adapters(loaded.model, str(adapter))
        except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise TrainingError(
                f"mlx-lm does not load the exported adapter ({type(error).__name__}): train again"
            ) from error
        loaded.model.eval()  # dropout is for training
    modules = [m for _, m in loaded.model.named_modules() if isinstance(m, LoRALinear)]
    by = f"mlx-lm {mlx_lm.__version__}, {loaded.precision}"
    return Reloaded(_by_mlx(loaded.model, rows, last), len(modules), by)


def overflows(folder: Path, row: Sequence[int], precision: str) -> bool:
    """True when the model in `folder` overflows, computing in the `precision` it is stored in.

    A CPU is slow in half precision, so that `row` should be short.
    """
    model = load_mlx(folder, dense=True).model
    import mlx.core as mx

    model.set_dtype(getattr(mx, precision))
    return not bool(np.isfinite(_by_mlx(model, [row], 1)).all())


def largest_change(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """The largest difference between two arrays of logits.

    Raises:
        TrainingError: they have different shapes, or one holds something that is no number.
    """
    if one.shape != other.shape or not one.size:
        raise TrainingError(f"logits of the shapes {one.shape} and {other.shape} were computed")
    change = float(np.abs(one.astype(np.float64) - other).max())
    if not np.isfinite(change):
        raise TrainingError("the model with its adapter computes no numbers: train again")
    return change


def _load(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    with loading_errors():
        return AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, **AS_IT_LIES
        )


def _torch() -> str:
    import torch

    return f"torch {torch.__version__.split('+')[0]}, float32"


def _by_torch(model: Any, rows: Rows, last: int) -> NDArray[np.float32]:
    import torch

    found = []
    with torch.inference_mode():
        for row in rows:  # one by one: nothing is padded, so nothing can be masked wrongly
            ids = torch.tensor([list(row)])
            found.append(model(input_ids=ids, logits_to_keep=last).logits[0].numpy())
    return np.stack(found)


def _by_mlx(model: Any, rows: Rows, last: int) -> NDArray[np.float32]:
    import mlx.core as mx

    found = []
    for row in rows:
        logits = model(mx.array([list(row)]))[0, -last:]
        found.append(np.array(logits.astype(mx.float32)))
    return np.stack(found)


def _require_all_loaded(model: Any, adapter: Path) -> int:
    """How many modules hold the matrices of the file, after PEFT took them.

    PEFT warns of names it does not know and leaves a matrix it misses as it was made.
    """
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    file = load_file(adapter / "adapter_model.safetensors")
    live = get_peft_model_state_dict(model, save_embedding_layers=False)
    odd = sorted(set(file) ^ set(live))
    if odd or not file:
        raise TrainingError(f"PEFT does not load all of the exported adapter: {odd[:1]}")
    for name, value in file.items():
        if not (value.shape == live[name].shape and bool((value == live[name]).all())):
            raise TrainingError(f"PEFT holds other numbers than the file for {name[:80]}")
    return len(file) // 2
