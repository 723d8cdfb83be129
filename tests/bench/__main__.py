"""Run the measurements named, or all: `python -m tests.bench [generation ...]`.

A measurement is a module `bench_NAME.py` whose `run()` gives rows (`table.Row`); one that cannot
run here (a model is missing, say) says why and is left out.
"""

import importlib
import sys
from pathlib import Path

from secai_lib.core.errors import SecAIError
from tests.bench.table import HEAD, line


def main(names: list[str]) -> None:
    """Print the table of the measurements `names`."""
    known = sorted(p.stem.removeprefix("bench_") for p in Path(__file__).parent.glob("bench_*.py"))
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no measurement {', '.join(unknown)}; there are {', '.join(known)}")
    print(HEAD)  # noqa: T201
    for name in names or known:
        try:
            for row in importlib.import_module(f"tests.bench.bench_{name}").run():
                print(line(row), flush=True)  # noqa: T201
        except SecAIError as error:
            print(f"{name} left out: {error}", file=sys.stderr)  # noqa: T201


main(sys.argv[1:])
