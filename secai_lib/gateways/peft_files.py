"""The files of exported adapters: tensors and configurations, in bytes and in folders."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from secai_lib.core.errors import TrainingError, UsageError

CONFIG = "adapter_config.json"
LAYOUTS = {"peft": "adapter_model.safetensors", "mlx": "adapters.safetensors"}
"""Layout -> the file with its weights."""
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".npz")
MAX_CONFIG_BYTES = 1_000_000
MAX_WEIGHT_BYTES = 4_000_000_000


class AdapterFolder(NamedTuple):
    """An adapter as a library keeps it."""

    layout: str
    """`peft` or `mlx`."""
    tensors: dict[str, Any]
    """NumPy arrays, float32, by the library's names."""
    config: dict[str, Any]
    """Its `adapter_config.json`."""
    size: int
    """Bytes of the weights' file."""


def tensors_to_bytes(tensors: Mapping[str, Any], made_for: str) -> bytes:
    """A safetensors file that says it was `made_for` `pt` or `mlx`."""
    from safetensors.numpy import save

    # The library writes what lies in memory: a transposed view would arrive as something else.
    arrays = {name: np.ascontiguousarray(array) for name, array in sorted(tensors.items())}
    return save(arrays, metadata={"format": made_for})


def config_to_bytes(config: Mapping[str, Any]) -> bytes:
    """An `adapter_config.json`."""
    return (json.dumps(config, indent=2, sort_keys=True) + "\n").encode()


def read_adapter_folder(folder: Path) -> AdapterFolder:
    """The adapter in `folder`, in whichever layout it is; nothing in it is executed.

    Raises:
        UsageError: there is no adapter, or only a pickle, which could run code when it is read.
        TrainingError: a file is broken.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder; name one with an adapter_config.json")
    found = [name for name, file in LAYOUTS.items() if (folder / file).is_file()]
    if len(found) != 1 or not (folder / CONFIG).is_file():
        if not found and any(p.suffix in PICKLES for p in folder.iterdir()):
            raise UsageError(
                "the adapter is a pickle, which can run code when it is read and never is here: "
                "have its owner save it as safetensors"
            )
        raise UsageError(
            f"this is no adapter: a folder with {CONFIG} and either "
            f"{' or '.join(LAYOUTS.values())} is expected"
        )
    file = folder / LAYOUTS[found[0]]
    sizes = file.stat().st_size, (folder / CONFIG).stat().st_size
    if sizes[0] > MAX_WEIGHT_BYTES or sizes[1] > MAX_CONFIG_BYTES:
        raise UsageError("the files are larger than those of any adapter")
    return AdapterFolder(found[0], _read_tensors(file), _read_config(folder), sizes[0])


def write_adapter_folder(
    folder: Path, layout: str, tensors: Mapping[str, Any], config: Mapping[str, Any]
) -> None:
    """Write an adapter to the new `folder`, which is there whole or not at all.

    Raises:
        UsageError: something is there already, or the folder cannot be written.
    """
    if folder.exists():
        raise UsageError("the target is there already: name a new folder")
    files = {
        LAYOUTS[layout]: tensors_to_bytes(tensors, "pt" if layout == "peft" else "mlx"),
        CONFIG: config_to_bytes(config),
    }
    try:
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".secai-") as scratch:
            made = Path(scratch) / "adapter"
            made.mkdir()
            for name, data in files.items():
                (made / name).write_bytes(data)
            made.rename(folder)
    except OSError as error:
        raise UsageError(f"the target cannot be written ({error.strerror})") from error


def _read_tensors(file: Path) -> dict[str, Any]:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        loaded = load_file(file)  # by torch, because NumPy has no bfloat16
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError("the weights of the adapter are no readable safetensors") from error
    if not all(tensor.is_floating_point() for tensor in loaded.values()):
        raise TrainingError("the adapter holds something else than numbers with a point")
    return {name: tensor.to(torch.float32).numpy() for name, tensor in loaded.items()}


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise TrainingError(f"the {CONFIG} is broken") from error
    if not isinstance(config, dict):
        raise TrainingError(f"the {CONFIG} is broken")
    return config
