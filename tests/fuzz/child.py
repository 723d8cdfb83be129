"""One campaign in one process: `python -m tests.fuzz.child TARGET FOLDER CPU_SECONDS MEGABYTES`.

The process may die at any input, that is what it is for. The input at work stands in
`FOLDER/current` and the figures in `FOLDER/campaign.json`, so that the parent can tell.
"""

import hashlib
import mmap
import os
import resource
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.fuzz.report import Campaign

HANG_SECONDS = 10.0
"""Processor seconds one input may take; then the kernel ends the process."""
LONGEST = 1 << 18
"""Bytes of an input."""
_SAVE_EVERY = 2.0
_BYTES_SHARE = 0.15
"""Inputs that the engine changes byte by byte, the rest is changed at its structure."""
_INSTRUMENTED = ["secai_lib.parsers", "secai_lib.findings", "secai_lib.gateways.archive",
                 "secai_lib.gateways.zip_checks", "zipfile"]  # fmt: skip


class Watch:
    """Runs the check on each input, counts, and ends the process when the time is over."""

    def __init__(self, check: Callable[[bytes], object], folder: Path, target: str, budget: float):
        self._check, self._folder, self._budget = check, folder, budget
        self._campaign = Campaign.load(folder / "campaign.json", target)
        self._before = self._campaign.cpu_seconds
        self._start = self._saved = time.process_time()
        with (folder / "current").open("w+b") as handle:
            handle.truncate(LONGEST + 8)
            self._current = mmap.mmap(handle.fileno(), LONGEST + 8)

    def __call__(self, data: bytes) -> None:
        """Check `data`; never raises, so that the campaign goes on."""
        data = data[:LONGEST]
        self._current[: len(data) + 8] = struct.pack("<Q", len(data)) + data
        begun = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
        try:
            self._check(data)
        except Exception as error:  # noqa: BLE001 - that is what we look for
            self._note(error, data)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        now = time.process_time()
        self._campaign.inputs += 1
        if now - begun > self._campaign.slowest:
            self._campaign.slowest = now - begun
            (self._folder / "slowest").write_bytes(data)
        if now - self._saved > _SAVE_EVERY or now - self._start > self._budget:
            self._save(now)
        if now - self._start > self._budget:
            os._exit(0)

    def _save(self, now: float) -> None:
        self._saved = now
        self._campaign.cpu_seconds = self._before + now - self._start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1 if sys.platform == "darwin" else 1024
        self._campaign.peak_bytes = max(self._campaign.peak_bytes, peak * unit)
        self._campaign.save(self._folder / "campaign.json")

    def _note(self, error: BaseException, data: bytes) -> None:
        """Keep one input for each place at which something goes wrong."""
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "secai_lib" in f.filename or "oracles" in f.filename]
        last = (ours or frames)[-1]
        what = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
        if what not in self._campaign.crashes:
            path = self._folder / f"crash-{hashlib.sha256(what.encode()).hexdigest()[:12]}"
            path.write_bytes(data)
            path.with_suffix(".txt").write_text("".join(traceback.format_exception(error)))
            self._campaign.crashes[what] = path.name


def main(name: str, folder: Path, budget: float, megabytes: int) -> None:
    """Fuzz the target `name` for `budget` processor seconds; does not return."""
    import atheris  # type: ignore[import-not-found, import-untyped, unused-ignore]

    with atheris.instrument_imports(include=_INSTRUMENTED):
        from tests.fuzz.targets import targets
    target = targets()[name]
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    signal.signal(signal.SIGVTALRM, signal.SIG_DFL)

    def mutate(data: bytes, longest: int, seed: int) -> bytes:
        rng = Random(seed)
        if rng.random() < _BYTES_SHARE:
            return bytes(atheris.Mutate(data, longest))
        return target.mutate(data, rng)[:longest]

    # the engine's own alarm, put off: it ends any campaign of half its seconds (0 means at once)
    options = [
        f"-max_len={LONGEST}",
        "-timeout=1000000",
        "-rss_limit_mb=0",
        "-print_final_stats=0",
        "-verbosity=0",
    ]
    options.append(f"-artifact_prefix={folder}/engine-")
    watch = Watch(target.check, folder, name, budget)
    atheris.Setup([name, *options, str(folder / "corpus")], watch, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4]))
