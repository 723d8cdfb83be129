"""Training of adapters: one interface, two engines (`torch`, `mlx`)."""

from secai_lib.gateways.trainer.encode import Encoded, encode_rows, open_prompter
from secai_lib.gateways.trainer.opening import choose_trainer, open_trainer

__all__ = [
    "Encoded",
    "choose_trainer",
    "encode_rows",
    "open_prompter",
    "open_trainer",
]
