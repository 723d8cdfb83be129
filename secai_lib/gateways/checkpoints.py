"""Checkpoints of a training on the disk: whole or not there, checked when they are read.

Layout: `ROOT/NAME-IDENTITY/STEP/` with `arrays.safetensors`, `facts.json` and, written last,
`manifest.json` with the hash of both. A damaged one is removed, and the one before it is taken.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from secai_lib.core.record import canonical_json, sha256_hex
from secai_lib.gateways.scratch import scratch_folder
from secai_lib.gateways.store import translated_errors, write_synced

KEPT = 2
"""Checkpoints that stay: the newest, and the one before it."""
ARRAYS, FACTS, MANIFEST = "arrays.safetensors", "facts.json", "manifest.json"
ASIDE = ".aside"


class CheckpointFolder:
    """The checkpoints of one training."""

    def __init__(self, root: Path, name: str, identity: str) -> None:
        """Use a folder below `root` for the training `identity` of `name` (the product)."""
        self._root, self._name = root, name
        self._folder = root / f"{name}-{identity}"

    def save(self, step: int, facts: str, arrays: Mapping[str, Any]) -> None:
        """Keep `facts` (JSON) and `arrays` (NumPy) of the moment behind `step`.

        Raises:
            StorageError: the disk is full or not writable; the checkpoints before it stay.
        """
        import numpy as np
        from safetensors.numpy import save as bytes_of

        data = bytes_of({name: np.asarray(a, order="C") for name, a in sorted(arrays.items())})
        files = {ARRAYS: data, FACTS: facts.encode()}
        manifest = canonical_json({name: sha256_hex(text) for name, text in files.items()})
        with translated_errors(), scratch_folder(self._root / ASIDE) as scratch:
            aside, target = scratch / "new", self._folder / f"{step:08d}"
            aside.mkdir()
            for name, text in {**files, MANIFEST: manifest.encode()}.items():
                write_synced(aside / name, text)
            self._folder.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                target.rename(scratch / "old")
            aside.rename(target)
            for stale in self._steps()[KEPT:]:
                shutil.rmtree(stale, ignore_errors=True)

    def load(self) -> tuple[str, dict[str, Any]] | None:
        """Facts and arrays of the newest whole checkpoint; damaged ones are removed."""
        from safetensors.numpy import load as arrays_of

        for folder in self._steps():
            files = _whole(folder)
            if files:
                return files[FACTS].decode(), arrays_of(files[ARRAYS])
            shutil.rmtree(folder, ignore_errors=True)
        return None

    def remove(self) -> None:
        """Forget all checkpoints of that name, those of trainings with other settings too."""
        for folder in self._root.glob(f"{self._name}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _steps(self) -> list[Path]:
        """Folders of checkpoints, the newest first."""
        found = self._folder.iterdir() if self._folder.is_dir() else ()
        return sorted((p for p in found if p.is_dir()), reverse=True)


def _whole(folder: Path) -> dict[str, bytes]:
    """The files of the checkpoint in `folder` by name; empty when any is not as written."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        files = {name: (folder / name).read_bytes() for name in (ARRAYS, FACTS)}
    except (OSError, ValueError):
        return {}
    good = manifest == {name: sha256_hex(data) for name, data in files.items()}
    return files if good else {}
