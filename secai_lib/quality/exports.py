"""Does an export compute what was trained?"""

from collections.abc import Collection

from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most

ROUNDING = 30
"""How many times the limit two engines may differ by in the bare base model."""


def loads(loaded: int, modules: int, what: str) -> Verdict:
    """Every one of the adapter's `modules` was there when `what` loaded the export."""
    return at_least(
        "loads",
        loaded if modules else 0,
        max(modules, 1),
        good=f"{what} loads all {modules} modules.",
        bad=f"{what} loads {loaded} of {modules} modules: export again.",
    )


def logit_parity(
    peft: float, mlx: float, base: float, quality: Quality, *, trainer: str = "torch"
) -> Verdict:
    """PEFT computes the logits that the trainer did, and mlx-lm those that PEFT does.

    Between PyTorch and MLX the bare base model differs by `base` already, because each rounds in
    its own way: such a comparison (of mlx-lm, and of PEFT where MLX was the `trainer`) is judged
    by what comes on top of twice that. A base that differs by more than `ROUNDING` times the limit
    is not one model in both, and proves nothing of the export.
    """
    limit = quality.exports_max_logit_change
    given = 2 * base if base <= ROUNDING * limit else 0.0
    on_top = (max(peft - given, 0.0) if trainer == "mlx" else peft, max(mlx - given, 0.0))
    said = f"PEFT's logits differ from the trainer's ({trainer}) by {peft:.1e}, mlx-lm's from "
    said += f"PEFT's by {mlx:.1e} (the bare base model's between the two by {base:.1e})"
    return at_most(
        "logit_parity",
        max(on_top),
        limit,
        good=f"In float32, {said}.",
        bad=f"In float32, {said}: the export is another function, do not use it.",
    )


def complete(here: Collection[str], wanted: Collection[str], doubt: str) -> Verdict:
    """Every file is there, and the export is of the adapter and base in force (no `doubt`)."""
    missing = sorted(set(wanted) - set(here))
    faults = len(missing) + bool(doubt)
    said = "; ".join([*(f"{name} is missing" for name in missing), *([doubt] if doubt else [])])
    return at_most(
        "complete",
        faults,
        0,
        good=f"All {len(wanted)} files are there, made of the adapter and base model in force.",
        bad=f"The export is not complete: {said}.",
    )


def fused_loads(whole: bool, change: float) -> Verdict:
    """The files are, `whole`, those that mlx-lm loaded when the model was made.

    `change` is the largest difference of a logit to the adapter's.
    """
    return at_most(
        "loads",
        not whole,
        0,
        good=f"mlx-lm loads it; its logits differ from the adapter's by {change:.1e} at most.",
        bad="The fused model is damaged, or the adapter, the base model or the export's code "
        "changed since: make it again.",
    )


def adapter_survives(
    precision: str, overall: float, worst: float, worst_module: str, quality: Quality
) -> Verdict:
    """Rounding left the adapter as it is, in every module."""
    said = f"Stored in {precision}, the change keeps a cosine of {overall:.4f}, {worst:.4f} in "
    return at_least(
        "adapter_survives",
        worst,
        quality.exports_min_survival,
        good=f"{said}{worst_module}.",
        bad=f"{said}{worst_module}: too much of the adapter is rounded away.",
    )


def size(size_bytes: int, quality: Quality) -> Verdict:
    """The fused model is as small as is said to be useful."""
    return at_most(
        "size",
        size_bytes,
        quality.exports_max_bytes,
        good=f"{size_bytes / 1e6:.0f} MB.",
        bad=f"{size_bytes / 1e6:.0f} MB are more than exports_max_bytes; a smaller base helps.",
    )
