"""The scanners on this machine: which there are, and what they say about a folder."""

import functools
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType
from typing import Any

from secai_lib.core.record import Record
from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.gateways.programs import Programs, last_words, scrubbed_env
from secai_lib.gateways.scan_tree import ScanTree, read_tree
from secai_lib.gateways.scanner_programs import SCANNERS
from secai_lib.gateways.scanner_programs.program import Call, Scanner, without_clock

MAX_REPORT_BYTES = 512_000_000
"""A report above this is refused: nobody can read it in bounded memory."""
NAMED_FILES = 5
"""So many unread files are named in a sentence, the rest is counted."""
_VERSION_TIMEOUT_S = 20.0


class ScannerOutput(Record):
    """What one scanner said."""

    run: ToolRun
    """Whether it ran."""
    file_name: str
    """Name of the report, e.g. `zizmor.json`."""
    data: bytes = b""
    """The report in the tool's own format, without absolute paths and times of day. Empty when
    it did not run or there was no file it reads: then there is no report to store."""
    unread: tuple[str, ...] = ()
    """Files it was given and could not understand; nothing is known about them."""


class _Broke(Exception):
    """A scanner did not do its work; the text is the sentence for `ToolRun.detail`."""


def _quiet(tool: str, run: ToolRun) -> None:
    """Nobody watches."""


class Scanners:
    """Runs the scanners of `SCANNERS`, each as a program with nothing of ours in reach."""

    def __init__(
        self, tools_dir: Path, rules_dir: Path, *, timeout_s: float = 300, workers: int = 2
    ) -> None:
        """Look for checkov and semgrep below `tools_dir`, for our rules below `rules_dir`.

        `timeout_s` seconds are the most one scanner may take; `workers` run at once.
        """
        self._tools_dir = tools_dir.resolve()
        self._rules_dir = rules_dir.resolve()
        self._timeout_s = timeout_s
        self._workers = workers
        self._versions: Mapping[str, ToolRun] | None = None

    def versions(self) -> Mapping[str, ToolRun]:
        """Every scanner we know with its version; read once per process, starts none of ours."""
        if self._versions is None:
            self._versions = MappingProxyType(
                {tool: self._installed(scanner) for tool, scanner in SCANNERS.items()}
            )
        return self._versions

    def run(
        self,
        tree: Path,
        tools: Iterable[str],
        on_done: Callable[[str, ToolRun], None] = _quiet,
        *,
        separate: bool = False,
    ) -> list[ScannerOutput]:
        """What `tools` say about the folder `tree`, sorted by slug.

        Paths in the reports are relative to `tree`. A scanner that fails or is absent gives an
        output that says so. `separate` tells that the sub-folders are independent of each other
        (variants of one repository). An unknown slug raises KeyError, a missing folder
        NotADirectoryError; on any interruption every scanner is killed first.
        """
        asked = sorted({SCANNERS[tool] for tool in tools}, key=lambda s: (-s.cost, s.tool))
        contents = read_tree(tree)
        hide = (str(contents.root), str(tree.absolute()))
        programs = Programs()
        outputs: list[ScannerOutput] = []
        with ThreadPoolExecutor(max_workers=max(1, self._workers)) as pool:
            try:
                waiting: list[Future[ScannerOutput]] = [
                    pool.submit(self._scan, programs, scanner, contents, separate, hide)
                    for scanner in asked
                ]
                for future in as_completed(waiting):
                    outputs.append(future.result())
                    on_done(outputs[-1].run.tool, outputs[-1].run)
            except BaseException:
                programs.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return sorted(outputs, key=lambda output: output.run.tool)

    def _scan(
        self,
        programs: Programs,
        scanner: Scanner,
        tree: ScanTree,
        separate: bool,
        hide: tuple[str, ...],
    ) -> ScannerOutput:
        known = self.versions()[scanner.tool]
        if known.status is not ToolStatus.RAN:
            return ScannerOutput(run=known, file_name=scanner.file_name)
        files = scanner.reads(tree)
        taken = tuple(
            path for path in files if not scanner.size_cap or tree.size(path) <= scanner.size_cap
        )
        if not taken:
            nothing = known.model_copy(update={"detail": "There is no file here that it reads."})
            return ScannerOutput(run=nothing, file_name=scanner.file_name)
        try:
            with tempfile.TemporaryDirectory(prefix="secai-scan-") as home:
                call = Call(
                    self._program(scanner) or "",
                    tree,
                    self._rules_dir,
                    Path(home),
                    separate,
                    self._timeout_s,
                )
                report, unread = _ask(programs, scanner, call, taken, (*hide, home))
        except (_Broke, OSError) as broken:
            reason = (
                str(broken)
                if isinstance(broken, _Broke)
                else (
                    f"It could not be started ({broken.strerror}); run `make setup` to repair it."
                )
            )
            failed = known.model_copy(update={"status": ToolStatus.FAILED, "detail": reason})
            return ScannerOutput(run=failed, file_name=scanner.file_name)
        detail = _left_out(unread, len(files) - len(taken), tree)
        return ScannerOutput(
            run=known.model_copy(update={"detail": detail}),
            file_name=scanner.file_name,
            data=_relative_bytes(report, scanner, (*hide, str(self._rules_dir))),
            unread=unread,
        )

    def _program(self, scanner: Scanner) -> str | None:
        beside = Path(sys.executable).parent / scanner.tool
        own = self._tools_dir / scanner.tool / "bin" / scanner.tool
        first = beside if scanner.place == "beside" else own
        return str(first) if first.is_file() else shutil.which(scanner.tool)

    def _installed(self, scanner: Scanner) -> ToolRun:
        program = self._program(scanner)
        if program is None:
            return ToolRun(
                tool=scanner.tool,
                status=ToolStatus.ABSENT,
                detail=f"{scanner.tool} is not installed here: run `make setup`, then scan again.",
            )
        if scanner.tool == "semgrep" and not any((self._rules_dir / "semgrep").rglob("*.y*ml")):
            return ToolRun(
                tool=scanner.tool,
                status=ToolStatus.ABSENT,
                detail="semgrep has no rules to run: the folder `semgrep` of our rules is empty.",
            )
        version = _recorded_version(scanner.tool, Path(program)) or _asked_version(program)
        return ToolRun(tool=scanner.tool, status=ToolStatus.RAN, version=version)


