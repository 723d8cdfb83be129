"""Makes the environment: `python3 secai_lib/gateways/bootstrap.py`, called by `make setup`.

Runs before anything is installed, so it uses the standard library only. Three environments:
ours (`.venv`), and one each for checkov and semgrep, which pin too much to live in ours. What
was installed is written down last; a second run sees that nothing changed and ends at once, and
an environment whose installation was killed half way is made anew.
Exit codes: 0 ready, 1 something could not be installed, 2 this Python cannot be used.
"""

from __future__ import annotations  # an older Python must get as far as the sentence about it

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 11)
NEWEST = (3, 13)
TORCH = "torch==2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_TIMEOUT_S = 5.0
SILENCE_S = 15.0
"""After so many seconds without a line we say what pip is at."""
TOOLS = ("checkov", "semgrep")
STAMP = "secai-setup.json"
"""Inside an environment: what was installed there, written last."""
UNFINISHED = "secai-setup.unfinished"
"""Inside an environment while pip works in it."""
PIP_VERBS = ("Collecting", "Downloading", "Installing", "Building", "Preparing")
"""First words of the lines that say what pip is at."""
LAST_LINES = 6
DISK_FULL = ("No space left on device", "Errno 28", "Disk quota exceeded")
NO_NETWORK = (
    "NameResolutionError", "Failed to establish a new connection", "Network is unreachable",
    "ConnectTimeoutError", "ConnectionResetError", "ProxyError", "from versions: none",
    "Temporary failure in name resolution", "Read timed out", "SSLError",
)  # fmt: skip


class Trouble(Exception):
    """Something the user has to act on; the text is the sentence, `exit_code` the answer."""

    def __init__(self, sentence: str, *, exit_code: int = 1, log: str = "") -> None:
        """Keep the `sentence` and the end of the `log` behind it."""
        super().__init__(sentence)
        self.exit_code, self.log = exit_code, log


@dataclass(frozen=True)
class World:
    """What the set-up touches; tests bring their own."""

    run: Callable[[Sequence[str]], tuple[int, str]]
    """Runs a program and gives exit status and output."""
    reachable: Callable[[str], bool]
    """Whether a URL answers within a few seconds."""
    has_nvidia: Callable[[], bool]
    """Whether there is an NVIDIA GPU with its driver."""
    say: Callable[[str], None]
    """Shows one line."""
    system: str
    """`linux`, `darwin`, ..."""


