"""The head of a card: what the Hub and its loaders read."""

import json
from collections.abc import Mapping
from typing import Any

import yaml


def card(head: Mapping[str, Any], body: str) -> bytes:
    """A README.md of the YAML `head` and the Markdown `body`."""
    text = yaml.safe_dump(json.loads(json.dumps(head)), sort_keys=False, allow_unicode=True)
    return f"---\n{text}---\n\n{body.strip()}\n".encode()


def read_head(data: bytes) -> dict[str, Any]:
    """The head of a README.md; empty when it has none."""
    parts = data.decode().split("---\n", 2)
    if len(parts) < 3 or parts[0]:
        return {}
    head = yaml.safe_load(parts[1])
    return head if isinstance(head, dict) else {}


def hub_licence(licences: set[str]) -> str | list[str]:
    """`licences` (SPDX) as the Hub spells them: one word, or a list."""
    names = sorted(name.lower() for name in licences)
    return names[0] if len(names) == 1 else names
