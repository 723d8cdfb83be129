"""What a campaign found, as a record and as a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

HEAD = (
    "| target | CPU minutes | inputs | corpus | branches | own lines reached | crashes | "
    "hangs over 10 s | slowest input | peak memory |\n|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass
class Campaign:
    """The figures of one target."""

    target: str
    """Its name."""
    cpu_seconds: float = 0.0
    """Processor time spent on inputs."""
    inputs: int = 0
    """Inputs tried."""
    slowest: float = 0.0
    """Processor seconds of the slowest input."""
    peak_bytes: int = 0
    """Largest resident memory of the process."""
    crashes: dict[str, str] = field(default_factory=dict)
    """What went wrong -> the file that holds an input for it."""
    hangs: int = 0
    """Inputs that took longer than the limit."""
    corpus: int = 0
    """Inputs kept."""
    branches: int = 0
    """Pairs of lines in our code that ran one after the other."""
    lines: float = 0.0
    """Share of the lines of the target's own modules that were reached."""

    @classmethod
    def load(cls, path: Path, target: str) -> Self:
        """What is written at `path`; a fresh one when there is nothing."""
        return cls(**json.loads(path.read_text())) if path.is_file() else cls(target)

    def save(self, path: Path) -> None:
        """Write to `path`, whole or not at all."""
        aside = path.with_suffix(".part")
        aside.write_text(json.dumps(asdict(self), indent=1))
        aside.replace(path)


def table(campaigns: Sequence[Campaign]) -> str:
    """A Markdown table with one row for each campaign and a sum."""
    rows = [HEAD, *(_row(one) for one in campaigns)]
    if len(campaigns) > 1:
        total = Campaign(
            "all",
            cpu_seconds=sum(c.cpu_seconds for c in campaigns),
            inputs=sum(c.inputs for c in campaigns),
            corpus=sum(c.corpus for c in campaigns),
            slowest=max(c.slowest for c in campaigns),
            peak_bytes=max(c.peak_bytes for c in campaigns),
            crashes={
                f"{c.target} {what}": path for c in campaigns for what, path in c.crashes.items()
            },
            hangs=sum(c.hangs for c in campaigns),
        )
        rows.append(_row(total))
    return "\n".join(rows)


def _row(one: Campaign) -> str:
    cells = (
        one.target,
        f"{one.cpu_seconds / 60:.1f}",
        f"{one.inputs:,}",
        f"{one.corpus:,}",
        f"{one.branches:,}" if one.branches else "",
        f"{one.lines:.0%}" if one.branches else "",
        str(len(one.crashes)),
        str(one.hangs),
        f"{1000 * one.slowest:.0f} ms",
        f"{one.peak_bytes / 2**20:.0f} MiB",
    )
    return f"| {' | '.join(cells)} |"
