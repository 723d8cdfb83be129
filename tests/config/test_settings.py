"""Every file of config/ loads, and everything that is wrong is said at once."""

import shutil
from pathlib import Path

import pytest
import yaml

from secai_lib.core.errors import SettingsError
from secai_lib.core.settings import Settings
from secai_lib.gateways.config import TOPICS, load_project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECAI_PROFILE", "SECAI_HOME", "SECAI_ROOT", "SECAI_TOOLS_DIR", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return tmp_path


def test_the_files_say_what_the_defaults_say() -> None:
    """A default in code that differs from the file would be a second truth."""
    given = load_project(ROOT).settings.model_dump(mode="json")
    default = Settings().model_dump(mode="json")
    default["sources"]["local"] = [{"path": "demo"}]
    assert given == default


@pytest.mark.parametrize("profile", sorted(p.stem for p in (ROOT / "config/profiles").iterdir()))
def test_every_profile_loads(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECAI_PROFILE", profile)
    assert load_project(ROOT).settings.profile == profile


def test_no_profile_lowers_a_gate() -> None:
    for file in (ROOT / "config/profiles").iterdir():
        assert "quality" not in yaml.safe_load(file.read_text()), f"{file.name} touches a gate"


def test_every_yaml_of_config_is_read_by_somebody() -> None:
    files = {p.relative_to(ROOT / "config").as_posix() for p in (ROOT / "config").rglob("*.yaml")}
    known = {f"{topic}.yaml" for topic in TOPICS} | {"action_pins.yaml"}
    folders = ("profiles/", "dagster/", "rules/")
    assert {f for f in files - known if not f.startswith(folders)} == set()


def test_every_file_opens_with_its_purpose() -> None:
    for file in (ROOT / "config").rglob("*.yaml"):
        assert file.read_text().startswith("# "), f"{file.name} does not say what it is for"


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SECAI_QUALITY__FIXES_MAX_ABSTAINED", "0.5")
    monkeypatch.setenv("SECAI_SENSORS__AUTOSTART", "true")
    monkeypatch.setenv("SECAI_HOME", str(tmp_path / "elsewhere"))
    project = load_project(ROOT)
    assert project.settings.quality.fixes_max_abstained == 0.5
    assert project.settings.quality.fixes_max_unproven == 0
    assert project.settings.sensors.autostart is True
    assert project.data == tmp_path / "elsewhere" / "data"


def test_all_problems_are_named_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "config/quality.yaml").write_text("quality: {findings_max_malformed: many, nope: 1}")
    monkeypatch.setenv("SECAI_SCANNERS__WORKERS", "0")
    with pytest.raises(SettingsError) as refused:
        load_project(root)
    text = str(refused.value)
    for place in ("quality.findings_max_malformed", "quality.nope", "scanners.workers"):
        assert place in text


@pytest.mark.parametrize("content", ["a: [", "- 1\n- 2", "\x00", "quality: 3"])
def test_a_broken_file_is_a_sentence(root: Path, content: str) -> None:
    (root / "config/quality.yaml").write_text(content)
    with pytest.raises(SettingsError):
        load_project(root)


def test_a_missing_file_and_an_unknown_profile(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECAI_PROFILE", "nonsense")
    (root / "config/scanners.yaml").unlink()
    with pytest.raises(SettingsError) as refused:
        load_project(root)
    assert refused.value.problems == [
        "config/scanners.yaml is missing",
        "config/profiles/nonsense.yaml is missing",
    ]


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("gate_min_stage1: 0.5", "gate_min_stage1"),
        ("exports_max_logit_change: 0.1", "exports_max_logit_change"),
        ("datasets_min_rows: 0", "datasets_min_rows"),
    ],
)
def test_a_profile_that_lowers_a_gate_is_refused(
    root: Path, monkeypatch: pytest.MonkeyPatch, line: str, named: str
) -> None:
    (root / "config/profiles/lax.yaml").write_text(f"# lax\nquality:\n  {line}\n")
    monkeypatch.setenv("SECAI_PROFILE", "demo,lax")
    with pytest.raises(SettingsError, match=rf"lax.yaml: quality.{named}: .* is laxer than"):
        load_project(root)


def test_a_profile_may_be_stricter_and_the_environment_not_laxer_than_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strict = "# strict\nquality: {gate_min_stage1: 0.9, fixes_max_abstained: 0.5}\n"
    (root / "config/profiles/strict.yaml").write_text(strict)
    monkeypatch.setenv("SECAI_PROFILE", "strict")
    assert load_project(root).settings.quality.gate_min_stage1 == 0.9
    monkeypatch.setenv("SECAI_QUALITY__GATE_MIN_STAGE1", "0.95")
    assert load_project(root).settings.quality.gate_min_stage1 == 0.95
    monkeypatch.setenv("SECAI_QUALITY__GATE_MIN_STAGE1", "0.8")
    with pytest.raises(
        SettingsError, match=r"SECAI_QUALITY__GATE_MIN_STAGE1: 0\.8 is laxer than 0\.9"
    ):
        load_project(root)


def test_the_environment_lowers_no_gate_in_whatever_form(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECAI_QUALITY", '{"gate_min_retention": 0.1}')
    with pytest.raises(SettingsError, match="the environment lowers no gate"):
        load_project(root)


def test_a_seed_below_zero_is_refused_before_anything_is_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECAI_STAGE1__SEED", "-1")
    with pytest.raises(SettingsError, match="seed"):
        load_project(ROOT)


@pytest.mark.parametrize(
    ("name", "lax"),
    [("EVALUATION_MIN_ROWS", "1"), ("DATASETS_MAX_LEAKS", "9"), ("EXPORTS_MAX_LOGIT_CHANGE", "1"),
     ("ADAPTERS_MAX_PROBE_CHANGE", "1")],
)  # fmt: skip
def test_the_environment_loosens_nothing_that_decides_what_leaves(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, lax: str
) -> None:
    monkeypatch.setenv(f"SECAI_QUALITY__{name}", lax)
    with pytest.raises(SettingsError, match=f"SECAI_QUALITY__{name}: .* is laxer than"):
        load_project(root)
