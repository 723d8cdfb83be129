"""What was measured when an exported adapter was loaded again: the file `parity.json`."""

from secai_lib.core.record import Record


class Parity(Record):
    """An export, loaded in a fresh process and compared with what the trainer computed."""

    base: str
    """Identity of the base model."""
    adapter: str
    """Digest of the adapter."""
    trainer: str
    """Engine that trained it, and whose logits are compared with."""
    modules: int
    """Modules of the adapter ..."""
    peft_modules: int
    """... those PEFT loaded, number by number ..."""
    mlx_modules: int
    """... and those mlx-lm gave its low-rank layers; more than `modules` where it knows no less."""
    rows: int
    """Probe rows ..."""
    last: int
    """... and how many positions of each, from its end, were compared."""
    largest_logit: float
    """The largest absolute logit, so that a difference can be judged."""
    peft_change: float
    """Largest difference between PEFT's logits and the trainer's."""
    mlx_change: float
    """Largest difference between mlx-lm's logits and PEFT's, behind ..."""
    base_change: float
    """The same difference of the bare base model: two engines round differently. Also behind ..."""
    mlx_tokens: int
    """... the first tokens of the first probe row: without a GPU, MLX is slow."""
    peft: str
    """What PEFT's side was computed by."""
    mlx: str
    """What mlx-lm's side was computed by."""
