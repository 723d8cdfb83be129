"""The birth certificate of a product."""

from collections.abc import Mapping

from secai_lib.core.record import Record


class Origin(Record):
    """What a product is made of; equal origins need no second making."""

    inputs: Mapping[str, str]
    """Input name -> content hash."""
    settings: str
    """Content hash of the settings that shape it."""
    code_version: str
    """Version of the code that makes it."""


class Manifest(Record):
    """Written last, so that its presence means the product is complete."""

    product: str
    """What it is: `findings`, `fixes`, ..."""
    key: str
    """Partition key or content hash."""
    origin: Origin
    """What it was made of."""
    counts: Mapping[str, int]
    """What is in it."""
    files: Mapping[str, str]
    """File name -> SHA-256."""
