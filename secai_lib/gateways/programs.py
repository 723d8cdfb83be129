"""Runs foreign programs so that none of them outlives us, hangs us or sees our secrets."""

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LAST_WORDS = 300
"""Characters of a program's standard error that a sentence for the user may carry."""
LOG_CAP = 4_000_000
"""Bytes of standard error that are read at most."""
_ABSOLUTE = re.compile(r"(?<![\w:/.])(?:/[^\s/:'\",()\[\]]+)+/([^\s/:'\",()\[\]]+)")
_NOWHERE = "http://127.0.0.1:9"
"""Nothing listens on the discard port: whoever tries the network fails at once."""


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    exit_code: int | None
    """Its exit status (negative: a signal); None when it was stopped after the time-out."""
    log: str
    """What it wrote to standard error."""


class Programs:
    """The programs of one piece of work: they run side by side and can all be stopped at once."""

    def __init__(self) -> None:
        """Start with none."""
        _take_sigterm_back()
        self._lock = threading.Lock()
        self._alive: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def call(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        out: Path,
        timeout_s: float,
    ) -> Ended:
        """How `argv` ended; standard output goes to the file `out`, standard error beside it.

        Its whole process group is killed after `timeout_s` seconds. Raises OSError when the
        program cannot be started at all.
        """
        log = out.with_name(out.name + ".log")
        with out.open("wb") as stdout, log.open("wb") as stderr:
            with self._lock:
                if self._stopped:
                    return Ended(None, "")
                # S603: argv is a list made by us, never a shell line
                process = subprocess.Popen(  # noqa: S603
                    list(argv),
                    cwd=cwd,
                    env=dict(env),
                    stdin=subprocess.DEVNULL,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                )
                self._alive.add(process)
            try:
                exit_code: int | None = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                exit_code = None
            finally:
                self._end(process)
        if self._stopped:
            exit_code = None
        return Ended(exit_code, _tail(log))

    def stop(self) -> None:
        """Kill everything that runs and refuse to start more."""
        with self._lock:
            self._stopped = True
            for process in self._alive:
                _kill_group(process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        # also after a normal end: a helper process left behind would hold the folder
        _kill_group(process)
        process.wait()
        with self._lock:
            self._alive.discard(process)


def _take_sigterm_back() -> None:
    """Let this process and the programs it starts be terminated again.

    A shell or supervisor may hand SIGTERM on as ignored; a program inherits that, and one that
    ends its own workers by SIGTERM then waits for ever (detect-secrets' process pool does).
    """
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def scrubbed_env(home: Path, *, bin_dir: Path | None = None) -> dict[str, str]:
    """The environment for a scanner: no token, no setting of the user's, no way to the network."""
    path = [str(bin_dir)] if bin_dir else []
    return {
        "PATH": os.pathsep.join([*path, "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(home),
        "TMPDIR": str(home),
        "XDG_CONFIG_HOME": str(home),
        "XDG_CACHE_HOME": str(home),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONUTF8": "1",
        "NO_COLOR": "1",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "http_proxy": _NOWHERE,
        "https_proxy": _NOWHERE,
        "HTTP_PROXY": _NOWHERE,
        "HTTPS_PROXY": _NOWHERE,
        "ALL_PROXY": _NOWHERE,
    }


def last_words(log: str, hide: Sequence[str] = ()) -> str:
    """The end of a program's log in one line, with absolute paths cut to their last part."""
    for root in sorted(hide, key=len, reverse=True):
        log = log.replace(root + "/", "").replace(root, ".")
    lines = [" ".join(line.split()) for line in log.splitlines() if line.strip()]
    text = _ABSOLUTE.sub(r"\1", " | ".join(lines[-3:]))
    text = "".join(c if c.isprintable() else "?" for c in text)
    return text if len(text) <= LAST_WORDS else "..." + text[-LAST_WORDS:]


def _tail(log: Path) -> str:
    with log.open("rb") as handle:
        handle.seek(max(0, log.stat().st_size - LOG_CAP))
        return handle.read().decode("utf-8", "replace")


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
