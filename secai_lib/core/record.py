"""The base of every record, and the one way to turn a record into bytes and into a hash."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen, strictly checked value; the sentence under a field is its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


def canonical_json(value: object) -> str:
    """The one JSON text of `value`: sorted keys, no spaces, records dumped by field.

    Equal values give equal texts, which is what content hashes rest on.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(*parts: object) -> str:
    """The first 16 hex digits of SHA-256 over the canonical JSON of `parts` (64 bits)."""
    return hashlib.sha256(canonical_json(list(parts)).encode()).hexdigest()[:16]


def sha256_hex(data: bytes) -> str:
    """The full SHA-256 of `data` in hex, as written to manifests."""
    return hashlib.sha256(data).hexdigest()


def _plain(value: object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return sha256_hex(value)
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value
