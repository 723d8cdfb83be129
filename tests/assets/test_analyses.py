"""Analyses as an asset: made once, remembered, resumed after a kill, refreshed when asked."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.assets import analyses as step
from secai_assets.assets.fixes import Place
from secai_assets.checks.analyses import analyses_checks
from secai_assets.resources.house import House
from secai_lib.core.adapter import Adapter, Weights
from secai_lib.core.analysis import Analysis, AnalysisStatus
from secai_lib.core.errors import StorageError
from secai_lib.core.generation import Chat, Decoding, TextEngine
from secai_lib.core.knowledge import Retriever
from secai_lib.core.manifest import Manifest, Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json
from secai_lib.core.settings import AnalysisSettings, InferenceSettings, Paths
from secai_lib.gateways.columns import CONTEXTS, FINDINGS, PROBLEMS
from secai_lib.gateways.config import Project, load_project
from secai_lib.gateways.tables import to_parquet
from tests.analysis.samples import answer
from tests.fakes.engine import FakeEngine
from tests.fakes.records import (
    BRANCH,
    REPOSITORY,
    RUN,
    make_context,
    make_finding,
    make_model,
    make_problem,
    make_result,
)

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = Origin(inputs={}, settings="", code_version="")
MODEL = make_model()
PLACE = Place(REPOSITORY, BRANCH)


class Household(House):
    """A house with three problems, in which `engine` answers."""

    def __init__(self, home: Path, engine: FakeEngine, **analyses: object) -> None:
        loaded = load_project(ROOT).settings
        settings = AnalysisSettings.model_validate({"prompt_tokens": 2000, **analyses})
        changed = {"paths": Paths(home=str(home)), "analyses": settings}
        super().__init__(Project(root=ROOT, settings=loaded.model_copy(update=changed)))
        self.engine = engine
        self.opened = 0

    @contextmanager
    def open_engine(
        self,
        model: Model | None,
        inference: InferenceSettings | None = None,
        adapter: tuple[Adapter, Weights] | None = None,
    ) -> Iterator[TextEngine]:
        self.opened += 1
        yield self.engine

    def open_knowledge(self, say: Callable[[str], None] = lambda _reason: None) -> Retriever | None:
        return None


def fill(house: House, messages: Sequence[str] = ("one", "two", "three")) -> None:
    found = [make_finding(result=make_result(message=message)) for message in messages]
    contexts = [make_context(fingerprint=finding.fingerprint) for finding in found]
    problems = [make_problem([finding]) for finding in found]
    files = {
        "problems.parquet": to_parquet(problems, PROBLEMS),
        "places.json": canonical_json([[REPOSITORY, BRANCH]]).encode(),
    }
    publish = house.store.publish
    publish("problems", files, counts={}, origin=ORIGIN)
    findings = {"findings.parquet": to_parquet(found, FINDINGS)}
    publish("findings", findings, key=RUN, counts={}, origin=ORIGIN)
    code = {"contexts.parquet": to_parquet(contexts, CONTEXTS, run=RUN)}
    publish("code_contexts", code, key=RUN, counts={}, origin=ORIGIN)
    model = {"model.json": canonical_json(MODEL).encode()}
    publish("base_model", model, counts={}, origin=ORIGIN)


def household(home: Path, engine: FakeEngine | None = None, **analyses: object) -> Household:
    made = Household(home, engine or FakeEngine(lambda *_: answer()), **analyses)
    if made.store.manifest("problems") is None:
        fill(made)
    return made


def make(house: House, *, refresh: bool = False) -> list[Analysis]:
    step.make(house, {"refresh": refresh}, lambda _line: None)
    return step.read_analyses(house, PLACE)


def in_force(house: House) -> Manifest:
    return house.store.require("analyses", PLACE.key)


def journals(house: House) -> list[Path]:
    return sorted(house.store.root.glob(".journal/*"))


def test_made_once_then_kept(home: Path) -> None:
    house = household(home)
    analyses = make(house)
    files = in_force(house).files

    assert [a.status for a in analyses] == [AnalysisStatus.READ] * 3
    assert {f"narratives/{a.problem}.md" for a in analyses} < set(files)
    assert (house.engine.answered, house.opened) == (3, 1)
    assert make(house) == analyses
    assert (house.engine.answered, house.opened) == (3, 1)
    assert journals(house) == []


def test_the_cap_is_kept_and_what_is_left_is_counted(home: Path) -> None:
    house = household(home, max_problems=2)
    make(house)
    counts = in_force(house).counts
    assert (counts["asked"], counts["left"], counts["read"]) == (2, 1, 2)

    more = household(home, max_problems=0)
    make(more)
    counts = in_force(more).counts
    assert (counts["asked"], counts["left"], counts["reused_answers"]) == (3, 0, 2)
    assert more.engine.answered == 1


def test_a_new_problem_alone_is_asked(home: Path) -> None:
    house = household(home)
    before = make(house)
    fill(house, ("one", "two", "three", "four"))
    after = make(house)

    assert house.engine.answered == 4
    assert {a.key for a in before} < {a.key for a in after}


def test_a_finding_that_says_more_is_read_again(home: Path) -> None:
    house = household(home)
    make(house)
    found = [
        make_finding(result=make_result(message=message, help="Tokens stay in .git/config."))
        for message in ("one", "two", "three")
    ]
    files = {"findings.parquet": to_parquet(found, FINDINGS)}
    house.store.publish("findings", files, key=RUN, counts={}, origin=ORIGIN)

    assert {a.facts.help for a in make(house)} == {"Tokens stay in .git/config."}
    assert house.engine.answered == 6


def test_the_model_of_a_server_has_readings_of_its_own(home: Path) -> None:
    house = household(home)
    local = make(house)
    inference = InferenceSettings(engine="server", server_model="big")
    served = household(home)
    settings = served.settings.model_copy(update={"inference": inference})
    served.project = Project(root=ROOT, settings=settings)

    (model,) = {a.model for a in make(served)}
    assert model.startswith("server:big@")
    assert served.engine.answered == 3
    assert {a.model for a in local} == {MODEL.identity}


def test_refresh_asks_again(home: Path) -> None:
    house = household(home)
    first = make(house)
    assert make(house, refresh=True) == first
    assert house.engine.answered == 6


@pytest.mark.parametrize("died_at", [1, 2, 3])
def test_a_kill_costs_no_finished_answer(home: Path, died_at: int) -> None:
    def dies(chat: Chat, decoding: Decoding) -> str:
        if engine.answered + 1 == died_at:
            raise KeyboardInterrupt
        return answer()

    engine = FakeEngine(dies)
    house = household(home, engine)
    with pytest.raises(KeyboardInterrupt):
        make(house)
    assert house.store.manifest("analyses", PLACE.key) is None
    for journal in journals(house):
        journal.write_bytes(journal.read_bytes() + b'\n{"key":"torn')

    again = household(home)
    assert len(make(again)) == 3
    assert again.engine.answered == 3 - (died_at - 1)
    assert journals(again) == []


def test_a_disk_that_fills_up_leaves_the_old_version(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = household(home)
    before = make(house)
    fill(house, ("four",))

    def full(*_: object) -> None:
        raise StorageError("the disk is full: free some space")

    monkeypatch.setattr("secai_lib.gateways.journal.Journal.append", full)
    with pytest.raises(StorageError):
        make(house)
    assert step.read_analyses(house, PLACE) == before


def materialized(
    house: House, monkeypatch: pytest.MonkeyPatch, **config: bool
) -> dg.ExecuteInProcessResult:
    """The asset with its checks, the child's work done in this process."""

    def here(context: object, house: House, name: str, options: dict[str, object]) -> None:
        step.make(house, options, lambda _line: None)

    monkeypatch.setattr(step, "run_child", here)
    definitions = dg.Definitions(
        assets=[step.analyses], asset_checks=[analyses_checks], resources={"house": house}
    )
    return definitions.resolve_implicit_global_asset_job_def().execute_in_process(
        run_config={"ops": {"analyses": {"config": config}}}, raise_on_error=False
    )


