"""Reads `config/action_pins.yaml`: which commit a release of a GitHub Action is."""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

from secai_lib.core.errors import SettingsError

_COMMIT = re.compile(r"[0-9a-f]{40}")


def read_action_pins(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Action -> tag -> commit (40 hex digits); nothing when the file is missing.

    Raises:
        SettingsError: naming every line that is no pin.
    """
    try:
        pins = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError([f"config/{path.name} cannot be read: {error}"]) from error
    problems = [
        f"config/{path.name}: {action} {tag}: {commit!r} is no commit of 40 hex digits"
        for action, tags in pins.items()
        for tag, commit in tags.items()
        if not _COMMIT.fullmatch(str(commit))
    ]
    if problems:
        raise SettingsError(problems)
    return pins
