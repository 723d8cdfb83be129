"""The real zizmor on variants of workflows, through the real parser."""

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from secai_lib.core.finding import Result
from secai_lib.core.fix import Rescan
from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.parsers import parse_report

ZIZMOR = Path(sys.executable).parent / "zizmor"


def zizmor_results(texts: Mapping[str, str]) -> tuple[Result, ...]:
    """What zizmor says about a folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in texts.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        done = subprocess.run(
            [ZIZMOR, "--offline", "--format=json-v1", "--no-progress", "--no-exit-codes", "."],
            cwd=folder,
            capture_output=True,
            check=True,
            timeout=120,
        )
        return parse_report("zizmor.json", done.stdout, roots=(folder,)).results


def zizmor_rescan(variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
    """A `Rescanner` that has zizmor only."""
    return Rescan(
        runs=(ToolRun(tool="zizmor", status=ToolStatus.RAN, version="installed"),),
        results={name: zizmor_results(texts) for name, texts in variants.items()},
    )
