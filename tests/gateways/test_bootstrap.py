"""The set-up with a pip that only pretends."""

import json
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from secai_lib.gateways import bootstrap
from secai_lib.gateways.bootstrap import STAMP, UNFINISHED, Options, Trouble, World, set_up

HOUSE = Path(__file__).parents[2]
TORCH_INDEX = "--index-url"


class Pretend:
    """Answers every program the set-up starts, and remembers them."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.said: list[str] = []
        self.answers: dict[str, tuple[int, str]] = {}
        """Word in the command line -> answer."""
        self.planned: list[tuple[str, str]] = [("torch", "2.13.0"), ("sympy", "1.14")]
        self.killed_at = ""

    def run(self, argv: Sequence[str]) -> tuple[int, str]:
        line = " ".join(argv)
        self.calls.append(list(argv))
        if self.killed_at and self.killed_at in line:
            raise KeyboardInterrupt
        for word, answer in self.answers.items():
            if word in line:
                return answer
        if argv[1:3] == ["-m", "venv"]:
            home = Path(argv[3])
            (home / "bin").mkdir(parents=True)
            (home / "bin" / "python").touch()
            version = ".".join(map(str, sys.version_info[:3]))
            (home / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
        if "version('torch')" in line:
            return 1, "PackageNotFoundError"
        if "--report" in argv:
            plan = [{"metadata": {"name": n, "version": v}} for n, v in self.planned]
            Path(argv[argv.index("--report") + 1]).write_text(json.dumps({"install": plan}))
        for tool in bootstrap.TOOLS:
            if f"{tool}.txt" in line:
                Path(argv[0]).with_name(tool).touch()
        return 0, ""

    def lines(self, word: str) -> list[str]:
        return [" ".join(call) for call in self.calls if word in " ".join(call)]

    def said_about(self, word: str) -> str:
        return "\n".join(line for line in self.said if word in line)


@pytest.fixture
def pretend() -> Pretend:
    return Pretend()


@pytest.fixture
def options(tmp_path: Path) -> Options:
    lock = tmp_path / "config" / "lock"
    lock.mkdir(parents=True)
    for name in ("constraints.txt", "checkov.txt", "semgrep.txt"):
        (lock / name).write_text("a==1\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return Options(
        tmp_path, tmp_path / ".venv", tmp_path / ".secai" / "tools",
        dev=True, models=True, allow_cuda=False,
    )  # fmt: skip


def world(
    pretend: Pretend, *, reachable: bool = True, nvidia: bool = False, system: str = "linux"
) -> World:
    return World(pretend.run, lambda url: reachable, lambda: nvidia, pretend.said.append, system)


def test_from_nothing_to_three_environments_and_then_nothing(
    options: Options, pretend: Pretend
) -> None:
    assert set_up(options, world(pretend)) == 0
    assert len(pretend.lines("-m venv")) == 3
    (ours,) = pretend.lines("constraints.txt")
    assert f"-c {options.root}/config/lock/constraints.txt -e {options.root}[models,dev]" in ours
    assert len(pretend.lines("-r ")) == 2
    pretend.calls.clear()
    assert set_up(options, world(pretend)) == 0
    assert pretend.calls == []
    assert pretend.said[-1] == "everything is installed already"


@pytest.mark.parametrize(
    ("file", "again"),
    [
        ("pyproject.toml", "constraints.txt"),
        ("config/lock/constraints.txt", "constraints.txt"),
        ("config/lock/checkov.txt", "checkov.txt"),
    ],
)
def test_only_what_changed_is_installed_again(
    options: Options, pretend: Pretend, file: str, again: str
) -> None:
    set_up(options, world(pretend))
    pretend.calls.clear()
    (options.root / file).write_text("b==2\n")
    pretend.answers["version('torch')"] = (0, "2.13.0+cpu\n")
    set_up(options, world(pretend))
    installs = pretend.lines(" install ")
    assert len(installs) == 1 and again in installs[0]
    assert pretend.lines("-m venv") == []


def test_more_wishes_install_and_fewer_do_not(options: Options, pretend: Pretend) -> None:
    set_up(replace(options, dev=False, models=False), world(pretend))
    assert pretend.lines("torch") == []
    set_up(options, world(pretend))
    assert len(pretend.lines("[models,dev]")) == 1
    pretend.calls.clear()
    set_up(replace(options, dev=False), world(pretend))
    assert pretend.calls == []


@pytest.mark.parametrize("moment", ["-m venv", "-e ", "checkov.txt"])
def test_killed_in_the_middle_the_next_run_starts_that_environment_anew(
    options: Options, pretend: Pretend, moment: str
) -> None:
    pretend.killed_at = moment
    with pytest.raises(KeyboardInterrupt):
        set_up(options, world(pretend))
    pretend.killed_at = ""
    pretend.calls.clear()
    assert set_up(options, world(pretend)) == 0
    assert pretend.lines("-m venv")
    for home in (options.venv, options.tools / "checkov", options.tools / "semgrep"):
        assert not (home / UNFINISHED).exists()
        assert json.loads((home / STAMP).read_text())["key"]


def test_a_lost_python_is_noticed(options: Options, pretend: Pretend) -> None:
    set_up(options, world(pretend))
    (options.venv / "bin" / "python").unlink()
    pretend.calls.clear()
    set_up(options, world(pretend))
    assert len(pretend.lines("-m venv")) == 1


def test_a_folder_that_is_not_ours_is_never_removed(options: Options, pretend: Pretend) -> None:
    options.venv.mkdir()
    (options.venv / "thesis.tex").write_text("precious")
    with pytest.raises(Trouble, match="move it away") as caught:
        set_up(options, world(pretend))
    assert caught.value.exit_code == 2
    assert (options.venv / "thesis.tex").exists()


# ------------------------------------------------------------------------------ torch


def test_the_cpu_index_is_taken_where_it_answers(options: Options, pretend: Pretend) -> None:
    set_up(options, world(pretend))
    (torch,) = pretend.lines(TORCH_INDEX)
    assert f"--no-deps --index-url {bootstrap.CPU_INDEX} torch==2.13.0" in torch
    assert "CPU build" in pretend.said_about("torch:")


def test_without_the_cpu_index_a_plain_pin_without_cuda_is_fine(
    options: Options, pretend: Pretend
) -> None:
    set_up(options, world(pretend, reachable=False))
    assert pretend.lines(TORCH_INDEX) == []
    assert "--dry-run" in pretend.lines("--report")[0]
    assert pretend.lines("[models,dev]")
    assert "brings no CUDA" in pretend.said_about("torch:")
    assert not list(options.venv.glob("*.json.new")) and not list(options.venv.glob("torch*"))


@pytest.mark.parametrize(
    "plan", [[("torch", "2.13.0"), ("nvidia-cublas-cu12", "1")], [("torch", "2.13.0+cu128")],
             [("torch", "2.13.0"), ("triton", "3")]],
)  # fmt: skip
def test_cuda_never_comes_by_accident(
    options: Options, pretend: Pretend, plan: list[tuple[str, str]]
) -> None:
    pretend.planned = plan
    assert set_up(options, world(pretend, reachable=False)) == 0
    assert pretend.lines("[models") == []
    assert pretend.lines("[dev]")
    assert "LEFT OUT" in pretend.said_about("torch:")
    assert "make setup CUDA=yes" in pretend.said_about("torch:")
    # and it is tried again, with success once the index answers
    assert set_up(options, world(pretend)) == 0
    assert pretend.lines("[models,dev]")


def test_cuda_comes_when_asked_for_or_when_there_is_a_gpu(
    options: Options, pretend: Pretend
) -> None:
    pretend.planned = [("nvidia-cublas-cu12", "1")]
    set_up(replace(options, allow_cuda=True), world(pretend, reachable=False))
    assert pretend.lines("[models,dev]") and not pretend.lines("--report")
    other = Pretend()
    home = options.root / "other"
    set_up(replace(options, venv=home), world(other, reachable=False, nvidia=True))
    assert other.lines("[models,dev]") and "an NVIDIA GPU is here" in other.said_about("torch:")


def test_elsewhere_than_linux_the_plain_pin(options: Options, pretend: Pretend) -> None:
    set_up(options, world(pretend, system="darwin"))
    assert pretend.lines(TORCH_INDEX) == [] and pretend.lines("--report") == []
    assert pretend.lines("[models,dev]")


def test_a_cpu_index_that_answers_but_does_not_deliver(options: Options, pretend: Pretend) -> None:
    pretend.answers[TORCH_INDEX] = (
        1,
        "ERROR: No matching distribution found (from versions: none)",
    )
    set_up(options, world(pretend))
    assert pretend.lines("--report") and pretend.lines("[models,dev]")


# ---------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Failed to establish a new connection", "index cannot be reached"),
        ("ERROR: something odd", "status 1"),
    ],
)
def test_a_failed_install_is_one_sentence_with_the_end_of_the_log(
    options: Options, pretend: Pretend, log: str, sentence: str
) -> None:
    pretend.answers["-e "] = (1, log)
    with pytest.raises(Trouble, match=sentence) as caught:
        set_up(options, world(pretend))
    assert (caught.value.exit_code, caught.value.log) == (1, log)
    assert bootstrap._stamp(options.venv) == {}
    # nothing was touched yet: the next run goes on in the same environment
    del pretend.answers["-e "]
    pretend.calls.clear()
    set_up(options, world(pretend))
    assert pretend.lines("-m venv") == []


def test_a_failure_while_files_are_written_spoils_the_environment(
    options: Options, pretend: Pretend
) -> None:
    pretend.answers["-e "] = (1, "Installing collected packages: a\nNo space left on device")
    with pytest.raises(Trouble):
        set_up(options, world(pretend))
    pretend.answers.clear()
    pretend.calls.clear()
    set_up(options, world(pretend))
    assert len(pretend.lines("-m venv")) == 1


def test_a_scanner_that_cannot_be_installed_is_a_warning_and_tried_again(
    options: Options, pretend: Pretend
) -> None:
    pretend.answers["semgrep.txt"] = (1, "index https://me:hunter2@mirror/ (from versions: none)")
    assert set_up(options, world(pretend)) == 0
    said = pretend.said_about("semgrep:")
    assert "NOT installed" in said and "absent" in said and "hunter2" not in said
    assert (options.tools / "checkov" / "bin" / "checkov").exists()
    pretend.answers.clear()
    set_up(options, world(pretend))
    assert "semgrep: done" in pretend.said_about("semgrep: done")


@pytest.mark.parametrize("version", [(3, 10), (2, 7), (3, 14)])
def test_another_python_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(Trouble, match=r"needs Python 3\.11 to 3\.13") as caught:
        bootstrap.check_python(version, lambda name: True)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("missing", ["venv", "ensurepip"])
def test_a_python_without_venv_is_refused(missing: str) -> None:
    with pytest.raises(Trouble, match=r"apt install python3\.12-venv") as caught:
        bootstrap.check_python((3, 12), lambda name: name != missing)
    assert caught.value.exit_code == 2
    bootstrap.check_python((3, 13), lambda name: True)


def test_an_incomplete_checkout_is_one_sentence(options: Options, pretend: Pretend) -> None:
    (options.root / "config" / "lock" / "constraints.txt").unlink()
    with pytest.raises(Trouble, match=r"constraints\.txt is missing"):
        set_up(options, world(pretend))


def test_main_prints_the_sentence_without_credentials(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: Options, world: World) -> int:
        raise Trouble("no luck.", log="first\nLooking in https://me:hunter2@mirror/simple\n")

    monkeypatch.setattr(bootstrap, "set_up", fail)
    assert bootstrap.main([]) == 1
    shown = capsys.readouterr().err
    assert "no luck." in shown and "https://***@mirror/simple" in shown and "hunter2" not in shown


def stopped(options: Options, world: World) -> int:
    raise KeyboardInterrupt


def test_an_interrupt_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "set_up", stopped)
    assert bootstrap.main([]) == 130
    assert "the next run picks it up" in capsys.readouterr().err


def test_it_needs_nothing_but_the_standard_library() -> None:
    script = HOUSE / "secai_lib" / "gateways" / "bootstrap.py"
    argv = [sys.executable, "-I", "-S", str(script), "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "--allow-cuda" in done.stdout


# ------------------------------------------------------------------------------- locks


def pins(name: str) -> dict[str, str]:
    lines = (HOUSE / "config" / "lock" / name).read_text().splitlines()
    bare = [line.partition("#")[0].strip() for line in lines]
    pairs = [line.split("==") for line in bare if line]
    assert all(len(pair) == 2 for pair in pairs), pairs
    return {pair[0]: pair[1] for pair in pairs}


@pytest.mark.parametrize("name", ["constraints.txt", "checkov.txt", "semgrep.txt"])
def test_locks_are_plain_pins_from_nowhere_in_particular(name: str) -> None:
    text = (HOUSE / "config" / "lock" / name).read_text()
    assert "://" not in text and "file:" not in text and "\n-e" not in text
    assert all("+" not in version for version in pins(name).values())
    assert list(pins(name)) == sorted(pins(name), key=str.lower)


def test_locks_and_project_agree() -> None:
    project = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["models"], *extras["dev"]]
    locked = {name.lower().replace("_", "-"): version for name, version in
              pins("constraints.txt").items()}  # fmt: skip
    for text in wanted:
        requirement = Requirement(text)
        version = locked[requirement.name.lower().replace("_", "-")]
        assert requirement.specifier.contains(version), (text, version)
    assert locked["torch"] == bootstrap.TORCH.partition("==")[2]
    assert "checkov" in pins("checkov.txt") and "semgrep" in pins("semgrep.txt")


@pytest.mark.parametrize("name", ["constraints.txt", "checkov.txt", "semgrep.txt"])
def test_locks_hold_no_client_of_a_paid_model_and_no_cuda(name: str) -> None:
    locked = {pin.lower().replace("_", "-") for pin in pins(name)}
    paid = {"openai", "anthropic", "cohere", "langchain-openai", "google-generativeai", "mistralai"}
    assert not locked & paid
    assert not [pin for pin in locked if pin.startswith(("nvidia-", "cuda", "triton"))]


@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_probing_is_short(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def never(request: object, timeout: float) -> object:
        asked.append(timeout)
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", never)
    probe: Callable[[str], bool] = bootstrap._reachable
    assert probe(bootstrap.CPU_INDEX) is False
    assert asked == [bootstrap.PROBE_TIMEOUT_S]
