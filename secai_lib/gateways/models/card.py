"""What a model says about itself: its name and its licence."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from secai_lib.core.errors import ModelError

UNKNOWN = "unknown"
PART = "partial_rotary_factor"
"""Of a head's numbers, how many rotate."""
ROPE = ("rope_theta", "rope_scaling", PART)
"""What `mlx_lm` has to be told of the positions."""
_FRONT = re.compile(r"\A---\r?\n(.*?)\r?\n---\s*$", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r"^# +([A-Za-z0-9][A-Za-z0-9._-]{1,80})\s*$", re.MULTILINE)
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,60}")
_NO_LICENCE = {"other", "unknown", "none", ""}
_CARD_CHARS = 200_000


def read_licence(card: Path) -> str:
    """The SPDX identifier in the front matter of a model's `README.md`, or `unknown`."""
    if not card.is_file():
        return UNKNOWN
    front = _FRONT.match(card.read_text("utf-8", "replace")[:_CARD_CHARS])
    try:
        data = yaml.safe_load(front[1]) if front else None
    except (yaml.YAMLError, ValueError, RecursionError):  # also a 99th of December
        return UNKNOWN
    said = data.get("license") if isinstance(data, dict) else None
    return spdx(said) if isinstance(said, str) else UNKNOWN


def read_title(card: Path) -> str:
    """The first heading of a model's `README.md` where it is a plain name; empty otherwise."""
    if not card.is_file():
        return ""
    found = _TITLE.search(card.read_text("utf-8", "replace")[:_CARD_CHARS])
    return found[1] if found else ""


def spdx(said: str) -> str:
    """The SPDX identifier for a licence as the Hub writes it, e.g. `apache-2.0`.

    A licence with a name of its own (`llama3.2`) becomes `LicenseRef-llama3.2`.
    """
    if said.strip().lower() in _NO_LICENCE:
        return UNKNOWN
    try:
        return str(canonicalize_license_expression(said.strip()))
    except InvalidLicenseExpression:
        return f"LicenseRef-{said.strip()}" if _NAMED.fullmatch(said.strip()) else UNKNOWN


def read_config(folder: Path, what: str) -> dict[str, Any]:
    """The `config.json` of the model in `folder`.

    Raises:
        ModelError: it is missing or broken, or the weights are packed in a way we cannot unpack.
    """
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"the config.json of {what} is missing or broken") from error
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise ModelError(f"the config.json of {what} names no model_type")
    if "quantization_config" in config or "quantization" in config:
        raise ModelError(
            f"{what} is quantised already: name the model with dense weights, or its GGUF"
        )
    if "auto_map" in config:
        raise ModelError(
            f"{what} needs code of its own to load, which we do not run: choose another model"
        )
    return config


def spell_rope_for_mlx(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` with the rotary settings also under the names `mlx_lm` knows.

    transformers 5 writes `rope_parameters` only; `mlx_lm` (0.32) passes over it without a word,
    takes its default base of 10,000 and computes another model. Both spellings may stand together.
    """
    rope = config.get("rope_parameters")
    if not isinstance(rope, dict) or "rope_theta" not in rope or "rope_theta" in config:
        return dict(config)
    spelled = {**config, "rope_theta": rope["rope_theta"]}
    if PART in rope:
        spelled[PART] = rope[PART]
    if rope.get("rope_type", "default") != "default":
        spelled["rope_scaling"] = {k: v for k, v in rope.items() if k != "rope_theta"}
    return spelled


def require_rope_of_mlx(config: Mapping[str, Any], what: str) -> None:
    """Nothing, when `mlx_lm` can be told the rotary settings in `config`.

    Raises:
        ModelError: transformers 5 wrote them layer by layer, of which `mlx_lm` knows nothing.
    """
    rope = config.get("rope_parameters")
    by_layer = isinstance(rope, dict) and any(isinstance(part, dict) for part in rope.values())
    if by_layer and "rope_theta" not in config:
        raise ModelError(
            f"the rotary settings of {what} differ by layer, which mlx_lm passes over: set "
            "inference.engine to torch"
        )
