"""What loading a folder of weights would take, read from the headers of its files."""

import json
import math
import struct
from pathlib import Path

from secai_lib.core.errors import StorageError, UsageError
from secai_lib.gateways.memory import available_bytes

FLOAT32 = 4
"""Bytes of one number as the engines compute with it."""
MARGIN = 1.15
"""What a model takes beside its weights: keys, values and intermediate results of a batch."""
LARGEST_HEADER = 100_000_000
"""Bytes; the format's own limit."""


def float32_bytes(folder: Path) -> int:
    """Bytes that all weights in `folder` take as float32.

    Raises:
        StorageError: a file there is damaged, or there is none.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise StorageError(f"the model folder {folder.name} holds no *.safetensors; fetch it again")
    return sum(_numbers(file) for file in files) * FLOAT32


def check_memory(folder: Path) -> None:
    """Nothing, when the weights in `folder` fit into memory.

    Raises:
        UsageError: they do not.
    """
    needed = int(float32_bytes(folder) * MARGIN)
    free = available_bytes()
    if free is not None and needed > free:
        raise UsageError(
            f"the model needs {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free; "
            "close other programs, choose a smaller model in config/models.yaml, or let a server "
            "answer (inference.engine: server)"
        )


def _numbers(file: Path) -> int:
    try:
        with file.open("rb") as stream:
            (length,) = struct.unpack("<Q", stream.read(8))
            if length > LARGEST_HEADER:
                raise ValueError("header too long")
            header = json.loads(stream.read(length))
        header.pop("__metadata__", None)
        count: int = sum(math.prod(entry["shape"]) for entry in header.values())
        size = 8 + length + max(entry["data_offsets"][1] for entry in header.values())
        if size != file.stat().st_size:
            raise ValueError("cut")
    except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StorageError(f"{file.name} of the model is damaged; fetch the model again") from error
    return count
