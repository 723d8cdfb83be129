"""All doors of one project, wired once; assets get it as the resource `house`."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from secai_lib.core.adapter import Adapter, EncodedRow, TrainEngine, Weights
from secai_lib.core.errors import SecAIError, SettingsError
from secai_lib.core.fix import Rescan
from secai_lib.core.generation import TextEngine
from secai_lib.core.knowledge import Retriever
from secai_lib.core.model import Model
from secai_lib.core.record import content_hash, sha256_hex
from secai_lib.core.scan import ScanRequest
from secai_lib.core.scan_keys import scan_key
from secai_lib.core.settings import InferenceSettings, ModelSource, Settings, StageSettings
from secai_lib.gateways.action_pins import read_action_pins
from secai_lib.gateways.archive import ArchiveLimits
from secai_lib.gateways.config import Project, load_project
from secai_lib.gateways.github import GithubActions
from secai_lib.gateways.llm import open_engine
from secai_lib.gateways.models import ModelShelf
from secai_lib.gateways.rescan import VariantRescanner
from secai_lib.gateways.scanners import Scanners
from secai_lib.gateways.scratch import scratch_folder
from secai_lib.gateways.source import SourceStore
from secai_lib.gateways.store import Store, translated_errors
from secai_lib.gateways.trainer import open_trainer
from secai_lib.parsers import parse_report


class House:
    """The doors of `project`; each is made when it is first used."""

    def __init__(self, project: Project | None = None) -> None:
        """Use `project`, by default the one this process runs in."""
        self.project = project or load_project()

    @property
    def settings(self) -> Settings:
        """The checked settings."""
        return self.project.settings

    @cached_property
    def store(self) -> Store:
        """Products and the warehouse."""
        return Store(self.project.data)

    @cached_property
    def shelf(self) -> ModelShelf:
        """The models on this machine."""
        return ModelShelf(self.project.models)

    def model_source(self, product: str) -> ModelSource:
        """Where the model of `product` (`base_model` or `embedding_model`) comes from.

        Raises:
            SettingsError: an older setting that names it names nothing.
        """
        project = self.project
        return project.base_model if product == "base_model" else project.embedding_model

    @contextmanager
    def open_engine(
        self,
        model: Model | None,
        inference: InferenceSettings | None = None,
        adapter: tuple[Adapter, Weights] | None = None,
    ) -> Iterator[TextEngine]:
        """The engine of the settings (or of `inference`) with `model`, ready to answer.

        The engine `server` takes no model: None, and no `adapter`, which the others add to the
        weights of their copy. Its memory is free again afterwards.
        """
        settings = inference or self.settings.inference
        with open_engine(settings, model, self.shelf.folder, adapter) as engine:
            yield engine

    @contextmanager
    def open_trainer(
        self,
        model: Model,
        rows: Sequence[EncodedRow],
        settings: StageSettings,
        say: Callable[[str], None] = lambda _sentence: None,
    ) -> Iterator[TrainEngine]:
        """The training engine of `settings` on `model` with a fresh adapter; it knows `rows`.

        Its memory is free again afterwards.
        """
        with open_trainer(settings, model, self.shelf.folder, rows, say) as trainer:
            yield trainer

    @cached_property
    def source(self) -> SourceStore:
        """Our copies of scanned commits."""
        return SourceStore(self.project.sources, max_bytes=self.settings.limits.source_file_bytes)

    @cached_property
    def scanners(self) -> Scanners:
        """The scanners installed here."""
        scanners = self.settings.scanners
        return Scanners(
            self.project.tools,
            self.project.rules,
            timeout_s=scanners.timeout_seconds,
            workers=scanners.workers,
        )

    def rescanner(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        """What `tools` say about every variant: scanners and parsers, wired for proofs."""
        with self.scratch() as folder:
            return VariantRescanner(self.scanners, parse_report, folder)(variants, tools)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A fresh folder that is gone afterwards, or with the next one if we are killed."""
        with translated_errors(), scratch_folder(self.project.work) as folder:
            yield folder

    @property
    def action_pins(self) -> Mapping[str, Mapping[str, str]]:
        """Which commit a release of a GitHub Action is."""
        return read_action_pins(self.project.root / "config" / "action_pins.yaml")

    def connect_github(self) -> GithubActions:
        """GitHub Actions; the token is read now, from the environment, and stored nowhere."""
        return GithubActions(self.settings.sources.github_api_url, os.environ.get("GITHUB_TOKEN"))

    def open_knowledge(self, say: Callable[[str], None] = lambda _reason: None) -> Retriever | None:
        """The knowledge base in force; None, with the reason said, where prompts go without it."""
        from secai_assets.resources.knowledge import PRODUCT, open_knowledge

        if not self.settings.analyses.retrieval:
            say("without retrieval: analyses.retrieval is off")
            return None
        if self.store.manifest(PRODUCT) is None:
            say("without retrieval: there is no knowledge base yet")
            return None
        try:
            return open_knowledge(self)
        except SecAIError as error:
            say(f"without retrieval: {error}")
            return None

    @property
    def limits(self) -> ArchiveLimits:
        """What archives may cost."""
        limits = self.settings.limits
        return ArchiveLimits(
            entries=limits.entries,
            file_bytes=limits.file_bytes,
            total_bytes=limits.total_bytes,
            ratio=limits.ratio,
            nesting=limits.nesting,
        )

    def scanner_state(self, tools: tuple[str, ...]) -> str:
        """A hash over the versions of `tools` and our own rules: what a scan depends on."""
        versions = self.scanners.versions()
        rules = {
            str(path.relative_to(self.project.rules)): sha256_hex(path.read_bytes())
            for path in sorted(self.project.rules.rglob("*.yaml"))
        }
        return content_hash([versions[tool] for tool in sorted(tools) if tool in versions], rules)

    def add_request(self, request: ScanRequest) -> str:
        """The key of the scan run that `request` asks for, now remembered.

        The same request made again (files copied once more, say) leaves the first in force.
        """
        key = scan_key(request)
        if not self.store.has_request(key):
            self.store.save_request(key, request)
        return key


def house_or_explain() -> House:
    """The house, or an exit with the list of what is wrong in `config/`."""
    try:
        return House()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
