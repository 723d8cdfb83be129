"""Takes a model from a folder of this machine."""

from pathlib import Path

from secai_lib.core.errors import ModelError
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.models.delivery import (
    Delivery,
    Say,
    check_pin,
    recognise,
    sha256_of_tree,
)


def deliver(source: ModelSource, say: Say) -> Delivery:
    """The model in the folder that `source` names; its path is recorded nowhere.

    Raises:
        ModelError: there is no folder, or its content is not the pinned one.
    """
    folder = Path(source.uri)
    name = folder.name
    if not folder.is_dir():
        raise ModelError(
            f"there is no folder {name} where config/models.yaml looks for a model: check the path"
        )
    what = f"the folder {name}"
    say(f"{what}: hashing")
    layout = recognise(folder, what)
    weights = {layout.gguf.name: layout.gguf} if layout.gguf else {}
    digest = sha256_of_tree(dict(layout.files) | weights)
    check_pin(digest, source.sha256, what)
    return Delivery(
        folder=folder, name=name, uri=f"local:{name}", revision=digest[:16], sha256=digest
    )


def state_of(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file in `folder`: equal when nobody touched it."""
    return {
        p.relative_to(folder).as_posix(): (p.stat().st_size, p.stat().st_mtime_ns)
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }
