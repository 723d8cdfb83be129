"""Unpacks a GGUF into dense weights, tokenizer and chat template as `transformers` loads them."""

import math
import re
from pathlib import Path
from typing import NamedTuple

from secai_lib.core.errors import ModelError
from secai_lib.gateways.machine import FLOAT_BYTES, require_disk, require_memory
from secai_lib.gateways.models.card import spdx
from secai_lib.gateways.models.delivery import Say

PEAK = 2.4
"""Memory while unpacking, as a multiple of the dense weights (measured: 1.2 GB for 0.54)."""
_QUANTISATION = re.compile(r"[._-](i?q\d\w*|f16|f32|bf16)$", re.IGNORECASE)


class GgufFacts(NamedTuple):
    """What the header of a GGUF says."""

    name: str
    licence: str
    parameters: int


def read_facts(gguf: Path, what: str) -> GgufFacts:
    """Name, licence and number of parameters of the file `gguf`.

    Raises:
        ModelError: the file is cut off or broken.
    """
    from gguf import GGUFReader

    try:
        reader = GGUFReader(gguf)
        field = reader.get_field("general.license")
        said = str(field.contents()) if field else ""
        parameters = sum(math.prod(int(n) for n in t.shape) for t in reader.tensors)
    except Exception as error:  # a broken file meets any error in there
        raise ModelError(f"{gguf.name} of {what} is cut off or no GGUF file") from error
    return GgufFacts(_QUANTISATION.sub("", gguf.stem), spdx(said), parameters)


def write_dense(gguf: Path, into: Path, facts: GgufFacts, say: Say) -> None:
    """Write the weights of `gguf` as float32 safetensors into the new folder `into`.

    Raises:
        ModelError: the architecture is one that `transformers` does not read from a GGUF.
        ModelTooLarge, StorageError: there is no room for it.
    """
    dense = facts.parameters * FLOAT_BYTES
    require_memory(facts.name, int(dense * PEAK))
    require_disk(into, dense, facts.name)
    say(f"{facts.name}: unpacking {dense / 1e6:.0f} MB of float32 weights")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    where, name = str(gguf.parent), gguf.name
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, gguf_file=name, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            where,
            gguf_file=name,
            local_files_only=True,
            quantization_config=GgufConfig(dequantize=True),  # packed ones cannot be saved
            dtype=torch.float32,
        )
    except (ValueError, KeyError, NotImplementedError) as error:
        raise ModelError(
            f"the GGUF of {facts.name} cannot be unpacked ({type(error).__name__}): name the model "
            "with dense weights instead"
        ) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    say(f"{facts.name}: writing")
    model.save_pretrained(into)
    tokenizer.save_pretrained(into)