@dataclass(frozen=True)
class Options:
    """What was asked for."""

    root: Path
    """The project."""
    venv: Path
    """Our environment."""
    tools: Path
    """Folder of the scanners' environments."""
    dev: bool
    """With what tests and checks need."""
    models: bool
    """With what training and retrieval need."""
    allow_cuda: bool
    """CUDA builds are welcome."""


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of the set-up described by `argv`."""
    try:
        check_python(sys.version_info[:2], _has_module)
        return set_up(_options(argv), _world())
    except Trouble as trouble:
        for line in trouble.log.splitlines()[-LAST_LINES:]:
            print(f"    {_without_credentials(line)}", file=sys.stderr)
        print(f"secai set-up: {trouble}", file=sys.stderr)
        return trouble.exit_code
    except KeyboardInterrupt:
        print("secai set-up: stopped; the next run picks it up.", file=sys.stderr)
        return 130


def check_python(version: tuple[int, ...], has_module: Callable[[str], bool]) -> None:
    """Nothing when this Python can be used; raises Trouble with exit code 2 otherwise."""
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        raise Trouble(
            f"SecAI needs Python 3.11 to 3.13 and this is {version[0]}.{version[1]}: install one "
            "of them and run `make setup PYTHON=python3.12`.",
            exit_code=2,
        )
    for module in ("venv", "ensurepip"):
        if not has_module(module):
            raise Trouble(
                f"this Python has no `{module}`, so no environment can be made: install it "
                f"(Debian and Ubuntu: `apt install python{version[0]}.{version[1]}-venv`).",
                exit_code=2,
            )


def set_up(options: Options, world: World) -> int:
    """0 when everything is there; installs only what changed.

    A scanner that cannot be installed is a warning, for scans say that it is absent; our own
    environment is not: raises Trouble.
    """
    jobs = ThreadPoolExecutor(max_workers=1)
    try:
        tools = jobs.submit(lambda: [_tool(tool, options, world) for tool in TOOLS])
        changed = _ours(options, world)
        results = tools.result()
    finally:
        jobs.shutdown(wait=True, cancel_futures=True)
    if not changed and not any(results):
        world.say("everything is installed already")
    else:
        world.say(f"ready: {_shown(options.venv / 'bin' / 'secai', options.root)}")
    return 0


# ------------------------------------------------------------------- environments


def _ours(options: Options, world: World) -> bool:
    """Whether anything had to be installed into our own environment."""
    lock = options.root / "config" / "lock" / "constraints.txt"
    key = _key(options.root / "pyproject.toml", lock)
    wanted = {"key": key, "dev": options.dev, "models": options.models}
    stamp = _stamp(options.venv)
    if stamp.get("key") == key and all(
        stamp.get(part) or not wanted[part] for part in ("dev", "models")
    ):
        return False
    started = time.monotonic()
    python = _environment(options.venv, options.root, world)
    models = options.models and _torch(python, lock, options, world)
    extras = [name for name, on in (("models", models), ("dev", options.dev)) if on]
    target = f"{options.root}[{','.join(extras)}]" if extras else str(options.root)
    world.say(f"packages of SecAI: installing ({', '.join(extras) or 'the core only'})")
    _pip(python, ["install", "-c", str(lock), "-e", target], "the packages of SecAI", world)
    _finish(options.venv, {**wanted, "models": models})
    world.say(f"packages of SecAI: done in {time.monotonic() - started:.0f} s")
    return True


def _tool(tool: str, options: Options, world: World) -> bool:
    """Whether the scanner `tool` had to be installed; a failure is said, not raised."""
    home = options.tools / tool
    lock = options.root / "config" / "lock" / f"{tool}.txt"
    key = _key(lock)
    if _stamp(home).get("key") == key and (home / "bin" / tool).exists():
        return False
    started = time.monotonic()
    try:
        world.say(f"{tool}: installing into an environment of its own")
        python = _environment(home, options.root, world)
        _pip(python, ["install", "-r", str(lock)], tool, world)
        _finish(home, {"key": key})
    except Trouble as trouble:
        last = [line for line in trouble.log.splitlines() if line.strip()][-1:]
        world.say(f"{tool}: NOT installed: {trouble} {_without_credentials(' '.join(last))}")
        world.say(f"{tool}: scans will say that it is absent; `make setup` tries again")
        return True
    world.say(f"{tool}: done in {time.monotonic() - started:.0f} s")
    return True


def _environment(home: Path, root: Path, world: World) -> Path:
    """The Python of the environment `home`, made when it is missing, broken or half done."""
    try:
        if home.exists() and not _usable(home):
            if not _ours_to_remove(home):
                raise Trouble(
                    f"{_shown(home, root)} is no environment of this Python and was not made "
                    "here: move it away or name another one with --venv.",
                    exit_code=2,
                )
            world.say(f"{_shown(home, root)}: unfinished or of another Python, making it anew")
            shutil.rmtree(home)
        if not home.exists():
            home.mkdir(parents=True)
            (home / UNFINISHED).touch()
            code, log = world.run([sys.executable, "-m", "venv", str(home)])
            if code:
                raise _explained("the environment", code, log)
        (home / UNFINISHED).touch()
        (home / STAMP).write_text("{}", encoding="utf-8")
    except OSError as error:
        raise Trouble(
            f"{_shown(home, root)} cannot be written ({error.strerror}): free some space or allow "
            "writing there, then run `make setup` again."
        ) from error
    return home / "bin" / "python"


def _ours_to_remove(home: Path) -> bool:
    made_here = (home / STAMP).exists() or (home / UNFINISHED).exists()
    return not home.is_symlink() and home.is_dir() and (made_here or not any(home.iterdir()))


def _usable(home: Path) -> bool:
    """True for a finished environment of this very Python (3.12 does not read 3.11's)."""
    if (home / UNFINISHED).exists() or not (home / "bin" / "python").exists():
        return False
    try:
        text = (home / "pyvenv.cfg").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", text, re.MULTILINE)
    return found is not None and found.group(1) == f"{sys.version_info[0]}.{sys.version_info[1]}"


def _finish(home: Path, stamp: dict[str, object]) -> None:
    new = home / f"{STAMP}.new"
    new.write_text(json.dumps(stamp, sort_keys=True), encoding="utf-8")
    (home / UNFINISHED).unlink(missing_ok=True)
    new.replace(home / STAMP)


def _stamp(home: Path) -> dict[str, object]:
    """What is written down about the environment `home`; empty when it is not usable."""
    try:
        stamp = json.loads((home / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and _usable(home) else {}


def _key(*files: Path) -> str:
    """A hash over everything that decides what gets installed."""
    digest = hashlib.sha256()
    for file in files:
        try:
            digest.update(file.read_bytes() + b"\0")
        except OSError as error:
            raise Trouble(
                f"{file.name} is missing: run this in a complete checkout of SecAI.", exit_code=2
            ) from error
    digest.update(f"{sys.version_info[:3]} {sys.platform} {platform.machine()}".encode())
    return digest.hexdigest()


# -------------------------------------------------------------------------- torch


def _torch(python: Path, lock: Path, options: Options, world: World) -> bool:
    """Install torch without CUDA by accident; False when that is not possible."""
    code, answer = world.run(
        [str(python), "-c", "import importlib.metadata as m; print(m.version('torch'))"]
    )
    pinned = TORCH.partition("==")[2]
    if code == 0 and answer.strip().partition("+")[0] == pinned:
        world.say(f"torch: {answer.strip()} is there")
        return True
    if world.system != "linux":
        world.say(f"torch: {TORCH} from the package index (no CUDA on this system)")
        return True
    if options.allow_cuda or world.has_nvidia():
        why = "--allow-cuda" if options.allow_cuda else "an NVIDIA GPU is here"
        world.say(f"torch: {TORCH} from the package index, CUDA included ({why})")
        return True
    if world.reachable(f"{CPU_INDEX}/torch/"):
        world.say(f"torch: {TORCH}, CPU build from PyTorch's own index (no NVIDIA GPU here)")
        # --no-deps: the rest comes from the user's own index in the next step
        try:
            _pip(python, ["install", "--no-deps", "--index-url", CPU_INDEX, TORCH], "torch", world)
            return True
        except Trouble as trouble:
            world.say(f"torch: that did not work ({trouble})")
    cuda = _cuda_packages(python, lock, world)
    if not cuda:
        world.say(
            f"torch: {TORCH} from the package index (PyTorch's own CPU index cannot be used here; "
            "the package index's build brings no CUDA)"
        )
        return True
    world.say(
        "torch: LEFT OUT with the other model packages. PyTorch's CPU index cannot be used here, "
        f"and the package index would bring {len(cuda)} CUDA packages ({cuda[0]}, ...)."
    )
    world.say(
        "torch: scans and fixes need no model. Run `make setup` again when download.pytorch.org "
        "can be reached, or `make setup CUDA=yes` to take the CUDA build."
    )
    return False


def _cuda_packages(python: Path, lock: Path, world: World) -> list[str]:
    """Names of the CUDA packages that the plain pin would pull in, sorted."""
    report = python.parent.parent / "torch-report.json"
    arguments = ["install", "--dry-run", "--report", str(report), "-c", str(lock), TORCH]
    _pip(python, arguments, "torch", world)
    try:
        plan = json.loads(report.read_text(encoding="utf-8"))["install"]
        names = {str(item["metadata"]["name"]).lower() for item in plan}
        builds = {str(item["metadata"]["version"]) for item in plan}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Trouble("pip's plan for torch cannot be read: update pip and try again.") from error
    finally:
        report.unlink(missing_ok=True)
    found = {name for name in names if name.startswith(("nvidia-", "cuda-", "triton"))}
    return sorted(found | {f"torch {build}" for build in builds if "+cu" in build})


def _has_nvidia() -> bool:
    if Path("/proc/driver/nvidia/version").exists():
        return True
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        asked = subprocess.run(  # noqa: S603 - found on the user's own PATH
            [program, "-L"], capture_output=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0 and b"GPU" in asked.stdout


# ---------------------------------------------------------------------------- doors


def _pip(python: Path, arguments: list[str], what: str, world: World) -> None:
    """Run pip with the user's own settings (pip.conf, PIP_*); raises Trouble when it fails."""
    argv = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    code, log = world.run([*argv, "--progress-bar=off", "--no-warn-script-location"])
    if code:
        if "Installing collected packages" not in log:
            # nothing was touched yet, so the environment can stay
            (python.parent.parent / UNFINISHED).unlink(missing_ok=True)
        raise _explained(what, code, log)


def _explained(what: str, code: int, log: str) -> Trouble:
    if any(sign in log for sign in DISK_FULL):
        reason = "the disk is full: free about 5 GB and run `make setup` again."
    elif any(sign in log for sign in NO_NETWORK):
        reason = (
            "the package index cannot be reached: check the network, or pip's settings "
            "(`pip config list`), and run `make setup` again."
        )
    elif "ensurepip" in log:
        reason = "this Python cannot make environments: install its venv package."
    else:
        reason = f"pip ended with status {code}; its last lines tell why."
    return Trouble(f"{what} could not be installed: {reason}", log=log)


def _run(argv: Sequence[str], say: Callable[[str], None]) -> tuple[int, str]:
    """Exit status and output of a program; long silences are broken by what it is at."""
    try:
        process = subprocess.Popen(  # noqa: S603 - argv is made here
            list(argv),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**os.environ, "PYTHONUTF8": "1"},
        )
    except OSError as error:
        return 1, f"{error.strerror}"
    lines: list[str] = []
    ended = threading.Event()
    ticker = threading.Thread(target=_tick, args=(lines, ended, say), daemon=True)
    ticker.start()
    try:
        with process:
            for line in process.stdout or ():
                lines.append(line)
    finally:
        ended.set()
    return process.returncode, "".join(lines)


def _tick(lines: Sequence[str], ended: threading.Event, say: Callable[[str], None]) -> None:
    """Say what the last line is about whenever nothing was said for a while."""
    while not ended.wait(SILENCE_S):
        telling = (line.split()[:2] for line in reversed(lines) if line.startswith(PIP_VERBS))
        say("  " + _without_credentials(" ".join(next(telling, ["working"]))) + " ...")


def _reachable(url: str) -> bool:
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - https, written above
    try:
        with urllib.request.urlopen(request, timeout=PROBE_TIMEOUT_S) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 400
    except (OSError, ValueError, urllib.error.URLError):
        return False


def _world() -> World:
    started = time.monotonic()
    lock = threading.Lock()

    def say(line: str) -> None:
        with lock:
            print(f"[{time.monotonic() - started:4.0f} s] {line}", flush=True)

    return World(lambda argv: _run(argv, say), _reachable, _has_nvidia, say, sys.platform)


def _options(argv: Sequence[str] | None) -> Options:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(description="Make SecAI's environments.")
    parser.add_argument("--venv", default=".venv", help="our environment (%(default)s)")
    parser.add_argument("--tools", default=".secai/tools", help="the scanners' (%(default)s)")
    parser.add_argument("--dev", action="store_true", help="with tests and checks")
    parser.add_argument("--no-models", action="store_true", help="without torch, mlx and friends")
    parser.add_argument("--allow-cuda", action="store_true", help="a CUDA build of torch is fine")
    given = parser.parse_args(argv)
    return Options(
        root,
        (root / given.venv).absolute(),
        (root / given.tools).absolute(),
        given.dev,
        not given.no_models,
        given.allow_cuda,
    )


def _has_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else path.name


def _without_credentials(line: str) -> str:
    return re.sub(r"//[^/@\s]+@", "//***@", line)


if __name__ == "__main__":
    sys.exit(main())