def test_the_asset_shows_what_was_read_and_its_checks_pass(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = household(home, FakeEngine([answer(), "no", "no", "no", "no"]))
    result = materialized(house, monkeypatch)
    (event,) = result.asset_materializations_for_node("analyses")
    shown = {name: value.value for name, value in event.metadata.items()}

    assert (shown["asked"], shown["read"], shown["abstained"]) == (3, 1, 2)
    assert shown["reused"] is False
    assert {e.check_name: e.passed for e in result.get_asset_check_evaluations()} == {
        "schema_valid": True,
        "grounded": True,
        "abstention": False,
    }
    again = materialized(house, monkeypatch)
    (event,) = again.asset_materializations_for_node("analyses")
    assert event.metadata["reused"].value is True


FIX = "To fix this, you should"


@pytest.mark.parametrize(
    ("sentence", "faults"),
    [
        (f"{FIX} use the CVE-2099-99999 now.", {"grounded", "schema_valid"}),
        (f"{FIX} use the " + "very plain words " * 40 + "now.", {"schema_valid"}),
        (f"{FIX} use the plain words now.", set()),
    ],
)
def test_the_checks_fail_on_planted_faults(
    home: Path, monkeypatch: pytest.MonkeyPatch, sentence: str, faults: set[str]
) -> None:
    house = household(home)
    first = make(house)[0]
    assert first.reading is not None
    planted = first.model_copy(
        update={"reading": first.reading.model_copy(update={"remediation": sentence})}
    )
    monkeypatch.setattr("secai_assets.checks.analyses.read_analyses", lambda *_: [planted])
    result = materialized(house, monkeypatch)
    failed = {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}

    assert failed == faults
