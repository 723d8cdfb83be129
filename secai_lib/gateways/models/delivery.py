"""What a source delivered, told by its content: which files make up a model, which do not."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from secai_lib.core.errors import ModelError
from secai_lib.core.record import canonical_json, sha256_hex

Say = Callable[[str], None]
_MODULE = re.compile(r"\d+_[A-Za-z]+")
"""A folder of `sentence-transformers`, e.g. `1_Pooling`; other folders are other frameworks'."""
_TEXTS = (".json", ".txt", ".jinja")
_PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")
INDEX = "model.safetensors.index.json"
_ADAPTER = ("adapter_config.", "adapter_model.")
"""Beside whole weights they make `transformers` load another model, or none."""
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Delivery:
    """What came, before it is put on the shelf."""

    folder: Path
    """Where the delivered files lie."""
    name: str
    """What people call the model."""
    uri: str
    """Where it came from, without an absolute path."""
    revision: str
    """Version, commit or content hash."""
    sha256: str
    """Of what was delivered."""


@dataclass(frozen=True)
class Layout:
    """How a model lies in a folder."""

    files: Mapping[str, Path]
    """Name below the model -> file, of the dense form; of the texts beside a GGUF otherwise."""
    gguf: Path | None
    """The packed weights, where that is all there is."""


def recognise(folder: Path, what: str) -> Layout:
    """How the model in `folder` lies there, by content: dense safetensors or one GGUF.

    Raises:
        ModelError: `what` holds neither, only pickled weights, or several GGUF files.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    homes = {p.parent for p in files if p.name == "config.json"}
    homes &= {p.parent for p in files if p.suffix == ".safetensors"}
    if homes:
        home = min(homes, key=lambda p: (len(p.parts), p))
        names = {p.relative_to(home).as_posix(): p for p in files if p.is_relative_to(home)}
        return Layout({name: names[name] for name in needed(names)}, None)
    packed = [p for p in files if p.suffix == ".gguf" and _starts_with(p, b"GGUF")]
    if len(packed) == 1:
        near = {p.name: p for p in files if p.parent == packed[0].parent and is_paper(p.name)}
        return Layout(near, packed[0])
    if packed:
        raise ModelError(f"{what} holds several GGUF files: name a folder with the one to use")
    if any(p.suffix in _PICKLED for p in files):
        raise pickled(what)
    raise ModelError(
        f"{what} is laid out in a way we do not know: we look for a config.json beside "
        "*.safetensors, or for a .gguf file"
    )


def needed(names: Mapping[str, object]) -> list[str]:
    """Those of `names` (below a model's folder) that its dense form needs, sorted.

    Weights of other frameworks, second copies and anything pickled stay behind.
    """
    return sorted(name for name in names if _is_needed(name, names))


def pickled(what: str) -> ModelError:
    """The refusal of `what`, which has pickled weights and nothing else."""
    return ModelError(
        f"{what} holds only pickled weights, which can run code when they are loaded: choose a "
        "model with safetensors"
    )


def has_pickles(names: Mapping[str, object]) -> bool:
    """True when some of `names` are pickled weights."""
    return any(PurePosixPath(name).suffix in _PICKLED for name in names)


def is_paper(name: str) -> bool:
    """True for the card and the licence of a model."""
    return name == "README.md" or name.startswith(("LICENSE", "LICENCE", "NOTICE"))


def sha256_of(file: Path) -> str:
    """The SHA-256 of `file` in hex, read in blocks."""
    digest = hashlib.sha256()
    with file.open("rb") as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_tree(files: Mapping[str, Path]) -> str:
    """One SHA-256 over names and contents of `files`."""
    return sha256_hex(canonical_json({n: sha256_of(p) for n, p in files.items()}).encode())


def check_pin(found: str, pinned: str, what: str) -> None:
    """Nothing, when `found` is the `pinned` hash or none is pinned.

    Raises:
        ModelError: what came is not what was asked for.
    """
    if pinned and found != pinned:
        raise ModelError(
            f"{what} has the SHA-256 {found}, not {pinned} as config/models.yaml wants; nothing of "
            "it was used: find out who changed it before you change the setting"
        )


def _is_needed(name: str, names: Mapping[str, object]) -> bool:
    path = PurePosixPath(name)
    if not name.isprintable() or path.is_absolute() or path.name.startswith(_ADAPTER):
        return False
    if len(path.parts) > 2 or (len(path.parts) == 2 and not _MODULE.fullmatch(path.parts[0])):
        return False
    if path.suffix != ".safetensors":
        return path.suffix in _TEXTS or path.name == "tokenizer.model" or is_paper(path.name)
    if len(path.parts) == 2:
        return True
    if INDEX in names:
        return bool(_SHARD.fullmatch(name))
    return name == "model.safetensors" if "model.safetensors" in names else True


def _starts_with(file: Path, magic: bytes) -> bool:
    with file.open("rb") as handle:
        return handle.read(len(magic)) == magic
