"""Adapters in the layouts of PEFT and mlx-lm, and back; pure, from dict to dict."""

from secai_lib.peft_export.card import Kept, adapter_card, fused_card
from secai_lib.peft_export.layouts import Plain
from secai_lib.peft_export.mlx import from_mlx, to_mlx
from secai_lib.peft_export.parity import Parity
from secai_lib.peft_export.peft import base_name, from_peft, to_peft, to_peft_tensors

__all__ = [
    "Kept",
    "Parity",
    "Plain",
    "adapter_card",
    "base_name",
    "from_mlx",
    "from_peft",
    "fused_card",
    "to_mlx",
    "to_peft",
    "to_peft_tensors",
]
