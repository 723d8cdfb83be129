"""Reads `config/` whole, checks it whole, and says everything that is wrong at once."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)
from yaml import YAMLError

from secai_lib.core.errors import SettingsError
from secai_lib.core.settings import ModelSource, Settings
from secai_lib.gateways.gate_settings import lowered
from secai_lib.gateways.model_places import base_source, model_source, models_folder

TOPICS = ("platform", "scanners", "models", "datasets", "stage1", "stage2", "evaluation",
          "publication", "triage", "quality")  # fmt: skip
"""Files of `config/` that make up the settings, each with keys of its own."""


@dataclass(frozen=True)
class Project:
    """A place on disk with a `config/` folder, and its settings."""

    root: Path
    """Folder that holds `config/`; relative paths of the settings start here."""
    settings: Settings

    @property
    def home(self) -> Path:
        """Folder of everything that is not code (`.secai`)."""
        return (self.root / (os.environ.get("SECAI_HOME") or self.settings.paths.home)).resolve()

    @property
    def data(self) -> Path:
        """Products, each with a manifest, and the warehouse."""
        return self.home / "data"

    @property
    def sources(self) -> Path:
        """Our copies of scanned commits (bare git repositories)."""
        return self.home / "sources"

    @property
    def tools(self) -> Path:
        """Environments of the scanners that do not fit into ours."""
        return Path(os.environ.get("SECAI_TOOLS_DIR", self.home / "tools"))

    @property
    def dagster_home(self) -> Path:
        """Dagster's instance: runs, events, schedules."""
        return Path(os.environ.get("DAGSTER_HOME") or self.home / "dagster")

    @property
    def work(self) -> Path:
        """Scratch folders of running steps; may be deleted when nothing runs."""
        return self.home / "work"

    @property
    def models(self) -> Path:
        """The shared models folder, usable by several projects (see `gateways.model_places`)."""
        return models_folder(self.settings.models, os.environ, self.root, Path.home())

    @property
    def base_model(self) -> ModelSource:
        """Where the base model comes from; a local folder is absolute."""
        # the demo promises minutes, which another model would not keep
        environ = {} if self.settings.profile == "demo" else os.environ
        return base_source(self.settings.models, environ, self.root, Path.home())

    @property
    def embedding_model(self) -> ModelSource:
        """Where the embedding model comes from; a local folder is absolute."""
        return model_source(self.settings.models.embedding, os.environ, self.root, Path.home())

    @property
    def rules(self) -> Path:
        """Our own scanner rules."""
        return self.root / "config" / "rules"


def project_root() -> Path:
    """The folder that holds `config/`: `SECAI_ROOT`, else this checkout."""
    return Path(os.environ.get("SECAI_ROOT") or Path(__file__).resolve().parents[2])


def load_project(root: Path | None = None) -> Project:
    """The project at `root` with its settings from `config/`, the profile and the environment.

    `SECAI_PROFILE` names the overlays, with commas, the last one wins (`default` has none).
    Environment variables win over them: `SECAI_QUALITY__FIXES_MAX_ABSTAINED=0.5`. `SECAI_HOME`
    moves the data.

    Raises:
        SettingsError: naming every unknown key, wrong type and unreadable file, and every gate
            that a profile or the environment lowers.
    """
    root = root or project_root()
    profile = os.environ.get("SECAI_PROFILE") or "default"
    names = [f"config/{topic}.yaml" for topic in TOPICS]
    names += [f"config/profiles/{name}.yaml" for name in profile.split(",") if name != "default"]
    missing = [f"{name} is missing" for name in names if not (root / name).is_file()]
    if missing:
        raise SettingsError(missing)
    files = [root / name for name in names]
    settings = _read(files)
    profiles = files[len(TOPICS) :]
    if problems := lowered(root / "config" / "quality.yaml", profiles, settings.quality):
        raise SettingsError(problems)
    return Project(root=root, settings=settings)


def _read(files: list[Path]) -> Settings:
    class Loader(BaseSettings, Settings):
        model_config = SettingsConfigDict(
            extra="forbid", env_prefix="SECAI_", env_nested_delimiter="__"
        )

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, YamlConfigSettingsSource(settings_cls, files, deep_merge=True)

    try:
        return Settings.model_validate(Loader().model_dump())
    except ValidationError as error:
        raise SettingsError([_sentence(item) for item in error.errors()]) from error
    except (YAMLError, ValueError, OSError, AttributeError) as error:
        # AttributeError is how pydantic-settings meets a file that holds no mapping
        raise SettingsError([f"a file of config/ is no YAML mapping: {error}"]) from error


def _sentence(item: ErrorDetails) -> str:
    place = ".".join(str(part) for part in item["loc"]) or "the settings"
    return f"{place}: {item['msg']} (got {str(item['input'])[:60]!r})"
