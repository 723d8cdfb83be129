"""No profile and no environment variable makes a gate easier to pass."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from secai_lib.core.settings import Quality

GUARDED = ("gate_", "evaluation_", "exports_", "adapters_", "datasets_")
"""What the names of the limits begin with that decide whether something leaves: score gates with
their fewest rows, and the checks of leak, resumption and parity."""


def lowered(topic: Path, profiles: Sequence[Path], used: Quality) -> list[str]:
    """A sentence for every number of `quality` that is laxer than the file `topic` says.

    Profiles (the last one wins) may only make them stricter. The environment may move the others
    for one command, but none that is `GUARDED`; `used` is what it left.
    """
    base = Quality.model_validate(_quality(topic))
    asked: dict[str, tuple[str, Any]] = {}
    for profile in profiles:
        asked |= {name: (profile.name, value) for name, value in _quality(profile).items()}
    problems = [
        f"config/profiles/{file}: quality.{name}: {value} is laxer than {getattr(base, name)} in "
        "config/quality.yaml; a profile may only be stricter"
        for name, (file, value) in sorted(asked.items())
        if _laxer(name, float(value), float(getattr(base, name)))
    ]
    values = base.model_dump() | {name: value for name, (_, value) in asked.items()}
    laid = Quality.model_validate(values)
    return problems + [
        f"SECAI_QUALITY__{name.upper()}: {getattr(used, name)} is laxer than "
        f"{getattr(laid, name)}; the environment lowers no gate"
        for name in Quality.model_fields
        if name.startswith(GUARDED) and _laxer(name, getattr(used, name), getattr(laid, name))
    ]


def _laxer(name: str, value: float, base: float) -> bool:
    return value > base if "_max_" in name else value < base


def _quality(file: Path) -> Mapping[str, Any]:
    read = yaml.safe_load(file.read_text("utf-8")) or {}
    found = read.get("quality") or {}
    return found if isinstance(found, Mapping) else {}
