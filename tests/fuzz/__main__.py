"""Fuzz every target, or those named: `python -m tests.fuzz [--minutes N] [TARGET ...]`.

Each target gets its minutes of processor time in a process of its own, with a limit on memory and
on the time of one input. Corpus, findings and figures stay in `.secai/fuzz/TARGET`: the next run
goes on from there. Ends with 1 when something was found that must not be.
"""

import argparse
import hashlib
import importlib.util
import signal
import struct
import subprocess
import sys
from pathlib import Path

from tests.fuzz.coverage import minimise, share_of_lines
from tests.fuzz.report import Campaign, table
from tests.fuzz.targets import Target, targets

ROOT = Path(__file__).resolve().parents[2]
OURS = frozenset(
    str(path)
    for pattern in (
        "parsers/*.py",
        "findings/*.py",
        "gateways/archive.py",
        "gateways/zip_checks.py",
    )
    for path in (ROOT / "secai_lib").glob(pattern)
)
"""Files whose branches count."""
_MOST_DEATHS = 20
"""Processes of one target that may die before it is given up."""


def main() -> int:
    """The exit code."""
    known = targets()
    parser = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(known))
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time per target")
    parser.add_argument("--memory", type=int, default=2048, help="megabytes of address space")
    parser.add_argument("--folder", type=Path, default=ROOT / ".secai" / "fuzz")
    wanted = parser.parse_args()
    if unknown := sorted(set(wanted.targets) - set(known)):
        parser.error(f"no target {', '.join(unknown)}; there are {', '.join(known)}")
    if importlib.util.find_spec("atheris") is None:
        parser.exit(2, "Fuzzing needs atheris, which has wheels for Linux: see `make fuzz`.\n")
    campaigns = []
    for name in wanted.targets or known:
        folder = wanted.folder / name
        campaign = fuzz(known[name], folder, 60 * wanted.minutes, wanted.memory)
        campaigns.append(campaign)
        print(table([campaign]).splitlines()[-1], flush=True)  # noqa: T201
        for what, path in campaign.crashes.items():
            print(f"  {what}: {folder / path}", flush=True)  # noqa: T201
    print("\n" + table(campaigns))  # noqa: T201
    (wanted.folder / "report.md").write_text(table(campaigns) + "\n")
    return int(any(campaign.crashes or campaign.hangs for campaign in campaigns))


def fuzz(target: Target, folder: Path, seconds: float, megabytes: int) -> Campaign:
    """The figures of `seconds` more of processor time on `target`, its corpus made small again."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in target.seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    figures = folder / "campaign.json"
    figures.unlink(missing_ok=True)
    for death in range(_MOST_DEATHS):
        left = seconds - Campaign.load(figures, target.name).cpu_seconds
        if left <= 0:
            break
        command = [sys.executable, "-m", "tests.fuzz.child", target.name, str(folder)]
        with (folder / "log").open("ab") as log:
            done = subprocess.run(
                [*command, str(left), str(megabytes)], check=False, cwd=ROOT, stdout=log, stderr=log
            )
        if done.returncode:
            _bury(folder, figures, target.name, done.returncode, death)
    campaign = Campaign.load(figures, target.name)
    kept, arcs = minimise(target.check, corpus.iterdir(), OURS)
    for path in set(corpus.iterdir()) - set(kept):
        path.unlink()
    campaign.corpus, campaign.branches = len(kept), len(arcs)
    campaign.lines = share_of_lines(target.modules, arcs)
    campaign.save(figures)
    return campaign


def _bury(folder: Path, figures: Path, name: str, code: int, death: int) -> None:
    """Keep the input that ended a process and count it."""
    campaign = Campaign.load(figures, name)
    hang = code == -signal.SIGVTALRM
    place = folder / f"{'hang' if hang else 'death'}-{death}"
    current = folder / "current"
    if current.is_file():
        data = current.read_bytes()
        place.write_bytes(data[8 : 8 + struct.unpack_from("<Q", data)[0]])
    if hang:
        campaign.hangs += 1
    else:
        campaign.crashes[f"the process ended with {code}, see {folder / 'log'}"] = place.name
    campaign.save(figures)


if __name__ == "__main__":
    sys.exit(main())
