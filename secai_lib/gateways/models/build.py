"""Makes the folder of a model out of what was delivered."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from secai_lib.core.model import Model, ModelFormat
from secai_lib.gateways.models import gguf_form
from secai_lib.gateways.models.card import (
    UNKNOWN,
    read_config,
    read_licence,
    read_title,
    spell_rope_for_mlx,
)
from secai_lib.gateways.models.delivery import Delivery, Say, recognise, sha256_of
from secai_lib.gateways.models.weights import examine

DENSE = ModelFormat.SAFETENSORS.value
GGUF = "gguf"
_READABLE = 0o644
"""Other users of a shared folder may read, whatever the library that wrote a file thinks."""


def build(delivery: Delivery, into: Path, folder: str, say: Say) -> Model:
    """The model of `delivery`, its dense form complete in `into` (`into/safetensors`).

    `folder` is the name that `into` will have on the shelf.

    Raises:
        ModelError: it is of a kind we cannot use, or broken.
        ModelTooLarge, StorageError: there is no room for unpacking it.
    """
    what = delivery.uri
    layout = recognise(delivery.folder, what)
    dense = into / DENSE
    dense.mkdir(parents=True)
    name, licence, origin = delivery.name, UNKNOWN, ""
    if layout.gguf:
        packed = into / GGUF / layout.gguf.name
        _place({packed.name: layout.gguf, **layout.files}, into / GGUF)
        facts = gguf_form.read_facts(packed, what)
        gguf_form.write_dense(packed, dense, facts, say)
        name, licence, origin = facts.name, facts.licence, "general.license of the GGUF"
    else:
        _place(layout.files, dense)
    _spell_config(dense, what)
    architecture, parameters = examine(dense, what)
    card = next((p for p in (dense / "README.md", into / GGUF / "README.md") if p.is_file()), None)
    if card:
        if what.startswith("pypi://") and not layout.gguf:
            name = read_title(card) or name  # a package is called otherwise than its model
        if licence == UNKNOWN:
            licence, origin = read_licence(card), "README.md"
    say(f"{name}: hashing")
    return Model(
        name=name,
        uri=delivery.uri,
        revision=delivery.revision,
        source_sha256=delivery.sha256,
        licence=licence,
        licence_origin=origin if licence != UNKNOWN else "nothing says so",
        architecture=architecture,
        parameters=parameters,
        size_bytes=sum(p.stat().st_size for p in dense.rglob("*") if p.is_file()),
        folder=folder,
        files=_hashes(into),
    )


def _place(files: Mapping[str, Path], into: Path) -> None:
    """Bring `files` into the folder `into`, as a second name of the same bytes where possible."""
    for name, file in files.items():
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file.resolve(), target)
        except OSError:  # another disk, or one without hard links
            shutil.copyfile(file, target)


def _spell_config(dense: Path, what: str) -> None:
    config = read_config(dense, what)
    spelled = spell_rope_for_mlx(config)
    if spelled != config:
        (dense / "config.json").unlink()  # it may be another name of the user's own file
        text = json.dumps(spelled, indent=2, sort_keys=True)
        (dense / "config.json").write_text(text + "\n", "utf-8")


def _hashes(folder: Path) -> dict[str, str]:
    found = {}
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        if file.stat().st_nlink == 1:
            file.chmod(_READABLE)
        found[file.relative_to(folder).as_posix()] = sha256_of(file)
    return found
