"""Reads the headers of safetensors files and the tokenizer: enough to know that a model loads."""

import json
import math
from pathlib import Path

from secai_lib.core.errors import ModelError
from secai_lib.gateways.models.card import read_config
from secai_lib.gateways.models.delivery import INDEX

_FLOATS = {"F64", "F32", "F16", "BF16"}
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.txt", "vocab.json")


def count_parameters(folder: Path, what: str) -> int:
    """Number of float weights in all safetensors files below `folder`, by their headers.

    Raises:
        ModelError: a file is cut off or broken, or there are no weights.
    """
    from safetensors import SafetensorError, safe_open

    total = 0
    for file in sorted(folder.rglob("*.safetensors")):
        try:
            with safe_open(file, framework="np") as weights:
                slices = [weights.get_slice(name) for name in weights.keys()]  # noqa: SIM118
        except (SafetensorError, OSError, ValueError) as error:
            raise ModelError(
                f"{file.name} of {what} is cut off or no safetensors file: remove the model from "
                "the models folder and run again"
            ) from error
        total += sum(math.prod(s.get_shape()) for s in slices if s.get_dtype() in _FLOATS)
    if not total:
        raise ModelError(f"{what} has no float weights: it is empty or quantised")
    return total


def check_shards(folder: Path, what: str) -> None:
    """Nothing, when every file that the index in `folder` names lies beside it.

    Raises:
        ModelError: one is missing, as after half a download, or the index is broken.
    """
    index = folder / INDEX
    if not index.is_file():
        return
    try:
        named = sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
        absent = [name for name in named if "/" in name or not (folder / name).is_file()]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"the {INDEX} of {what} is broken") from error
    if absent:
        raise ModelError(f"{absent[0][:80]!r} of {what} is missing: fetch the model again")


def check_tokenizer(folder: Path, what: str) -> None:
    """Nothing, when a tokenizer that can be read lies in `folder`.

    Raises:
        ModelError: there is none, or it is broken.
    """
    from tokenizers import Tokenizer

    if not any((folder / name).is_file() for name in _TOKENIZERS):
        raise ModelError(f"{what} has no tokenizer: the folder or repository is not complete")
    if (folder / "tokenizer.json").is_file():
        try:
            Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # the library raises plain Exception
            raise ModelError(f"the tokenizer.json of {what} is broken") from error


def examine(folder: Path, what: str) -> tuple[str, int]:
    """Architecture and number of parameters of the dense model in `folder`.

    Raises:
        ModelError: config, tokenizer or weights are missing or broken.
    """
    config = read_config(folder, what)
    check_tokenizer(folder, what)
    check_shards(folder, what)
    return str(config["model_type"]), count_parameters(folder, what)
