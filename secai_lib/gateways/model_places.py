"""Where models are on this machine, and which one is meant; older set-ups are honoured.

An older system kept models in `~/shared-olmo-models/{base,fine-tuned}` (or where
`OLMO_BASE_MODELS_DIR` said) and named the base model in `OLMO_DEFAULT_BASE_MODEL`. Both still
work, and whatever `config/models.yaml` or `SECAI_MODELS_DIR` says goes before them.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from secai_lib.core.errors import SettingsError
from secai_lib.core.settings import ModelSettings, ModelSource

OLD_FOLDER, OLD_MODEL = "OLMO_BASE_MODELS_DIR", "OLMO_DEFAULT_BASE_MODEL"
_OLD_HOME = "shared-olmo-models"
Environ = Mapping[str, str]


def models_folder(settings: ModelSettings, environ: Environ, root: Path, home: Path) -> Path:
    """The shared models folder, the first of these that is named or exists.

    `models.folder` of the settings, `SECAI_MODELS_DIR`, `OLMO_BASE_MODELS_DIR`,
    `~/shared-olmo-models/base`, and the user's cache. Relative paths start at `root`.
    """
    old = home / _OLD_HOME / "base"
    named = settings.folder or environ.get("SECAI_MODELS_DIR") or environ.get(OLD_FOLDER)
    if not named and old.is_dir():
        return old
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return _resolved(named or f"{cache}/secai/models", root, home)


def model_source(source: ModelSource, environ: Environ, root: Path, home: Path) -> ModelSource:
    """`source` with an absolute folder, or as the folder of an older set-up that has the model.

    A `hf://OWNER/NAME` is taken from there when a folder of that name holds dense weights and no
    revision or hash is pinned, which a folder could not prove.
    """
    if "://" not in source.uri:
        return source.model_copy(update={"uri": str(_resolved(source.uri, root, home))})
    if source.uri.startswith("hf://") and not source.revision and not source.sha256:
        owner, _, name = source.uri.removeprefix("hf://").partition("/")
        if there := _dense_folder((name, f"{owner}/{name}"), environ, home):
            return source.model_copy(update={"uri": str(there)})
    return source


def base_source(settings: ModelSettings, environ: Environ, root: Path, home: Path) -> ModelSource:
    """The base model that is meant.

    `OLMO_DEFAULT_BASE_MODEL` counts while the settings name the model we ship with: a folder, the
    name of one in an older set-up, or `OWNER/NAME` on the Hub.

    Raises:
        SettingsError: it names nothing of the kind.
    """
    wanted = environ.get(OLD_MODEL, "")
    if not wanted or settings.base != ModelSettings().base:
        return model_source(settings.base, environ, root, home)
    if there := _dense_folder((wanted,), environ, home):
        return ModelSource(uri=str(there))
    folder = _resolved(wanted, root, home)
    if (folder / "config.json").is_file():
        return ModelSource(uri=str(folder))
    if wanted.count("/") == 1 and not wanted.startswith(("/", ".", "~")):
        return ModelSource(uri=f"hf://{wanted}")
    raise SettingsError(
        [f"{OLD_MODEL} names no folder with a model, and is no OWNER/NAME (got {wanted[:60]!r})"]
    )


def _dense_folder(names: tuple[str, ...], environ: Environ, home: Path) -> Path | None:
    """The first folder of an older set-up with one of `names` that holds dense weights."""
    shared = home / _OLD_HOME
    named = environ.get(OLD_FOLDER)
    places = [Path(named).expanduser()] if named else []
    places += [shared / "base", shared / "fine-tuned"]
    for place in places:
        for name in names:
            folder = (place / name).resolve()
            if folder.is_relative_to(place.resolve()) and _is_dense(folder):
                return folder
    return None


def _is_dense(folder: Path) -> bool:
    """True for a model with safetensors that nobody has quantised."""
    if not any(folder.glob("*.safetensors")):
        return False
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and not {"quantization", "quantization_config"} & set(config)


def _resolved(path: str, root: Path, home: Path) -> Path:
    if path == "~" or path.startswith("~/"):
        return (home / path[2:]).resolve()
    return (root / path).resolve()
