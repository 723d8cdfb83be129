"""A file of finished things, one JSON line each, that survives a kill at any moment."""

import os
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from secai_lib.core.record import Record, canonical_json
from secai_lib.gateways.store import translated_errors

R = TypeVar("R", bound=Record)


class Journal:
    """Appends records to one file; what `append` returned from is on the disk."""

    def __init__(self, path: Path) -> None:
        """Use `path`, which is made with the first record."""
        self._path = path

    def append(self, record: Record) -> None:
        """Write `record` down, flushed and synced.

        Raises:
            StorageError: the disk is full or not writable.
        """
        with translated_errors():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as handle:
                # a torn line of a killed writer ends here, so that it spoils no other
                start = b"\n" if handle.tell() else b""
                handle.write(start + canonical_json(record).encode())
                handle.flush()
                os.fsync(handle.fileno())

    def read(self, kind: type[R]) -> list[R]:
        """The whole records, oldest first; a torn line or one of another form is left out."""
        try:
            lines = self._path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(kind.model_validate_json(line))
            except ValidationError:
                continue
        return found

    def remove(self) -> None:
        """Forget everything: it is stored elsewhere now."""
        self._path.unlink(missing_ok=True)