def _ask(
    programs: Programs,
    scanner: Scanner,
    call: Call,
    files: tuple[str, ...],
    hide: tuple[str, ...],
) -> tuple[Any, tuple[str, ...]]:
    """The merged report and the files that were not understood; raises _Broke."""
    deadline = time.monotonic() + call.timeout_s
    env = scrubbed_env(call.home, bin_dir=Path(call.program).parent) | dict(scanner.env)
    cwd = call.tree.root if scanner.cwd == "tree" else Path("/")
    reports: list[Any] = []
    logs: list[str] = []
    for number, argv in enumerate(scanner.commands(call, files)):
        out = call.home / f"report-{number}"
        left = max(0.0, deadline - time.monotonic())
        ended = programs.call(argv, cwd=cwd, env=env, out=out, timeout_s=left)
        if ended.exit_code is None:
            raise _Broke(
                f"It was stopped after {call.timeout_s:g} s; scan a smaller folder or raise "
                "`timeout_seconds` in config/scanners.yaml."
            )
        if ended.exit_code not in scanner.ran:
            words = last_words(ended.log, hide) or "it said nothing"
            raise _Broke(f"It ended with exit status {ended.exit_code}: {words}")
        logs.append(ended.log)
        reports.append(_report(scanner, out, ended.exit_code, ended.log, hide))
    try:
        merged = scanner.merge(reports)
        unread = scanner.unread(merged, "\n".join(logs), files)
    except (KeyError, TypeError, AttributeError) as error:
        raise _Broke("Its report has another shape than this version of SecAI knows.") from error
    if files and len(unread) == len(files):
        raise _Broke(f"It could read none of {len(files)} files: {_some(unread)}.")
    return without_clock(merged), unread


def _report(scanner: Scanner, out: Path, exit_code: int, log: str, hide: tuple[str, ...]) -> Any:
    size = out.stat().st_size
    if size > MAX_REPORT_BYTES:
        raise _Broke(f"Its report has {size} bytes, more than {MAX_REPORT_BYTES}.")
    if scanner.tool == "zizmor" and exit_code == 3:
        # every file of this chunk was unreadable; `unread` names them
        return []
    try:
        return json.loads(out.read_bytes())
    except (ValueError, RecursionError) as error:
        words = last_words(log, hide) or "it said nothing else"
        raise _Broke(f"Its report is not JSON ({words}).") from error


def _relative_bytes(report: Any, scanner: Scanner, hide: tuple[str, ...]) -> bytes:
    text = json.dumps(report, ensure_ascii=False, separators=(",", ":"))
    for root in sorted(set(hide), key=len, reverse=True):
        written = json.dumps(root, ensure_ascii=False)[1:-1]
        if scanner.slash:
            text = text.replace(written, "")
        else:
            text = text.replace(written + "/", "").replace(written, ".")
    return text.encode("utf-8", "replace")


def _left_out(unread: tuple[str, ...], too_large: int, tree: ScanTree) -> str:
    parts = []
    if unread:
        parts.append(f"It could not read {len(unread)} files: {_some(unread)}.")
    if too_large:
        parts.append(f"{too_large} files were too large for it.")
    if tree.links:
        parts.append(f"{len(tree.links)} symbolic links were not followed.")
    if tree.unnameable:
        parts.append(f"{tree.unnameable} files with unprintable names were left out.")
    return " ".join(parts)


def _some(paths: tuple[str, ...]) -> str:
    more = f" and {len(paths) - NAMED_FILES} more" if len(paths) > NAMED_FILES else ""
    return ", ".join(paths[:NAMED_FILES]) + more


@functools.cache
def _recorded_version(tool: str, program: Path) -> str:
    """The version in the metadata of the environment that holds `program`, or nothing."""
    if program.parent == Path(sys.executable).parent:
        try:
            return importlib.metadata.version(tool)
        except importlib.metadata.PackageNotFoundError:
            return ""
    home = program.resolve().parent.parent
    folders = [str(path) for path in sorted(home.glob("lib/python3*/site-packages"))]
    for found in importlib.metadata.distributions(name=tool, path=folders):
        return found.version
    return ""


def _asked_version(program: str) -> str:
    """What `program --version` says; empty when it says no number within a few seconds."""
    with tempfile.TemporaryDirectory(prefix="secai-version-") as home:
        env = scrubbed_env(Path(home), bin_dir=Path(program).parent)
        try:
            answer = subprocess.run(  # noqa: S603 - a program we found ourselves
                [program, "--version"],
                cwd="/",
                env=env,
                capture_output=True,
                check=False,
                timeout=_VERSION_TIMEOUT_S,
                text=True,
                errors="replace",
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
    for word in answer.stdout.split():
        if word.lstrip("v")[:1].isdigit():
            return word.lstrip("v")
    return ""
